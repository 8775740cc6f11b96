"""`alerts`: list, show, take and stop alerts, and what those of a week came to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

import typer

from dispatcher.alerts.acting import AlertEnded, stopped, taken
from dispatcher.alerts.summary import summary as summary_of
from dispatcher.cli import completing, connection, moments, output
from dispatcher.cli.alert_output import STYLES, print_summary
from dispatcher.cli.filters import Cursor, Limit
from dispatcher.cli.lazy import group
from dispatcher.cli.one_alert import show_alert
from dispatcher.cli.output import AsJson
from dispatcher.cli.person import Note, actor
from dispatcher.cli.tables import Column, Table
from dispatcher.model.alert import Acknowledgement, Alert, AlertState, UnknownAlert
from dispatcher.model.alert_view import view
from dispatcher.store.alert_values import AlertActed
from dispatcher.values.durations import past
from dispatcher.values.masking import mask_text
from dispatcher.values.zones import zone as zone_of

app = group("See alerts, say that you have one, and stop their calls.")

Ids = Annotated[
    list[str],
    typer.Argument(
        metavar="ID…", help="The ids of alerts or bundles.", autocompletion=completing.alerts
    ),
]
COLUMNS = (
    *("id", "state", Column("alert", least=16), Column("who has it", least=10)),
    *(Column("reported", rank=1), Column("severity", rank=2), Column("chain", rank=3)),
)


@app.command("list")
def list_(
    context: typer.Context,
    *,
    states: Annotated[
        list[AlertState] | None,
        typer.Option("--state", metavar="STATE", help=f"One or more of: {', '.join(AlertState)}."),
    ] = None,
    chain: Annotated[str | None, typer.Option(help="Alerts of this chain.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    json: AsJson = False,
) -> None:
    """List alerts, newest first."""
    alerts = connection.dispatcher(context).store.alerts
    found, after = list[Alert](), cursor
    while len(found) < limit:
        page = alerts.page(
            states=states or None, chain=chain, limit=limit - len(found), cursor=after
        )
        found, after = [*found, *page.alerts], page.cursor
        if after is None:
            break
    if json:
        output.as_json([view(each, whole=False) for each in found])
    else:
        _print(found)
    if after:
        typer.echo(f"there may be more: add --cursor {after}", err=True)


@app.command("show")
def show(
    context: typer.Context,
    id_: Annotated[
        str, typer.Argument(metavar="ID", help="An alert's id.", autocompletion=completing.alerts)
    ],
    *,
    json: AsJson = False,
) -> None:
    """Show everything about one alert: who was called when, who has it, what happens next."""
    show_alert(connection.dispatcher(context).store, id_, json=json)


@app.command("ack")
def ack(
    context: typer.Context,
    ids: Ids,
    *,
    by: Annotated[
        str | None, typer.Option(help="Who has it [default: your login name].", metavar="NAME")
    ] = None,
    note: Note = "",
    json: AsJson = False,
) -> None:
    """Say that you have alerts: nobody else is called for them."""
    alerts = connection.dispatcher(context).store.alerts
    who = by or actor()
    _each(
        ids,
        lambda id_: alerts.acknowledge(id_, by=who, how=Acknowledgement.CLI, note=note),
        taken,
        json=json,
    )


@app.command("cancel")
def cancel(context: typer.Context, ids: Ids, *, note: Note = "", json: AsJson = False) -> None:
    """Stop the calls of alerts, though nobody has them."""
    alerts = connection.dispatcher(context).store.alerts
    _each(ids, lambda id_: alerts.cancel(id_, by=actor(), note=note), stopped, json=json)


@app.command("summary")
def summary(
    context: typer.Context,
    *,
    since: Annotated[
        str, typer.Option(help="Reported since: ISO 8601 with zone, or how long ago.")
    ] = "7d",
    until: Annotated[str | None, typer.Option(help="Reported before, in the same form.")] = None,
    zone: Annotated[
        str,
        typer.Option(help="Whose nights are counted where a contact has no zone."),
    ] = "UTC",
    json: AsJson = False,
) -> None:
    """Show what alerts came to: how many, how soon somebody had them, who was called at night."""
    try:
        clock = zone_of(zone)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--zone") from None
    begins, ends = past(since), past(until) if until else datetime.now(UTC)
    found = summary_of(connection.dispatcher(context).store, begins, ends, clock)
    if json:
        output.as_json(found.to_dict())
    else:
        print_summary(found)


def _print(alerts: list[Alert]) -> None:
    table = Table(*COLUMNS)
    for each in alerts:
        many = f" (of {each.members}, {each.firing_members} fire)" if each.is_bundle else ""
        table.add(
            each.id,
            (str(each.state), STYLES.get(each.state, "")),
            mask_text(each.summary) + many,
            mask_text(each.acknowledged_by or ""),
            moments.minute(each.received_at),
            str(each.severity),
            mask_text(each.chain or ""),
        )
    table.show("alerts")


def _each(
    ids: list[str],
    act: Callable[[str], AlertActed],
    words: Callable[[AlertActed], str],
    *,
    json: bool,
) -> None:
    """Act on each alert; say of every one what was done or why not. Exit status 1: not all."""
    done, refused = list[tuple[Alert, str]](), list[tuple[str, str]]()
    for id_ in dict.fromkeys(ids):
        try:
            acted = act(id_)
            done.append((acted.alert, mask_text(words(acted))))
        except (UnknownAlert, AlertEnded) as error:
            refused.append((id_, mask_text(str(error))))
    if json:
        told = [view(alert, whole=False) for alert, _ in done]
        output.as_json({"done": told, "refused": [{"id": i, "why": why} for i, why in refused]})
    else:
        output.lines(told for _, told in done)
    for _, why in refused:
        typer.echo(f"error: {why}", err=True)
    if refused:
        raise typer.Exit(1)
