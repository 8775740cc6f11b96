"""`balance`: how the account's credit stands, and how long it lasts."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Annotated, Any

import typer

from dispatcher import statistics
from dispatcher.balance_check import BalanceCheck
from dispatcher.cli import connection, output
from dispatcher.cli.limit import in_words
from dispatcher.cli.output import AsJson
from dispatcher.cli.person import actor
from dispatcher.errors import DispatcherError
from dispatcher.model.job import iso_of
from dispatcher.policy import credit_forecast
from dispatcher.provider import Credentials, VoiceClient
from dispatcher.store import Store
from dispatcher.store.slots import Slots

Sid = Annotated[str | None, typer.Option(envvar="XOXZO_API_SID", help="The provider's API SID.")]
Token = Annotated[
    str | None,
    typer.Option(envvar="XOXZO_API_AUTH_TOKEN", help="Its token (better in the environment)."),
]
Host = Annotated[str, typer.Option(envvar="XOXZO_API_HOST", help="The provider's base URL.")]
HOST = "https://api.xoxzo.com"


class NoCredentials(DispatcherError):
    """Nobody said how to log in to the provider."""

    def __init__(self) -> None:
        super().__init__(
            "no provider credentials: set XOXZO_API_SID and XOXZO_API_AUTH_TOKEN,"
            " or run `voice-dispatcher up` with the sandbox in this directory"
        )


EVERY = 300.0
"""Seconds until the workers look again: their own setting rules from then on."""


def balance(
    context: typer.Context,
    *,
    look: Annotated[
        bool, typer.Option("--look", help="Ask the provider now; a gate that may open does.")
    ] = False,
    sid: Sid = None,
    token: Token = None,
    host: Host = HOST,
    json: AsJson = False,
) -> None:
    """Show the account's credit. How long it lasts, limits, and what holds calls back."""
    store = None
    with suppress(connection.NoDispatcher):
        store = connection.dispatcher(context).store
    if store is None or look or store.budget.credit().balance is None:
        with client(context, sid, token, host) as provider:
            left = _check(provider, store, asked=look)
    if store is None:
        found: dict[str, Any] = {"balance": float(left), "gates": []}
        lines = [f"{credit_forecast.shown(left)} credits"]
    else:
        found, lines = _known(store)
    if json:
        output.as_json(found)
    else:
        output.lines(lines)


def _check(provider: VoiceClient, store: Store | None, *, asked: bool) -> Decimal:
    if store is None:
        return provider.credits()
    left = BalanceCheck(store, provider, Slots(store.limiter), EVERY).check_now()
    if asked:
        store.audit.record(actor(), "balance.look", "account", credits=float(left))
    return left


def _known(store: Store) -> tuple[dict[str, Any], list[str]]:
    """Return what is known of the account, for programs and in words."""
    state = store.budget.credit()
    lines = [
        *credit_forecast.words(state, store.now()),
        *(f"Calls are held: {hold.why} (since {iso_of(hold.since)})" for hold in store.holds.all()),
        *(in_words(limit) for limit in store.spending.limits()),
    ]
    return statistics.balance(store), lines


def client(context: typer.Context, sid: str | None, token: str | None, host: str) -> VoiceClient:
    """Return a client with these credentials, or the running sandbox's. Raises NoCredentials."""
    if sid and token:
        return VoiceClient(Credentials(sid, token), host=host)
    running = connection.of(context).running
    if running is None or running.sandbox_url is None:
        raise NoCredentials
    from dispatcher.sandbox import SandboxOptions  # noqa: PLC0415 - an extra

    known = SandboxOptions()
    return VoiceClient(Credentials(known.sid, known.token), host=running.sandbox_url)
