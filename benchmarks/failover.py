"""The master of Redis lost in the middle of the work: who was called, by the provider's books.

The stack and its faults are those of the tests (tests/support). Then what the replicas cost: the
round trip of a claim, with and without waiting for one, by turns.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import quantiles

from benchmarks.figures import Column, Table
from benchmarks.taking import NO_LIMIT, settle, take

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from dispatcher.model.call import CallRef
from dispatcher.model.request import JobRequest
from dispatcher.policy import DEFAULTS, after_placing
from dispatcher.store import Store
from dispatcher.store.redis_url import connect
from support.failover import Failover, Tally, failover
from support.standby import standby

ENDS_WITHIN = 60.0
FAULTS: dict[str, Callable[[Failover], None]] = {
    "master killed": lambda stack: stack.kill_master(0),
    "master killed, replica 1 s behind": lambda stack: stack.kill_master(1),
    "master killed, replica 3 s behind": lambda stack: stack.kill_master(3),
    "planned (SENTINEL FAILOVER)": lambda stack: stack.plan(),
    "master frozen, and back": lambda stack: stack.freeze_master(),
}
QUICK = ("master killed, replica 3 s behind", "planned (SENTINEL FAILOVER)")


COLUMNS = (
    Column("accepted"),
    Column("called twice"),
    Column("no call"),
    Column("lost"),
    Column("open"),
    Column("took", "s"),
)


def run(*, quick: bool) -> Iterator[Table]:
    """Play each fault with DISPATCHER_REDIS_REPLICAS=0 and 1; then measure claims."""
    jobs = 100 if quick else 250
    about = f"{jobs} jobs, and more while it happens; two workers, 60 calls a second"
    table = Table(about, COLUMNS)
    for name, fault in FAULTS.items():
        for replicas in (0, 1):
            if name in QUICK or not quick:
                table.add(f"{name}; {replicas} replicas", *_played(jobs, fault, replicas))
    yield table
    yield _claims(400 if quick else 2000)


def _played(jobs: int, fault: Callable[[Failover], None], replicas: int) -> list[float]:
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="failover-") as folder,
        failover(Path(folder), DISPATCHER_REDIS_REPLICAS=str(replicas)) as stack,
    ):
        stack.enqueue(jobs)
        stack.wait_for_calls(jobs // 5)
        with stack.producing():
            fault(stack)
            stack.wait_for_failover()
            stack.wait_for_replica()
            time.sleep(2)
        return [*_figures(stack.tally(ENDS_WITHIN)), time.monotonic() - began]


def _figures(found: Tally) -> list[float]:
    return [found.accepted, found.twice, found.without, found.lost, found.open]


def _claims(many: int) -> Table:
    """Measure the round trip of a claim on the master alone and on a replica too, by turns."""
    with (
        tempfile.TemporaryDirectory(prefix="failover-") as folder,
        standby(Path(folder), {"appendonly": "yes"}) as pair,
        connect(pair.master.url) as client,
    ):
        store = Store(client)
        store.limiter.publish(NO_LIMIT)
        times: dict[int, list[float]] = {0: [], 1: []}
        for number in range(many):
            times[number % 2].append(_claim(store, number, replicas=number % 2))
    columns = (Column("p50", "ms", ".2f"), Column("p99", "ms", ".2f"))
    table = Table(f"Round trip of {many:,} claims, one after another, by turns", columns)
    for replicas, name in enumerate(("master alone", "on a replica too")):
        table.add(name, *(each * 1000 for each in _percentiles(times[replicas])))
    p50, p99 = (table.ratio("on a replica too", "master alone", each.name) for each in columns)
    table.notes.append(f"On a replica too: {p50:.2f} times the p50, {p99:.2f} times the p99.")
    return table


def _claim(store: Store, number: int, *, replicas: int) -> float:
    """Return how many seconds the claim of a new job took."""
    request = JobRequest.of({"recipient": f"+8180{number:08d}", "say": "Hi"})
    store.jobs.enqueue(request)
    began = time.perf_counter()
    claims = take(store, 1, replicas=replicas)
    took = time.perf_counter() - began
    settle(store, claims, after_placing(CallRef(("",)), DEFAULTS))
    return took


def _percentiles(times: list[float]) -> tuple[float, float]:
    cut = quantiles(times, n=100)
    return cut[49], cut[98]
