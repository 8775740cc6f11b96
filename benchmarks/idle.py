"""On an idle system: from enqueueing to the arrival at the provider, beside the bare task."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from signal import SIGCONT

from benchmarks.arrivals import provider
from benchmarks.checkout import HERE
from benchmarks.contestants import bare_task, stack
from benchmarks.figures import Column, Table, percentile
from benchmarks.stand import numbers
from dispatcher.client.dispatcher import Dispatcher

BARE, OURS = "bare task", "dispatcher"
PAUSE = 0.03  # seconds: long enough for the one before to be over
FIRST = 20  # they open connections
COLUMNS = (Column("p50", "ms", ".1f"), Column("p99", "ms", ".1f"))
Send = Callable[[str], object]


def run(*, quick: bool) -> Iterator[Table]:
    """Measure both by turns, the whole stack being up."""
    count = 100 if quick else 500
    with provider() as asked, bare_task("celery", asked, 8) as bare, stack(HERE, asked, 8) as ours:
        os.environ.update(bare.environment)
        call: Send = import_module("benchmarks.peers.celery_task").send
        dispatcher = Dispatcher.from_url(ours.redis.url)
        ways: dict[str, Send] = {
            BARE: lambda to: call(to, "x"),  # type: ignore[call-arg]
            OURS: lambda to: dispatcher.call(to, say="x"),
        }
        with bare.turn(), ours.turn():
            bare.worker.send(SIGCONT)
            ours.worker.send(SIGCONT)
            sent = _send(ways, count + FIRST)
            asked_for = ours.reached(asked, 2 * (count + FIRST)).calls
            came = dict(asked.since(0))
    assert asked_for == len(came)
    table = Table(f"From enqueueing to the arrival at the provider, {count} each by turns", COLUMNS)
    for way, moments in sent.items():
        waits = [(came[number] - moment) * 1000 for number, moment in moments[FIRST:]]
        table.add(way, percentile(waits, 0.5), percentile(waits, 0.99))
    p50, p99 = (table.ratio(OURS, BARE, column.name) for column in COLUMNS)
    table.notes.append(f"{p50:.2f} times the bare task's p50, {p99:.2f} times its p99.")
    yield table


def _send(ways: dict[str, Send], count: int) -> dict[str, list[tuple[str, float]]]:
    """Send by turns; return number and moment of each."""
    sent: dict[str, list[tuple[str, float]]] = {way: [] for way in ways}
    turns = list(ways) * count
    for way, number in zip(turns, numbers(len(turns)), strict=True):
        sent[way].append((number.removeprefix("+"), time.monotonic()))
        ways[way](number)
        time.sleep(PAUSE)
    return sent
