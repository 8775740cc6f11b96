"""Looks at the balance when it is time, and lets the store draw what follows."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from decimal import Decimal

from dispatcher.provider import (
    BadCredentials,
    Forbidden,
    Provider,
    ProviderError,
    Throttled,
)
from dispatcher.store import Store
from dispatcher.store.budget import CheckRight
from dispatcher.store.events import AccountEvent
from dispatcher.store.slots import Slots

log = logging.getLogger(__name__)

LEASE = 60.0
"""Seconds until somebody else looks, where whoever had the right to is lost."""


@dataclass(frozen=True)
class BalanceCheck:
    """Looks at the balance. `every` is in seconds, for as long as all is well."""

    store: Store
    provider: Provider
    limiter: Slots
    every: float

    def __call__(self) -> dict[str, str]:
        """Look, if it is time, by one process at a time; return what was found."""
        if not self.provider.capabilities.balance:
            return {}
        right = self.store.budget.take_check(lease=LEASE)
        return {} if right is None else self._check(right)

    def _check(self, right: CheckRight) -> dict[str, str]:
        try:
            balance, events = self._ask(right)
        except ProviderError as error:
            return {"failed": str(error)}
        return {"balance": f"{balance:f}", **{each.kind: _about(each) for each in events}}

    def check_now(self) -> Decimal:
        """Look at once, as a person asked for; return the balance. Raises ProviderError."""
        right = self.store.budget.take_check(lease=LEASE, now=True)
        return self._ask(right or CheckRight(0, 0))[0]

    def _ask(self, right: CheckRight) -> tuple[Decimal, list[AccountEvent]]:
        try:
            with self.limiter.slot(probe=True):
                balance = self.provider.balance()
        except ProviderError as error:
            self._failed(error)
            raise
        events = self.store.budget.note_balance(balance, right, self.every)
        self._log(events)
        return balance, events

    def _failed(self, error: ProviderError) -> None:
        # It starts no hold by itself: calls may work where the balance is not to be seen.
        if isinstance(error, Throttled):
            told = error.retry_after is not None
            self.store.limiter.throttle(error.retry_after or 1.0, told=told)
        refused = isinstance(error, BadCredentials | Forbidden)
        self._log(self.store.budget.check_failed(str(error), self.every, refused=refused))

    def _log(self, events: list[AccountEvent]) -> None:
        for each in events:
            level = logging.INFO if each.kind == "hold.ended" else logging.WARNING
            known = {name: value for name, value in each.facts.items() if name != "at"}
            facts = " ".join(f"{name}={json.dumps(value)}" for name, value in known.items())
            log.log(level, "%s %s", each.kind, facts)


def _about(event: AccountEvent) -> str:
    """Return what it is about: the hold, or the level."""
    return str(event.facts.get("hold", event.facts.get("level", "")))
