"""How many jobs ended in each of the last minutes, and how; `tally` of _job.lua counts them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dispatcher.store.redis_url import plain_errors
from dispatcher.store.store import Store

KEPT = timedelta(hours=23)
"""How far back there are counts, at the least."""


@dataclass(frozen=True, slots=True)
class Minute:
    """What ended within the minute that began at `at` (UTC): `failed:no_answer` -> how many."""

    at: datetime
    ends: Counter[str]


def ends(store: Store, minutes: int = 60) -> list[Minute]:
    """Return the latest minutes, no more than KEPT, the oldest first and last the one that runs."""
    now = datetime.fromtimestamp(store.now() / 1000, UTC).replace(second=0, microsecond=0)
    moments = [now - timedelta(minutes=ago) for ago in range(minutes)][::-1]
    counted = _counts(store, sorted({_hour(at) for at in moments}))
    return [Minute(at, counted.get((_hour(at), at.minute), Counter())) for at in moments]


def _counts(store: Store, hours: list[int]) -> dict[tuple[int, int], Counter[str]]:
    with plain_errors():
        pipe = store.redis.pipeline(transaction=False)
        for hour in hours:
            pipe.hgetall(store.key("ended", str(hour)))
        answers: list[Any] = pipe.execute()
    counted: dict[tuple[int, int], Counter[str]] = {}
    for hour, fields in zip(hours, answers, strict=True):
        for name, number in fields.items():
            minute, _, kind = name.decode().partition(":")
            counted.setdefault((hour, int(minute)), Counter())[kind] += int(number)
    return counted


def _hour(at: datetime) -> int:
    return int(at.timestamp()) // 3600
