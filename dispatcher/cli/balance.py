"""`balance`: how the account's credit stands, and how long it lasts."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Annotated, Any

import typer

from dispatcher.balance_check import BalanceCheck
from dispatcher.cli import connection, output
from dispatcher.cli.limit import in_words
from dispatcher.cli.output import AsJson
from dispatcher.cli.person import actor
from dispatcher.cli.provider import connected
from dispatcher.model.job import iso_of
from dispatcher.policy import credit_forecast as outlook
from dispatcher.provider import Provider
from dispatcher.store import Store, audit, statistics
from dispatcher.store.credit import account
from dispatcher.store.slots import Limiter
from dispatcher.store.spending_limits import limits

EVERY = 300.0
"""Seconds until the workers look again: their own setting rules from then on."""


def balance(
    context: typer.Context,
    *,
    look: Annotated[
        bool, typer.Option("--look", help="Ask the provider now; a gate that may open does.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Show the account's credit. How long it lasts, limits, and what holds calls back."""
    store = None
    with suppress(connection.NoDispatcher):
        store = connection.dispatcher(context).store
    if store is None or look or account(store).balance is None:
        with connected(context) as provider:
            left = _look(provider, store, asked=look)
    if store is None:
        found: dict[str, Any] = {"balance": float(left), "gates": []}
        lines = [f"{outlook.shown(left)} credits"]
    else:
        found, lines = _known(store)
    if json:
        output.as_json(found)
    else:
        output.lines(lines)


def _look(provider: Provider, store: Store | None, *, asked: bool) -> Decimal:
    if store is None:
        return provider.balance()
    left = BalanceCheck(store, provider, Limiter(store), EVERY).look_now()
    if asked:
        audit.record(store, actor(), "balance.look", "account", credits=float(left))
    return left


def _known(store: Store) -> tuple[dict[str, Any], list[str]]:
    """Return what is known of the account, for programs and in words."""
    state = account(store)
    lines = [
        *outlook.words(state, store.now()),
        *(f"Calls are held: {gate.why} (since {iso_of(gate.since)})" for gate in store.gates()),
        *(in_words(limit) for limit in limits(store)),
    ]
    return statistics.balance(store), lines
