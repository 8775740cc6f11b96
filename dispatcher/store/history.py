"""What became of each hour, for five weeks: how jobs ended, and what was spent.

Operations count by the minute, for a day (lua/lib/counters.lua), and spending by the hour, for a
week (lua/lib/ledger.lua). Once an hour is over, its counts change no more: beat adds them up, and
whoever does it twice writes the same. The hours of the last day are exact whether beat runs or not.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from dispatcher.store.connection import Connection, Repository
from dispatcher.store.errors import plain_errors
from dispatcher.store.schema import HISTORY_WEEKS
from dispatcher.store.statistics import KEPT, Statistics
from dispatcher.values.tariffs import to_credits

HOUR = 3_600_000  # ms
WEEK = 168  # hours
COUNTED = int(KEPT.total_seconds()) // 3600
"""Hours before the present one whose counts by the minute are there for certain."""
HOURS_KEPT = HISTORY_WEEKS * WEEK


@dataclass(frozen=True, slots=True)
class Hour:
    """The hour that began at `at` (UTC): `failed:no_answer` -> how many jobs ended so, and the
    credits that were spent. None: not known, since nobody added it up in time.
    """

    at: datetime
    outcomes: Counter[str] | None
    spent: Decimal | None


class History(Repository):
    """The hours of the last HISTORY_WEEKS."""

    def __init__(self, connection: Connection, statistics: Statistics) -> None:
        super().__init__(connection)
        self._statistics = statistics

    def hours(self, many: int) -> list[Hour]:
        """Return the latest hours, the oldest first and last the one that runs."""
        now = self._hour()
        return self._read(range(now - many + 1, now + 1))

    def alike(self, ahead: int) -> list[list[Hour]]:
        """Return for the present hour, and so many that follow, the same hour of each week that is
        kept, the latest first.
        """
        now, weeks = self._hour(), range(1, HISTORY_WEEKS + 1)
        wanted = [hour - week * WEEK for hour in range(now, now + ahead + 1) for week in weeks]
        found = self._read(wanted)
        return [found[i : i + HISTORY_WEEKS] for i in range(0, len(found), HISTORY_WEEKS)]

    def keep(self) -> int:
        """Add up the hours that are over, and forget those that are too old; return how many were
        added up.
        """
        hours = self._missing()
        self._write(hours)
        return len(hours)

    # -- below -----------------------------------------------------------------------------

    def _hour(self) -> int:
        return int(self._now()) // HOUR

    def _read(self, hours: Sequence[int]) -> list[Hour]:
        kept = self._kept(hours)
        counted = self._counted(hour for hour in hours if hour not in kept)
        return [_hour(hour, kept.get(hour) or counted.get(hour)) for hour in hours]

    def _kept(self, hours: Sequence[int]) -> dict[int, Facts]:
        with plain_errors():
            texts: Any = self._redis.hmget(self._key("history"), list(map(str, hours)))
        return {
            hour: json.loads(text)
            for hour, text in zip(hours, texts, strict=True)
            if text is not None
        }

    def _counted(self, hours: Iterable[int]) -> dict[int, Facts]:
        """Return what operations counted, of hours that are not added up."""
        now = self._hour()
        lately = [hour for hour in hours if now - WEEK < hour <= now]
        if not lately:
            return {}
        with plain_errors():
            spent: Any = self._redis.hmget(self._key("hourly_spending"), list(map(str, lately)))
        facts = {h: {"spent": int(s)} for h, s in zip(lately, spent, strict=True) if s is not None}
        ended = self._statistics.ended_in([hour for hour in lately if now - hour <= COUNTED])
        return facts | {h: {"spent": 0, **facts.get(h, {}), "ended": n} for h, n in ended.items()}

    def _missing(self) -> dict[int, Facts]:
        now = self._hour()
        over = range(now - COUNTED, now)
        there = self._kept(over)
        return self._counted(hour for hour in over if hour not in there)

    def _write(self, hours: Mapping[int, Facts]) -> None:
        if not hours:
            return
        key, oldest = self._key("history"), self._hour() - HOURS_KEPT
        with plain_errors():
            self._redis.hset(key, mapping={str(h): _text(facts) for h, facts in hours.items()})
            known: Any = self._redis.hkeys(key)
            if old := [hour for hour in known if int(hour) < oldest]:
                self._redis.hdel(key, *old)


Facts = Mapping[str, Any]
"""`spent` (units), and `ended` (`failed:no_answer` -> how many) where that is known."""


def _text(facts: Facts) -> str:
    return json.dumps(facts, separators=(",", ":"))


def _hour(hour: int, facts: Facts | None) -> Hour:
    at = datetime.fromtimestamp(hour * 3600, UTC)
    if facts is None:
        return Hour(at, None, None)
    ended = facts.get("ended")
    return Hour(at, None if ended is None else Counter(ended), to_credits(facts["spent"]))
