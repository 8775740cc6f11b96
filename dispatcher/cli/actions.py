"""`acts` and `audit`: how acts on many jobs stand, and who did what."""

from __future__ import annotations

import csv
import json as json_
import sys
from collections import deque
from collections.abc import Iterable
from typing import Annotated

import typer

from dispatcher.cli import connection, output
from dispatcher.cli.bulk_actions import report_lines
from dispatcher.cli.filters import Limit, past
from dispatcher.cli.lazy import group
from dispatcher.cli.output import AsJson, Format
from dispatcher.cli.person import Note, actor
from dispatcher.model.bulk_action import BulkAction
from dispatcher.model.job import iso
from dispatcher.rows.spreadsheets import shield
from dispatcher.store.audit import AuditEntry

app = group("Acts on many jobs: how they stand, and an end.")

Id = Annotated[str, typer.Argument(metavar="ID", help="An act's id, as its report says.")]


@app.command("list")
def list_(context: typer.Context, *, limit: Limit = 20, json: AsJson = False) -> None:
    """List the acts on many jobs that were begun lately, the latest first."""
    found = connection.dispatcher(context).store.bulk.recent(limit)
    if json:
        output.as_json([each.to_dict() for each in found])
        return
    columns = ("id", "act", "state", "did", "chosen", "left", "begun", "by", "jobs")
    table = output.table(*columns, whole=("id", "act"))
    for each in found:
        numbers = (f"{n:,}" for n in (each.did, each.chosen, each.left))
        begun = iso(each.begun_at) or ""
        output.row(
            table, each.id, each.kind, each.state, *numbers, begun, each.actor, each.selection
        )
    output.show_table(table)


@app.command("show")
def show(context: typer.Context, id_: Id, *, json: AsJson = False) -> None:
    """Say how an act stands, or what came of it."""
    _report(connection.dispatcher(context).store.bulk.get(id_), json=json)


@app.command("stop")
def stop(context: typer.Context, id_: Id, *, note: Note = "", json: AsJson = False) -> None:
    """End an act early: what it did stays done, the rest is left as it is."""
    store = connection.dispatcher(context).store
    stopped = store.bulk.stop(id_, actor=actor(), why=note)
    found = store.bulk.get(id_)
    _report(found, json=json)
    if not stopped:
        typer.echo(f"error: act {id_} is not running: it is {found.state}", err=True)
        raise typer.Exit(1)


def _report(found: BulkAction, *, json: bool) -> None:
    if json:
        output.as_json(found.to_dict())
    else:
        output.lines(report_lines(found))


def audit(
    context: typer.Context,
    *,
    since: Annotated[
        str | None, typer.Option(help="Since: ISO 8601 with zone, or how long ago (2h).")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Before: ISO 8601 with zone, or how long ago.")
    ] = None,
    format_: Annotated[
        Format | None, typer.Option("--format", help="Export all of it, as it is read.")
    ] = None,
    unmask: Annotated[bool, typer.Option("--unmask", help="Numbers whole.")] = False,
    limit: Limit = 50,
    json: AsJson = False,
) -> None:
    """Say who did what, when and why. The latest acts of people, or with --format all of them."""
    store = connection.dispatcher(context).store
    entries = store.audit.read(past(since), past(until), mask=not unmask)
    if format_ is Format.CSV:
        _as_csv(entries)
    elif format_ is Format.JSONL:
        for entry in entries:
            sys.stdout.write(json_.dumps(entry.to_dict(), ensure_ascii=False) + "\n")
    elif json:
        output.as_json([entry.to_dict() for entry in deque(entries, limit)])
    else:
        table = output.table("at", "by", "act", "on", "facts", "why", whole=("at", "act"))
        for entry in deque(entries, limit):
            at = iso(entry.at) or ""
            output.row(table, at, entry.actor, entry.act, entry.target, _facts(entry), entry.why)
        output.show_table(table)


def _as_csv(entries: Iterable[AuditEntry]) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("at", "actor", "act", "target", "why", "facts"))
    for entry in entries:
        facts = json_.dumps(entry.facts, ensure_ascii=False)
        cells = (entry.actor, entry.act, entry.target, entry.why, facts)
        out.writerow((iso(entry.at), *map(shield, cells)))


def _facts(entry: AuditEntry) -> str:
    return " ".join(f"{name}={value}" for name, value in sorted(entry.facts.items()))
