"""`balance`: how the account's credit stands, and how long it lasts."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Annotated, Any

import typer

from dispatcher import statistics
from dispatcher.balance_check import BalanceCheck
from dispatcher.cli import connection, moments, output
from dispatcher.cli.limit import in_words
from dispatcher.cli.output import AsJson
from dispatcher.cli.person import Note, actor
from dispatcher.cli.provider import connected
from dispatcher.model.credit import Learned
from dispatcher.policy import credit_forecast
from dispatcher.provider import Provider
from dispatcher.store import Store
from dispatcher.store.slots import Slots
from dispatcher.values.masking import mask_all, mask_text

EVERY = 300.0
"""Seconds until the workers check again: their own setting rules from then on."""


def balance(
    context: typer.Context,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Ask the provider for the balance now.")
    ] = False,
    learned: Annotated[
        bool, typer.Option("--learned", help="Show what calls were learned to cost.")
    ] = False,
    relearn: Annotated[
        str,
        typer.Option(
            metavar="WHAT",
            help="Forget what was learned: all, a country or its type (JP, JP-mobile), a tariff.",
        ),
    ] = "",
    note: Note = "",
    json: AsJson = False,
) -> None:
    """Show the account's credit. How long it lasts, spending limits and holds."""
    if learned or relearn:
        _costs(connection.dispatcher(context).store, relearn, note, json=json)
        return
    store = None
    with suppress(connection.NoDispatcher):
        store = connection.dispatcher(context).store
    if store is None or check or store.budget.credit().balance is None:
        with connected(context) as provider:
            left = _check(provider, store, asked=check)
    if store is None:
        found: dict[str, Any] = {"balance": float(left), "holds": []}
        lines = [credit_forecast.in_credits(left)]
    else:
        found, lines = _known(store)
    _say(found, lines, json=json)


def _costs(store: Store, relearn: str, note: str, *, json: bool) -> None:
    """Forget what is asked for; show what is, or was, known of it."""
    if relearn:
        gone = store.budget.forget_costs(relearn, actor=actor(), note=note)
        words = f"forgotten: {', '.join(gone)}" if gone else f"nothing was learned of {relearn!r}"
        _say({"forgotten": gone}, [words], json=json)
    else:
        found = store.budget.learned()
        lines = list(map(_learned_words, found)) or ["nothing was learned yet"]
        _say([each.to_dict() for each in found], lines, json=json)


def _learned_words(known: Learned) -> str:
    usual = credit_forecast.in_credits(known.usual)
    checked = "no cost checked yet"
    if known.lowest is not None and known.highest is not None:
        low, high = credit_forecast.shown(known.lowest), credit_forecast.shown(known.highest)
        checked = f"checked: {low} to {high}"
    paid = f"{known.paid} of {known.ended} calls cost anything"
    return f"{known.tariff}: {usual} on the average, {paid}; {checked}"


def _say(found: Any, lines: list[str], *, json: bool) -> None:
    if json:
        output.as_json(mask_all(found))
    else:
        output.lines(map(mask_text, lines))


def _check(provider: Provider, store: Store | None, *, asked: bool) -> Decimal:
    if store is None:
        return provider.balance()
    left = BalanceCheck(store, provider, Slots(store.limiter), EVERY).check_now()
    if asked:
        store.audit.record(actor(), "balance.check", "account", credits=float(left))
    return left


def _known(store: Store) -> tuple[dict[str, Any], list[str]]:
    """Return what is known of the account, for programs and in words."""
    state = store.budget.credit()
    lines = [
        *credit_forecast.words(state, store.now()),
        *(
            f"Calls are held: {hold.why} (since {moments.stamp(hold.since)})"
            for hold in store.holds.all()
        ),
        *(in_words(limit) for limit in store.spending.limits()),
    ]
    return statistics.balance(store), lines
