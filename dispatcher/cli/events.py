"""`events`: what happened to the account, such as a hold that started or credit that ran low."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import typer

from dispatcher.cli import connection, moments, output
from dispatcher.cli.output import AsJson
from dispatcher.cli.tables import Column, Table
from dispatcher.cli.unmasked import unmasked
from dispatcher.values.durations import spoken
from dispatcher.values.masking import mask_all


def events(
    context: typer.Context,
    *,
    after: Annotated[
        str, typer.Option(help="Only events after this cursor, as --json prints it.")
    ] = "",
    unmask: Annotated[bool, typer.Option("--unmask", help="Show whole numbers.")] = False,
    json: AsJson = False,
) -> None:
    """List account events, the oldest first. Such as holds and low credit; about 1,000 are kept."""
    if after and not all(part.isdecimal() for part in after.split("-", 1)):
        raise typer.BadParameter(f"{after!r} is not a cursor", param_hint="--after")
    store = connection.dispatcher(context).store
    found = list(store.events.after(after))
    if unmask:
        unmasked(store, "events")
    else:
        found = [replace(each, facts=mask_all(each.facts)) for each in found]
    if json:
        output.as_json(
            [{"cursor": each.cursor, "kind": each.kind, "facts": each.facts} for each in found]
        )
        return
    table = Table("at", "event", Column("facts", least=16))
    for each in found:
        table.add(moments.stamp(each.facts["at"]), each.kind, _facts(each.facts))
    table.show("events")


def _facts(facts: Mapping[str, Any]) -> str:
    """Return what an event tells beside its moment."""
    told = {name: value for name, value in facts.items() if name != "at" and value != ""}
    if "for" in told:
        told["for"] = spoken(float(told["for"]) / 1000)
    return "  ".join(f"{name}={value}" for name, value in sorted(told.items()))
