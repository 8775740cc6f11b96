"""Redis' clock, by which everything goes: what is done where it steps."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.store.connection import Repository, milliseconds
from dispatcher.store.errors import plain_errors
from dispatcher.store.events import AccountEvent, caused
from dispatcher.store.schema import Clock
from dispatcher.store.webhooks import LEASE

AT_ONCE = 500
"""Moved in one atomic step: a few milliseconds of Redis' time."""
MOST_STEPS = 1000
"""Atomic steps until others have their turn; what is left goes on with the next look."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the clock: by how many seconds (negative: back), and how many seconds ago."""

    by: float
    ago: float


class RedisClock(Repository):
    """What Redis' clock did."""

    def last_step(self) -> Step | None:
        """Return the latest step; None: there was none."""
        with plain_errors():
            found: list[bytes | None] = self._redis.hmget(  # type: ignore[assignment]
                self._key("clock"), [Clock.STEPPED, Clock.BY]
            )
        at, by = found
        return Step(float(by) / 1000, (self._now() - float(at)) / 1000) if at and by else None

    def follow(self, ahead: float | None = None, since: float = 0) -> list[AccountEvent]:
        """Notice a step of the clock, and move what then stands at a wrong moment; return the
        account events of it.

        That it went back shows by what was written. That it jumped ahead by so many seconds only
        the caller knows, who looked at the moment `since` (ms since the epoch) last.
        """
        told: list[AccountEvent] = []
        reckoning = self._connection.reckoning
        for _ in range(MOST_STEPS):
            left, reading, *flat = self._run(
                "follow_clock",
                most=AT_ONCE,
                lease=milliseconds(LEASE),
                ahead=None if ahead is None else milliseconds(ahead),
                since=round(since),
                **reckoning.arguments(),
            )
            reckoning.tell(reading)
            told += caused(flat)
            if not left:
                break
        return told
