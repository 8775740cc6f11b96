"""`limit set`, `limit list`, `limit clear`: what a tag or a producer may cost."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dispatcher.cli import connection, output
from dispatcher.cli.lazy import group
from dispatcher.cli.output import AsJson
from dispatcher.cli.person import Note, actor
from dispatcher.policy import credit_forecast
from dispatcher.store.spending import Period, SpendingLimit, limit_amount, limit_scope

app = group("Set, list and clear spending limits.")

Scope = Annotated[
    str,
    typer.Argument(
        metavar="SCOPE", help="tag:<tag>, such as tag:campaign:spring, or client:<producer>."
    ),
]


@app.command("set")
def set_(
    context: typer.Context,
    scope_: Scope,
    most: Annotated[
        str, typer.Argument(metavar="AMOUNT", help="Credits: 500/day, or 10000/total.")
    ],
    *,
    note: Note = "",
    json: AsJson = False,
) -> None:
    """Set or change a spending limit. What was spent so far still counts."""
    wanted = SpendingLimit(limit_scope(scope_), *limit_amount(most))
    store = connection.dispatcher(context).store
    changed = store.spending.set(wanted, actor=actor(), note=note)
    stands = next((each for each in store.spending.limits() if each.scope == wanted.scope), wanted)
    _say(wanted.to_dict(), _set_words(stands, changed=changed), json=json)


@app.command("list")
def list_(context: typer.Context, *, json: AsJson = False) -> None:
    """List the spending limits and how much of each is used."""
    found = list(connection.dispatcher(context).store.spending.limits())
    if json:
        output.as_json([limit.to_dict() for limit in found])
    else:
        output.lines(map(in_words, found) if found else ["no limits"])


@app.command("clear")
def clear(context: typer.Context, scope_: Scope, *, note: Note = "", json: AsJson = False) -> None:
    """Remove a spending limit. Jobs it held are dialled in their turn."""
    name = limit_scope(scope_)
    gone = connection.dispatcher(context).store.spending.clear(name, actor=actor(), note=note)
    words = "cleared" if gone else "there was no limit"
    _say({"scope": name, "cleared": gone}, f"{name}: {words}", json=json)


def in_words(limit: SpendingLimit) -> str:
    """Return a limit as people read it."""
    per = " a day" if limit.period is Period.DAY else ""
    used, most = credit_forecast.shown(limit.used), credit_forecast.in_credits(limit.amount)
    return f"Limit for {limit.scope}: {used} of {most}{per} used"


def _set_words(limit: SpendingLimit, *, changed: bool) -> str:
    per = "a day" if limit.period is Period.DAY else "in total"
    done = "changed" if changed else "set"
    used, most = credit_forecast.shown(limit.used), credit_forecast.in_credits(limit.amount)
    return f"limit {done}: {limit.scope}, {most} {per}; {used} used"


def _say(row: dict[str, Any], words: str, *, json: bool) -> None:
    if json:
        output.as_json(row)
    else:
        output.lines([words])
