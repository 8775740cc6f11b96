"""An urgent job behind a million bulk ones, and how soon a pause takes hold."""

from __future__ import annotations

import time
from collections.abc import Iterator
from signal import SIGCONT

from benchmarks.arrivals import Provider, provider
from benchmarks.checkout import HERE
from benchmarks.contestants import Contestant, stack
from benchmarks.figures import Column, Table, percentile
from benchmarks.stand import numbers
from dispatcher.client.dispatcher import Dispatcher
from dispatcher.store.holds import PauseScope

RATE = 10
QUIET = 2.0  # seconds without a request: nothing is dialled any more
BETWEEN = 0.37  # seconds: no multiple of the time between two slots
COLUMNS = (
    Column("waiting"),
    Column("p50", "s", ".2f"),
    Column("p99", "s", ".2f"),
    Column("longest", "s", ".2f"),
)


def run(*, quick: bool) -> Iterator[Table]:
    """Measure from enqueueing to the arrival at the provider, and from a pause to silence."""
    backlog, tries = (20_000, 30) if quick else (1_000_000, 200)
    with (
        provider() as asked,
        stack(HERE, asked, 8, DISPATCHER_RATE_LIMIT=str(RATE)) as side,
        side.turn(),
    ):
        dispatcher = Dispatcher.from_url(side.redis.url)
        dispatcher.call_many(
            {"recipient": number, "say": "x", "lang": "en", "priority": "bulk"}
            for number in numbers(backlog)
        ).collect()
        side.worker.send(SIGCONT)
        side.reached(asked, RATE)
        waits = _urgent(dispatcher, side, asked, list(numbers(tries, backlog)))
        silence = _pause(dispatcher, asked)
    table = Table(f"Urgent jobs behind bulk ones at {RATE}/s, {tries} tries", COLUMNS)
    table.add("urgent", backlog, *(percentile(waits, share) for share in (0.5, 0.99, 1)))
    table.notes.append(f"The last request goes out {silence:.2f} s after a pause.")
    yield table


def _urgent(
    dispatcher: Dispatcher, side: Contestant, asked: Provider, tries: list[str]
) -> list[float]:
    """Return how long each urgent job takes to be dialled, in seconds."""
    first, sent = asked.counts()[0], {}
    for number in tries:
        sent[number.removeprefix("+")] = time.monotonic()
        dispatcher.call(number, say="x", priority="urgent")
        time.sleep(BETWEEN)
    side.reached(asked, asked.counts()[0] + 2 * RATE)
    came = dict(asked.since(first))
    return [came[number] - moment for number, moment in sent.items()]


def _pause(dispatcher: Dispatcher, asked: Provider) -> float:
    dispatcher.store.holds.pause(PauseScope(), actor="bench")
    began = time.monotonic()
    seen, last = asked.counts()[0], began
    while time.monotonic() - last < QUIET:
        time.sleep(0.02)
        now = asked.counts()[0]
        if now != seen:
            seen, last = now, time.monotonic()
    return last - began
