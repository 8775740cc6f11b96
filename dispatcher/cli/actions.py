"""`actions` and `audit`: bulk actions and their progress, and who did what."""

from __future__ import annotations

import csv
import json as json_
import sys
from collections import deque
from collections.abc import Iterable
from typing import Annotated

import typer

from dispatcher.cli import connection, moments, output
from dispatcher.cli.bulk_actions import report_lines
from dispatcher.cli.filters import Limit, past
from dispatcher.cli.lazy import group
from dispatcher.cli.output import AsJson, Format
from dispatcher.cli.person import Note, actor
from dispatcher.cli.tables import Column, Table
from dispatcher.cli.unmasked import unmasked
from dispatcher.model.bulk_action import BulkAction
from dispatcher.model.job import iso
from dispatcher.rows.spreadsheets import shield
from dispatcher.store.audit import AuditEntry
from dispatcher.values.masking import mask_text

app = group("List, follow and stop bulk actions.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The id of a bulk action.")]


@app.command("list")
def list_(context: typer.Context, *, limit: Limit = 20, json: AsJson = False) -> None:
    """List recent bulk actions, the latest first."""
    found = connection.dispatcher(context).store.bulk.recent(limit)
    if json:
        output.as_json([each.to_dict() for each in found])
        return
    table = Table(*_LISTED)
    for each in found:
        numbers = (f"{n:,}" for n in (each.done, each.selected, each.remaining))
        started = moments.minute(each.started_at)
        who = (mask_text(each.selection), mask_text(each.actor))
        table.add(each.id, each.kind, each.state, *numbers, started, *who)
    table.show("actions")


_LISTED = (
    *("id", "action", "state"),
    *(Column("done", right=True), Column("selected", right=True)),
    Column("remaining", right=True, rank=2),
    Column("started", rank=3),
    Column("selection", least=16, rank=1),
    Column("by", rank=4),
)


@app.command("show")
def show(context: typer.Context, id_: Id, *, json: AsJson = False) -> None:
    """Show the progress or the result of a bulk action."""
    _report(connection.dispatcher(context).store.bulk.get(id_), json=json)


@app.command("stop")
def stop(context: typer.Context, id_: Id, *, note: Note = "", json: AsJson = False) -> None:
    """Stop a bulk action. What was done stays done; the remaining jobs stay as they are."""
    store = connection.dispatcher(context).store
    stopped = store.bulk.stop(id_, actor=actor(), note=note)
    found = store.bulk.get(id_)
    _report(found, json=json)
    if not stopped:
        typer.echo(f"error: action {id_} is not running: it is {found.state}", err=True)
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
        str | None,
        typer.Option(help="From this time on: ISO 8601 with zone, or how long ago (2h)."),
    ] = None,
    until: Annotated[str | None, typer.Option(help="Before this time, in the same form.")] = None,
    format_: Annotated[
        Format | None, typer.Option("--format", help="Export all entries as csv or jsonl.")
    ] = None,
    unmask: Annotated[bool, typer.Option("--unmask", help="Show whole numbers.")] = False,
    limit: Limit = 50,
    json: AsJson = False,
) -> None:
    """Show who did what, when and why, the oldest first. The latest ones, or with --format all."""
    store = connection.dispatcher(context).store
    if unmask:
        unmasked(store, "audit")
    entries = store.audit.read(past(since), past(until), mask=not unmask)
    if format_ is Format.CSV:
        _as_csv(entries)
    elif format_ is Format.JSONL:
        for entry in entries:
            sys.stdout.write(json_.dumps(entry.to_dict(), ensure_ascii=False) + "\n")
    elif json:
        output.as_json([entry.to_dict() for entry in deque(entries, limit)])
    else:
        texts = (
            Column(name, least=12, rank=n) for n, name in enumerate(("target", "note", "facts"))
        )
        table = Table("at", Column("by", least=8), Column("action", least=10), *texts)
        for entry in deque(entries, limit):
            told = (entry.target, entry.note, _facts(entry))
            table.add(moments.stamp(entry.at), entry.actor, entry.action, *told)
        table.show("entries")


def _as_csv(entries: Iterable[AuditEntry]) -> None:
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(("at", "actor", "action", "target", "note", "facts"))
    for entry in entries:
        facts = json_.dumps(entry.facts, ensure_ascii=False)
        cells = (entry.actor, entry.action, entry.target, entry.note, facts)
        out.writerow((iso(entry.at), *map(shield, cells)))


def _facts(entry: AuditEntry) -> str:
    return ", ".join(f"{name}: {words}" for name, words in entry.told.items())
