"""Many jobs that are due at the same second among many that are not: how late they are dialled."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from signal import SIGCONT
from typing import Any

from benchmarks.arrivals import provider
from benchmarks.checkout import HERE
from benchmarks.contestants import stack
from benchmarks.figures import Column, Table
from benchmarks.stand import numbers
from dispatcher.client.dispatcher import Dispatcher

RATES = (50, 200)
SECONDS = 50
COLUMNS = (
    Column("scheduled"),
    Column("due at once"),
    Column("the first after", "ms"),
    Column("of the limit used", form=".1%"),
    Column("places out of order, at most"),
)


def run(*, quick: bool) -> Iterator[Table]:
    """Measure with a slow limit and a quick one."""
    table = Table("Dialled when they are due, by the provider's log", COLUMNS)
    for rate in RATES:
        due = rate * SECONDS // (10 if quick else 1)
        table.add(f"{rate}/s", *_measured(rate, due, 9 * due))
    yield table


def _measured(rate: int, due: int, later: int) -> tuple[float, ...]:
    with (
        provider() as asked,
        stack(HERE, asked, 8, DISPATCHER_RATE_LIMIT=str(rate)) as side,
        side.turn(),
    ):
        side.worker.send(SIGCONT)
        dispatcher = Dispatcher.from_url(side.redis.url)
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        dispatcher.call_many(_jobs(range(due, due + later), tomorrow)).collect()
        took = _first_of_a_kind(dispatcher, due)
        moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3 + int(took))
        dispatcher.call_many(_jobs(range(due), moment, timedelta(seconds=1) / due)).collect()
        starts = time.monotonic() + (moment - datetime.now(UTC)).total_seconds()
        assert starts > time.monotonic(), "they came in too slowly to be due together"
        side.reached(asked, due)
        came = asked.since(0)
    places = {number.removeprefix("+"): place for place, number in enumerate(numbers(due))}
    out_of_order = max(abs(places[number] - place) for place, (number, _) in enumerate(came))
    (_, first), (_, last) = came[0], came[-1]
    used = (due - 1) / (last - first) / rate
    return due + later, due, (first - starts) * 1000, used, out_of_order


def _first_of_a_kind(dispatcher: Dispatcher, due: int) -> float:
    """Return the seconds that so many jobs need to come in: some are enqueued to see."""
    some = range(10_000_000, 10_000_000 + max(100, due // 10))
    began = time.monotonic()
    dispatcher.call_many(_jobs(some, datetime.now(UTC) + timedelta(days=2))).collect()
    return (time.monotonic() - began) * due / len(some) * 2


def _jobs(
    which: range, moment: datetime, apart: timedelta = timedelta()
) -> Iterator[dict[str, Any]]:
    """Yield jobs that are due from a moment on, each a little after the one before."""
    for place, number in enumerate(numbers(len(which), which.start)):
        yield {"recipient": number, "say": "x", "lang": "en", "at": moment + place * apart}
