"""Sees that Redis' clock stepped, by a clock that nobody sets, and has what follows done."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from dispatcher.store import Store
from dispatcher.store.events import AccountEvent
from dispatcher.values.steady_clock import since_boot

log = logging.getLogger(__name__)

LEAST = 1.0
"""Seconds ahead of our own clock that are a step; lib/clock.lua has the same for a step back. What
an answer takes on its way counts as time that passed, so that a slow one is no step."""


class ClockWatch:
    """Looks at Redis' clock each time that it is called. A process that has just started knows no
    jump ahead from before.
    """

    def __init__(self, store: Store, steady: Callable[[], float] = since_boot) -> None:
        self._store, self._steady = store, steady
        self._lock = threading.Lock()
        self._seen: tuple[float, float] | None = None  # Redis' clock (ms), and ours just before

    def __call__(self) -> list[AccountEvent]:
        """Look once; return the steps that were told of now. Raises StoreUnavailable."""
        with self._lock:
            before = self._steady()
            now = self._store.now()
            since, ahead = self._compare(now, self._steady())
            self._seen = now, before
            told = self._store.clock.follow(ahead, since)
        for event in told:
            log.warning("Redis' clock stepped by %+.1f s", event.facts["by"] / 1000)
        return told

    def _compare(self, now: float, after: float) -> tuple[float, float | None]:
        """Return when it looked last, and by how many seconds the clock jumped ahead since then."""
        if self._seen is None:
            return 0, None
        since, before = self._seen
        ahead = (now - since) / 1000 - (after - before)
        return since, ahead if ahead >= LEAST else None
