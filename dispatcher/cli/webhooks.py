"""`webhooks`: those that wait or were given up, and another try for them."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import Annotated, Any

import typer

from dispatcher.cli import connection, moments, output
from dispatcher.cli.filters import Limit
from dispatcher.cli.lazy import LazyGroup, group
from dispatcher.cli.output import AsJson
from dispatcher.cli.person import Note, actor
from dispatcher.cli.processes import Process
from dispatcher.cli.tables import Column, Table
from dispatcher.model.job import iso_of
from dispatcher.store.webhooks import Webhook
from dispatcher.values.counts import counted
from dispatcher.values.webhook_url import origin


class Commands(LazyGroup):
    """What only a checkout or the image can do with webhooks."""

    table = {  # noqa: RUF012 - the type is the base's
        "run": Process(
            "workers.commands:deliver",
            "Run the process that delivers webhooks (`worker` and `up` run one already).",
        ),
        "secret": Process(
            "workers.commands:secret",
            "Print the secrets with which receivers verify their webhooks.",
        ),
    }


app = group("List webhooks that wait or were given up, and send them again.", cls=Commands)

COLUMNS = {
    "id": Column("id"),
    "state": Column("state"),
    "type": Column("type"),
    "target": Column("target", least=12),
    "at": Column("at", rank=1),
    "tries": Column("tries", right=True, rank=3),
    "error": Column("error", least=16, rank=2),
}
Ids = Annotated[
    list[str] | None,
    typer.Argument(metavar="ID…", help="Webhook ids, as `webhooks list` shows them."),
]


@app.command("list")
def list_(
    context: typer.Context,
    *,
    dead: Annotated[bool, typer.Option("--dead", help="Only webhooks that were given up.")] = False,
    limit: Limit = 50,
    json: AsJson = False,
) -> None:
    """List webhooks that wait or were given up; with --dead, only those given up."""
    webhooks = connection.dispatcher(context).store.webhooks
    found = [(each, "dead") for each in islice(webhooks.dead(), limit)]
    if not dead:
        found += [(each, "waiting") for each in islice(webhooks.waiting(), limit - len(found))]
    rows = [_row(webhook, state) for webhook, state in found]
    if json:
        output.as_json(rows)
    else:
        _table(rows).show("webhooks")


@app.command("retry")
def retry(
    context: typer.Context,
    ids: Ids = None,
    *,
    all_: Annotated[bool, typer.Option("--all", help="All webhooks that were given up.")] = False,
    note: Note = "",
    json: AsJson = False,
) -> None:
    """Send webhooks that were given up again, with the same event ids, for another day."""
    if bool(ids) == all_:
        raise typer.BadParameter("give ids, or --all", param_hint="ID…")
    webhooks = connection.dispatcher(context).store.webhooks
    wanted = [each.id for each in webhooks.dead()] if all_ else list(dict.fromkeys(ids or ()))
    done = {id_: webhooks.retry(id_) for id_ in wanted}
    refused = {id_: _WHY[answer] for id_, answer in done.items() if answer != "again"}
    if many := len(done) - len(refused):
        store = connection.dispatcher(context).store
        store.audit.record(actor(), "webhooks.retry", counted(many, "webhook"), note)
    if json:
        again = [id_ for id_ in done if id_ not in refused]
        output.as_json(
            {"retried": again, "refused": [{"id": id_, "why": why} for id_, why in refused.items()]}
        )
    else:
        output.line(f"{Counter(done.values())['again']} of {len(done)} will be sent again")
    for id_, why in refused.items():
        typer.echo(f"error: {id_[:100]!r} {why}", err=True)
    if refused:
        raise typer.Exit(1)


_WHY = {
    "gone": "is not a stored webhook: it was delivered, or its retention is over",
    "waits": "was not given up: it is tried again automatically",
}


def _row(webhook: Webhook, state: str) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "state": state,
        "type": webhook.type,
        "target": origin(webhook.own_url) if webhook.is_of_job else webhook.target,
        "at": iso_of(webhook.at),
        "sequence": webhook.sequence,
        "tries": webhook.tries,
        "error": webhook.error or None,
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(*COLUMNS.values())
    for row in rows:
        told = {**row, "at": moments.minute(row["at"])}
        told |= {"state": "given up"} if row["state"] == "dead" else {}
        table.add(*("" if told[name] is None else str(told[name]) for name in COLUMNS))
    return table
