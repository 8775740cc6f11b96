"""How much of the rate is used now: pure functions of where the limiter stands."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.store import Store
from dispatcher.store.values import Pace
from dispatcher.values.rate import Rate


@dataclass(frozen=True, slots=True)
class PaceNow:
    """What goes out now against what may; `share` is from 0 to 1, None where nothing limits it."""

    words: str
    share: float | None


def pace_now(pace: Pace, store: Store) -> PaceNow:
    """Return how much of the rate is used now. Raises StoreUnavailable."""
    if pace.rate is None or pace.working_rate is None:
        return PaceNow("no limit", None)
    limit, working = Rate(pace.rate, pace.period), Rate(pace.working_rate, pace.period)
    slowed = f" (slowed from {limit})" if working != limit else ""
    most = max(1, int(working.per_second))
    share = store.limiter.recent_requests(working.per_second) / most
    recent = Rate(share * working.per_second)
    now = f"{recent if recent.per_second else '0/s'} now, at most {working}{slowed}"
    return PaceNow(now, min(1.0, share))
