"""Failed log-ins, counted by where they come from: after a few, nobody there gets in for a while.

Nobody guesses a key of 256 bits; what this stops is the noise, and the work that it makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dispatcher.store import Store
from dispatcher.store.redis_url import plain_errors

MOST = 10
WITHIN = 60  # seconds


@dataclass(frozen=True)
class Attempts:
    """Operations raise StoreUnavailable."""

    store: Store

    def wait(self, address: str) -> float:
        """Return in how many seconds somebody may try from there again; 0: now."""
        name = self._name(address)
        with plain_errors():
            pipe = self.store.redis.pipeline(transaction=True)
            pipe.get(name)
            pipe.pttl(name)
            found: list[Any] = pipe.execute()
        failed, left = int(found[0] or 0), int(found[1])
        return max(left, 1) / 1000 if failed >= MOST else 0

    def failed(self, address: str) -> None:
        """Count one that was not let in."""
        name = self._name(address)
        with plain_errors():
            pipe = self.store.redis.pipeline(transaction=True)
            pipe.set(name, 0, ex=WITHIN, nx=True)
            pipe.incr(name)
            pipe.execute()

    def _name(self, address: str) -> str:
        return self.store.key("console", "failed", address[:64])
