"""`rota show`, `rota swap`, `rota unswap`: who is on call when, and who stands in."""

from __future__ import annotations

from typing import Annotated

import typer

from dispatcher.alerts.rota_plans import RotaPlan, plans
from dispatcher.cli import completing, connection, output
from dispatcher.cli.chains import published
from dispatcher.cli.lazy import group
from dispatcher.cli.output import AsJson
from dispatcher.cli.person import actor
from dispatcher.cli.tables import Column, Table
from dispatcher.policy.rotas import new_swap
from dispatcher.store.on_call import rota_of
from dispatcher.values.zones import zone

app = group("Show who is on call when, and have somebody stand in.")
Name = Annotated[str, typer.Argument(help="The name of the rota.", autocompletion=completing.rotas)]


@app.command("show")
def show(
    context: typer.Context,
    name: Annotated[
        str | None,
        typer.Argument(
            help="The name of the rota; left out: all.", autocompletion=completing.rotas
        ),
    ] = None,
    *,
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days ahead.")] = 14,
    json: AsJson = False,
) -> None:
    """Show whose turn it is, by the rota's clock, and the swaps."""
    store = connection.dispatcher(context).store
    on_call = published(context).on_call
    names = list(on_call.rotas) if name is None else [name]
    found = plans(store, on_call, names, days)
    swaps = [swap for plan in found for swap in plan.swaps]
    if json:
        shown = {plan.name: [turn.to_dict() for turn in plan.turns] for plan in found}
        told = {"rotas": shown, "swaps": [swap.to_dict() for swap in swaps]}
        output.as_json(told if name is None else {**found[0].to_dict(), **told})
        return
    for plan in found:
        _table(plan)
    output.lines(f"swap {swap.id}: {swap.in_words()}" for swap in swaps)


@app.command("swap")
def swap(
    context: typer.Context,
    name: Name,
    who: Annotated[str, typer.Argument(help="Who is on call then: a contact, a team, or nobody.")],
    *,
    from_: Annotated[
        str,
        typer.Option(
            "--from", help="A day, 2026-12-24, or a time, 2026-12-24T18:00, by the rota's clock."
        ),
    ],
    to: Annotated[str, typer.Option("--to", help="Until when; a day is not part of it.")],
    note: Annotated[str, typer.Option(help="Why, for the audit log.")] = "",
    json: AsJson = False,
) -> None:
    """Have somebody else on call than the rota says, for a while."""
    store, on_call = connection.dispatcher(context).store, published(context).on_call
    rota = rota_of(on_call, name)
    shift, until = new_swap(on_call, rota, who, (from_, to), note)
    id_ = store.on_call.swap(name, shift, until=until, by=actor())
    if json:
        given = {"who": who, "from": from_, "to": to, "why": shift.why}
        output.as_json({"id": id_, "rota": name, **shift.model_dump(), **given})
    else:
        typer.echo(f"{who} is on call for {name} from {from_} to {to} (swap {id_})")


@app.command("unswap")
def unswap(
    context: typer.Context,
    id_: Annotated[str, typer.Argument(metavar="SWAP", help="The swap's id: `rota show`.")],
    *,
    json: AsJson = False,
) -> None:
    """End a swap: the rota holds again."""
    connection.dispatcher(context).store.on_call.end_swap(id_, by=actor())
    if json:
        output.as_json({"id": id_, "ended": True})
    else:
        output.line(f"swap {id_} is ended")


def _table(plan: RotaPlan) -> None:
    in_zone = zone(plan.rota.zone)
    output.line(f"{plan.name} ({in_zone.key})")
    table = Table("from", "to", "on call", Column("why", least=12, rank=1))
    for turn in plan.turns:
        start, end = (
            f"{at.astimezone(in_zone):%a %Y-%m-%d %H:%M}" for at in (turn.start, turn.end)
        )
        table.add(start, end, turn.who or "NOBODY", turn.why)
    table.show("turns")
