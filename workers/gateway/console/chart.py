"""Ends per minute as bars, and as a table that says the same: pure functions."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from dispatcher.model.states import Reason, State
from dispatcher.store.statistics import Minute

WIDTH, HEIGHT, GAP = 600, 120, 2

NAMES = {
    "answered": "answered",
    "unanswered": "not answered",
    "failed": "failed or too late",
    "cancelled": "cancelled",
}
"""The series, from the bottom of a bar to its top: class in the style sheet -> what people read."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of the drawing, and the series that it belongs to."""

    series: str
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Row:
    """A minute of the table: how many of each series ended."""

    at: datetime
    many: dict[str, int]


@dataclass(frozen=True, slots=True)
class Chart:
    """The drawing, its table (minutes in which something ended), and its largest minute."""

    bars: tuple[Bar, ...]
    rows: tuple[Row, ...]
    totals: dict[str, int]
    most: int


def series(kind: str) -> str:
    """Return the series of an end such as `failed:no_answer`."""
    state, _, reason = kind.partition(":")
    if state == State.COMPLETED:
        return "answered"
    if state == State.CANCELLED:
        return "cancelled"
    return "unanswered" if reason == Reason.NO_ANSWER else "failed"


def chart(minutes: list[Minute]) -> Chart:
    """Return the minutes as a drawing of WIDTH by HEIGHT."""
    rows = [Row(minute.at, _many(minute)) for minute in minutes]
    most = max((sum(row.many.values()) for row in rows), default=0)
    totals = {name: sum(row.many[name] for row in rows) for name in NAMES}
    bars = tuple(
        bar for place, row in enumerate(rows) for bar in _stack(row, place, len(rows), most)
    )
    return Chart(bars, tuple(row for row in rows if any(row.many.values())), totals, most)


def _many(minute: Minute) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for kind, number in minute.outcomes.items():
        counted[series(kind)] += number
    return {name: counted[name] for name in NAMES}


def _stack(row: Row, place: int, places: int, most: int) -> list[Bar]:
    each, bottom, bars = WIDTH / places, float(HEIGHT), []
    for name, many in row.many.items():
        if many:
            height = HEIGHT * many / most
            bottom -= height
            bars.append(Bar(name, place * each + GAP / 2, bottom, each - GAP, height))
    return bars
