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

    def behind(self) -> dict[str, int]:
        """Return how many jobs each hold keeps, by its name."""
        with plain_errors():
            names = sorted(name.decode() for name in self._redis.smembers(self._key("holds_used")))  # type: ignore[union-attr]
            pipe = self._pipeline()
            held = [(name, priority) for name in names for priority in Priority]
            for name, priority in held:
                pipe.zcard(self._key("held", name, priority))
            sizes: list[int] = pipe.execute()
        behind: Counter[str] = Counter()
        for (name, _), size in zip(held, sizes, strict=True):
            behind[name] += size
        return {name: size for name, size in behind.items() if size}


def _hour(at: datetime) -> int:
    return int(at.timestamp()) // 3600
