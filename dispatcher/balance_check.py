"""Looks at the balance when it is time, and lets the store draw what follows."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from decimal import Decimal

from dispatcher.provider import (
    BadCredentials,
    Forbidden,
    ProviderError,
    Throttled,
    VoiceClient,
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
    provider: VoiceClient
    limiter: Slots
    every: float

    def __call__(self) -> dict[str, str]:
        """Look, if it is time, by one process at a time; return what was found."""
        look = self.store.budget.take_check(lease=LEASE)
        return {} if look is None else self._look(look)

    def _look(self, look: CheckRight) -> dict[str, str]:
        try:
            balance, told = self._ask(look)
        except ProviderError as error:
            return {"failed": str(error)}
        return {"balance": f"{balance:f}", **{each.kind: _of(each) for each in told}}

    def look_now(self) -> Decimal:
        """Look at once, as a person asked for; return the balance. Raises ProviderError."""
        look = self.store.budget.take_check(lease=LEASE, now=True)
        return self._ask(look or CheckRight(0, 0))[0]

    def _ask(self, look: CheckRight) -> tuple[Decimal, list[AccountEvent]]:
        try:
            with self.limiter.slot(probe=True):
                balance = self.provider.credits()
        except ProviderError as error:
            self._failed(error)
            raise
        told = self.store.budget.note_balance(balance, look, self.every)
        self._log(told)
        return balance, told

    def _failed(self, error: ProviderError) -> None:
        # It closes no gate by itself: calls may work where the balance is not to be seen.
        if isinstance(error, Throttled):
            self.store.limiter.throttle(error.retry_after or 1.0)
        refused = isinstance(error, BadCredentials | Forbidden)
        self._log(self.store.budget.check_failed(str(error), self.every, refused=refused))

    def _log(self, told: list[AccountEvent]) -> None:
        for each in told:
            level = logging.INFO if each.kind == "gate.opened" else logging.WARNING
            known = {name: value for name, value in each.facts.items() if name != "at"}
            facts = " ".join(f"{name}={json.dumps(value)}" for name, value in known.items())
            log.log(level, "%s %s", each.kind, facts)


def _of(told: AccountEvent) -> str:
    """Return what it is about: the gate, or the level."""
    return str(told.facts.get("gate", told.facts.get("level", "")))
