"""What the shell's completion offers that only Redis knows: campaigns, alerts, chains, rotas.

Whoever presses the tabulator key waits for it: where Redis does not answer soon, there is nothing
to offer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

import typer

from dispatcher.values.masking import mask_text

if TYPE_CHECKING:
    from dispatcher.model.on_call import OnCall
    from dispatcher.store import Store

WITHIN = 5.0
"""Seconds that are waited for Redis, of which a busy machine needs some to load its client."""
MOST = 100
"""The most that is offered, the latest first."""


def campaigns(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names of campaigns."""
    return _asked(ctx, incomplete, lambda store: (each.name for each in store.campaigns.all()))


def alerts(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the ids of alerts that nobody has yet."""
    from dispatcher.model.alert import AlertState  # noqa: PLC0415 - completion must be quick

    states = [AlertState.RINGING, AlertState.UNREACHED]
    return _asked(
        ctx,
        incomplete,
        lambda store: (each.id for each in store.alerts.page(states=states, limit=MOST).alerts),
    )


def chains(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names of chains."""
    return _asked(ctx, incomplete, lambda store: _on_call(store).chains)


def rotas(ctx: typer.Context, incomplete: str) -> list[str]:
    """Return the names of rotas."""
    return _asked(ctx, incomplete, lambda store: _on_call(store).rotas)


def _on_call(store: Store) -> OnCall:
    found = store.on_call.in_force()
    if found is None:
        raise LookupError("nobody said who is on call")
    return found


def _asked(
    ctx: typer.Context, incomplete: str, look: Callable[[Store], Iterable[str]]
) -> list[str]:
    """Return what begins so; nothing where it cannot be had soon, or at all."""
    found: list[str] = []

    def ask() -> None:
        from dispatcher.cli.connection import Connection  # noqa: PLC0415 - it loads much
        from dispatcher.store import Store  # noqa: PLC0415

        said = ctx.find_root().params
        at = Connection(said.get("redis_url"), said.get("broker_url"), said.get("namespace"))
        with suppress(Exception):  # whatever it is: a shell that completes wants to hear no errors
            store = Store.from_url(at.url(), namespace=at.namespace)
            found.extend(islice(look(store), MOST))

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(WITHIN)
    return [each for each in found if each.startswith(incomplete) and mask_text(each) == each]
