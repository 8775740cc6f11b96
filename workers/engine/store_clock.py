"""Redis' clock, as far as this process knows it: asked for now and then, not for each request.

The moments in callback URLs are Redis', and webhooks are signed with the time. The clock of this
machine may be an hour off.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

from dispatcher.errors import DispatcherError

FRESH = 10.0
"""Seconds for which what was learned serves: a step of Redis' clock is known after as long."""


class StoreClock:
    """`ask` returns Redis' clock in ms since the epoch, or raises DispatcherError."""

    def __init__(
        self, ask: Callable[[], float], steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask, self._steady = ask, steady
        self._asking = threading.Lock()
        self._asked_at = -FRESH
        self._ahead: float | None = None  # of the steady clock

    def now(self) -> float:
        """Return seconds since the epoch, by this machine's clock where Redis never answered.

        It asks, and blocks, where what is known is not `fresh`.
        """
        with self._asking:
            if not self.fresh:
                with suppress(DispatcherError):
                    self._ahead = self._ask() / 1000 - self._steady()
                self._asked_at = self._steady()
        return time.time() if self._ahead is None else self._steady() + self._ahead

    @property
    def fresh(self) -> bool:
        """Whether Redis need not be asked."""
        return self._steady() < self._asked_at + FRESH
