"""How many jobs stood in line in each of the latest minutes: whether the lines grow."""

from __future__ import annotations

from typing import Any

from dispatcher.store.connection import Repository
from dispatcher.store.errors import plain_errors
from dispatcher.store.schema import LINE_MINUTES

MINUTE = 60_000  # ms


class LineLengths(Repository):
    """What beat noted in the last LINE_MINUTES."""

    def note(self, jobs: int) -> None:
        """Note that so many jobs stand in line; the first of a minute counts."""
        minute, known = self._minute(), self._known()
        if minute in known:
            return
        key, old = (
            self._key("line_lengths"),
            [m for m in known if not 0 <= minute - m < LINE_MINUTES],
        )
        with plain_errors():
            self._redis.hset(key, str(minute), jobs)
            if old:
                self._redis.hdel(key, *map(str, old))

    def latest(self) -> list[int]:
        """Return how many stood in line in the latest minutes that follow each other without a
        hole, the oldest first; none where the last one is older than two minutes.
        """
        known, minute = self._known(), self._minute()
        minute = minute if minute in known else minute - 1
        lengths: list[int] = []
        while minute in known:
            lengths.insert(0, known[minute])
            minute -= 1
        return lengths

    def _known(self) -> dict[int, int]:
        with plain_errors():
            found: Any = self._redis.hgetall(self._key("line_lengths"))
        return {int(minute): int(jobs) for minute, jobs in found.items()}

    def _minute(self) -> int:
        return int(self._now()) // MINUTE
