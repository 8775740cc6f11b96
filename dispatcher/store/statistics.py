"""Numbers: what is counted for good, what ended within the last minutes, what waits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dispatcher.model.states import Priority
from dispatcher.store.connection import Repository
from dispatcher.store.errors import plain_errors

KEPT = timedelta(hours=23)
"""How far back there are outcome counts, at the least."""


@dataclass(frozen=True, slots=True)
class Minute:
    """What ended within the minute that began at `at` (UTC): `failed:no_answer` -> how many."""

    at: datetime
    outcomes: Counter[str]


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits to be dialled.

    `behind` counts the held jobs by hold; `oldest` is the earliest due time of all that are
    held or stand in line (ms since the epoch), None where nobody waits.
    """

    behind: dict[str, int]
    oldest: float | None


class Statistics(Repository):
    """The numbers of the account."""

    def counters(self) -> dict[str, int]:
        """Return what is counted for good, such as `second_calls`; what never happened is 0."""
        with plain_errors():
            found: dict[bytes, bytes] = self._redis.hgetall(self._key("counters"))  # type: ignore[assignment]
        return {"second_calls": 0} | {name.decode(): int(n) for name, n in found.items()}

    def outcome_counts(self, minutes: int = 60) -> list[Minute]:
        """Return the latest minutes, no more than KEPT, the oldest first and last the one that
        runs; lua/lib/counters.lua counts them.
        """
        now = datetime.fromtimestamp(self._now() / 1000, UTC).replace(second=0, microsecond=0)
        moments = [now - timedelta(minutes=ago) for ago in range(minutes)][::-1]
        counted = self._counted(sorted({_hour(at) for at in moments}))
        return [Minute(at, counted.get((_hour(at), at.minute), Counter())) for at in moments]

    def ended_in(self, hours: list[int]) -> dict[int, Counter[str]]:
        """Return what ended in each of these hours since the epoch, no older than KEPT."""
        ended = {hour: Counter[str]() for hour in hours}
        for (hour, _), outcomes in self._counted(hours).items():
            ended[hour] += outcomes
        return ended

    def _counted(self, hours: list[int]) -> dict[tuple[int, int], Counter[str]]:
        with plain_errors():
            pipe = self._pipeline()
            for hour in hours:
                pipe.hgetall(self._key("outcomes", str(hour)))
            answers: list[Any] = pipe.execute()
        counted: dict[tuple[int, int], Counter[str]] = {}
        for hour, fields in zip(hours, answers, strict=True):
            for name, number in fields.items():
                minute, _, kind = name.decode().partition(":")
                counted.setdefault((hour, int(minute)), Counter())[kind] += int(number)
        return counted

    def backlog(self) -> Backlog:
        """Return what waits; reads the ends of the lines, however long they are."""
        holds, lines = self._fronts()
        held = [
            (hold, self._key("held", hold, priority)) for hold in holds for priority in Priority
        ]
        ready = [
            self._key("ready", priority, line.decode())
            for priority, names in zip(Priority, lines, strict=True)
            for line in names
        ]
        sizes, firsts = self._sizes_and_firsts([key for _, key in held], ready)
        behind: Counter[str] = Counter()
        for (hold, _), size in zip(held, sizes, strict=True):
            behind[hold] += size
        sized = {hold: size for hold, size in behind.items() if size}
        return Backlog(sized, min(firsts, default=None))

    def _fronts(self) -> tuple[list[str], list[list[bytes]]]:
        """Return the holds, and the lines by priority."""
        with plain_errors():
            pipe = self._pipeline()
            pipe.smembers(self._key("holds_used"))
            for priority in Priority:
                pipe.zrange(self._key("lines", priority), 0, -1)
            holds, *lines = pipe.execute()
        return sorted(name.decode() for name in holds), lines

    def _sizes_and_firsts(self, held: list[str], ready: list[str]) -> tuple[list[int], list[float]]:
        """Return the sizes of the held lines, and the first due time of each line that has one."""
        with plain_errors():
            pipe = self._pipeline()
            for key in held:
                pipe.zcard(key)
            for key in (*held, *ready):
                pipe.zrange(key, 0, 0, withscores=True)
            answers: list[Any] = pipe.execute()
        return answers[: len(held)], [found[0][1] for found in answers[len(held) :] if found]


def _hour(at: datetime) -> int:
    return int(at.timestamp()) // 3600
