"""`languages`: what the provider has refused to speak, and how to have it tried again."""

from __future__ import annotations

from typing import Annotated

import typer

from dispatcher.cli import connection, moments, output
from dispatcher.cli.output import AsJson
from dispatcher.cli.person import Note, actor
from dispatcher.model.job import iso


def languages(
    context: typer.Context,
    *,
    forget: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LANG",
            help="Forget that it was refused; may be given several times. `all`: all of them.",
        ),
    ] = None,
    note: Note = "",
    json: AsJson = False,
) -> None:
    """Show the language of texts, and languages that the provider refused. They are refused at once
    for a week.
    """
    store = connection.dispatcher(context).store
    forgotten: list[str] = []
    if forget:
        meant = () if "all" in forget else forget
        forgotten = store.languages.forget(meant, actor=actor(), note=note)
    refused, default = store.languages.refused(), store.languages.default()
    if json:
        shown = {name: iso(at) for name, at in refused.items()}
        output.as_json({"default": default, "refused": shown, "forgotten": forgotten})
        return
    if forget:
        output.line(f"forgotten: {', '.join(forgotten) or 'none of them was refused'}")
    output.line(f"Texts that name no language are in {default!r} (DISPATCHER_LANG)")
    for name, at in refused.items():
        output.line(f"{name}: refused by the provider on {moments.minute(at)}")
