"""A moment at which nothing is the matter, to change one thing of."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from dispatcher.model.states import Priority
from dispatcher.problems.snapshot import Snapshot
from dispatcher.store.queue import Waits
from dispatcher.store.statistics import Minute
from dispatcher.store.values import Hold, Pace
from support.credits import NOW, account

NONE = dict.fromkeys(Priority, 0)
PACE = Pace(5.0, 5.0, 0, 0, 0.01, (), NONE, NONE)
NOBODY = Waits({}, {})


def pace(ready: int, **changes: Any) -> Pace:
    """Return a pace with so many jobs in line."""
    return replace(PACE, ready=NONE | {Priority.NORMAL: ready}, **changes)


def minute(**ends: int) -> Minute:
    """Return a minute of such ends: `failed__no_answer=3`."""
    at = datetime.fromtimestamp(NOW / 1000, UTC)
    return Minute(at, Counter({name.replace("__", ":"): n for name, n in ends.items()}))


def snapshot(**changes: Any) -> Snapshot:
    """Return the moment NOW, of which all is well but what is changed."""
    well = Snapshot(NOW, (), {}, PACE, account(), {}, NOBODY, [minute(completed=11)])
    return replace(well, **changes)


def hold(name: str, why: str = "because", required: float = 0, *, half_open: bool = False) -> Hold:
    """Return a hold that stands for a minute."""
    return Hold(name, NOW - 60_000, why, required, half_open)


def since(**moments: float) -> Waits:
    """Return that the longest waiting jobs stand in line since so many seconds before NOW, by
    priority; `scheduled`: that one is past its time.
    """
    at: dict[str, float | None] = {name: NOW - seconds * 1000 for name, seconds in moments.items()}
    waiting = {p: at[p] for p in Priority if p in at}
    return Waits(waiting, at)
