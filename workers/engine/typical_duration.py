"""When calls are usually over: asked for at every dial, it changes slowly."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable

REMEMBERED = 10.0  # seconds


def never(_kind: str) -> float | None:
    """Know nothing: where reports come by themselves, looks only back them and need not be soon."""
    return None


@dataclass(frozen=True)
class TypicalDuration:
    """Answers in how many seconds most calls of a kind are over, None where that is not known."""

    store: Store
    clock: Callable[[], float] = time.monotonic
    _seen: dict[str, tuple[float, float | None]] = field(default_factory=dict)

    def __call__(self, kind: str) -> float | None:
        """Return what is known; while Redis is away, what was known before."""
        at, known = self._seen.get(kind, (float("-inf"), None))
        if self.clock() - at < REMEMBERED:
            return known
        with suppress(StoreUnavailable):
            known = self.store.calls.typical_duration(kind)
        self._seen[kind] = (self.clock(), known)
        return known
