"""Jobs that ended, over time, as bars and as a table that says the same: pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dispatcher.model.states import Reason, State

WIDTH, HEIGHT, GAP = 600, 120, 2

NAMES = {
    "answered": "answered",
    "unanswered": "not answered",
    "failed": "failed or too late",
    "cancelled": "cancelled",
}
"""The series, from the bottom of a bar to its top: class in the style sheet -> what people read."""


class Bin(Protocol):
    """What ended within a stretch of time that began at `at`: `failed:no_answer` -> how many; None:
    that is not known.
    """

    @property
    def at(self) -> datetime: ...
    @property
    def outcomes(self) -> Mapping[str, int] | None: ...


@dataclass(frozen=True, slots=True)
class Stretch:
    """A bin of its own."""

    at: datetime
    outcomes: Mapping[str, int] | None


@dataclass(frozen=True, slots=True)
class Row:
    """A stretch in the table: how many of each series ended; None: that is not known."""

    at: datetime
    many: dict[str, int] | None


@dataclass(frozen=True, slots=True)
class Chart:
    """The drawing: for each series the path of its bars; its table, without stretches in which
    nothing ended; its largest stretch.
    """

    paths: dict[str, str]
    rows: tuple[Row, ...]
    totals: dict[str, int]
    most: int
    since: datetime | None

    @property
    def unknown(self) -> int:
        """Of how many stretches nothing is known."""
        return sum(row.many is None for row in self.rows)


def series(kind: str) -> str:
    """Return the series of an end such as `failed:no_answer`."""
    state, _, reason = kind.partition(":")
    if state == State.COMPLETED:
        return "answered"
    if state == State.CANCELLED:
        return "cancelled"
    return "unanswered" if reason == Reason.NO_ANSWER else "failed"


def chart(bins: Sequence[Bin]) -> Chart:
    """Return the bins as a drawing of WIDTH by HEIGHT."""
    rows = [Row(each.at, _many(each.outcomes)) for each in bins]
    most = max((sum(row.many.values()) for row in rows if row.many), default=0)
    totals = {name: sum((row.many or {}).get(name, 0) for row in rows) for name in NAMES}
    told = tuple(row for row in rows if row.many is None or any(row.many.values()))
    return Chart(_paths(rows, most), told, totals, most, rows[0].at if rows else None)


def folded(bins: Sequence[Bin], many: int) -> list[Stretch]:
    """Return so many bins as one, over and over; the last has what is left, from the end."""
    starts = range(len(bins) % many and len(bins) % many - many, len(bins), many)
    return [_together(bins[max(start, 0) : start + many]) for start in starts]


def _together(bins: Sequence[Bin]) -> Stretch:
    known = [each.outcomes for each in bins if each.outcomes is not None]
    total: Counter[str] = Counter()
    for outcomes in known:
        total.update(outcomes)
    return Stretch(bins[0].at, total if known else None)


def _many(outcomes: Mapping[str, int] | None) -> dict[str, int] | None:
    if outcomes is None:
        return None
    counted: Counter[str] = Counter()
    for kind, number in outcomes.items():
        counted[series(kind)] += number
    return {name: counted[name] for name in NAMES}


def _paths(rows: Sequence[Row], most: int) -> dict[str, str]:
    paths = dict.fromkeys(NAMES, "")
    for place, row in enumerate(rows):
        bottom, each = float(HEIGHT), WIDTH / len(rows)
        for name, many in (row.many or {}).items():
            if many:
                height = HEIGHT * many / most
                bottom -= height
                width = each - min(GAP, each / 4)
                paths[name] += (
                    f"M{place * each:.1f} {bottom:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z"
                )
    return {name: path for name, path in paths.items() if path}


def _bar(x: float, y: float, width: float, height: float) -> str:
    return f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z"
