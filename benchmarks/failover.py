"""The master of Redis lost in the middle of the work: who was called, by the provider's books.

The stack and its faults are those of the tests (tests/support). Then what the replicas cost: the
round trip of a claim, with and without waiting for one, by turns.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import quantiles

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from dispatcher.model.account_config import AccountConfig
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


def run(*, quick: bool) -> None:
    """Play each fault with DISPATCHER_REDIS_REPLICAS=0 and 1; then measure claims."""
    jobs = 100 if quick else 250
    table = Table(title=f"{jobs} jobs, and more while it happens; two workers, 60 calls a second")
    for column in ("", "replicas", "accepted", "called twice", "no call", "lost", "open", "s"):
        table.add_column(column, justify="left" if not column else "right")
    for name, fault in FAULTS.items():
        for replicas in (0, 1):
            if name in QUICK or not quick:
                table.add_row(name, str(replicas), *_played(jobs, fault, replicas))
    Console(width=140).print(table)
    _claims(400 if quick else 2000)


def _played(jobs: int, fault: Callable[[Failover], None], replicas: int) -> list[str]:
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
        return [*_figures(stack.tally(ENDS_WITHIN)), f"{time.monotonic() - began:.0f}"]


def _figures(found: Tally) -> list[str]:
    return [
        str(each) for each in (found.accepted, found.twice, found.without, found.lost, found.open)
    ]


def _claims(many: int) -> None:
    """Print the round trip of a claim on the master alone and on a replica too, by turns."""
    with (
        tempfile.TemporaryDirectory(prefix="failover-") as folder,
        standby(Path(folder), {"appendonly": "yes"}) as pair,
        connect(pair.master.url) as client,
    ):
        store = Store(client)
        store.limiter.publish(AccountConfig(connections=1000))
        times: dict[int, list[float]] = {0: [], 1: []}
        for number in range(many):
            times[number % 2].append(_claim(store, number, replicas=number % 2))
    table = Table(title=f"round trip of {many:,} claims, one after another, by turns")
    for column in ("", "p50", "p99"):
        table.add_column(column, justify="left" if not column else "right")
    rows = [_percentiles(times[replicas]) for replicas in (0, 1)]
    for name, row in zip(("master alone", "on a replica too"), rows, strict=True):
        table.add_row(name, *(f"{each * 1000:.2f} ms" for each in row))
    table.add_row("ratio", *(f"{with_ / alone:.2f}" for alone, with_ in zip(*rows, strict=True)))
    Console(width=140).print(table)


def _claim(store: Store, number: int, *, replicas: int) -> float:
    """Return how many seconds the claim of a new job took."""
    request = JobRequest.of({"recipient": f"+8180{number:08d}", "say": "Hi"})
    job = store.jobs.enqueue(request).id
    began = time.perf_counter()
    store.queue.claim(job, token="t", lease=30, replicas=replicas)
    took = time.perf_counter() - began
    store.calls.settle(job, 1, after_placing(CallRef((job,)), DEFAULTS))
    return took


def _percentiles(times: list[float]) -> tuple[float, float]:
    cut = quantiles(times, n=100)
    return cut[49], cut[98]
