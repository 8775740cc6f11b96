"""What looking after outstanding calls costs, with ever more of them."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from benchmarks.figures import Column, Table
from benchmarks.stand import numbers
from benchmarks.taking import NO_LIMIT, settle, taken
from dispatcher.model.account_config import AccountConfig
from dispatcher.model.call import CallRef, CallReport
from dispatcher.model.outcome import Outcome
from dispatcher.model.request import JobRequest
from dispatcher.policy import Policy, after_placing
from dispatcher.store import Store
from dispatcher.store.slots import Slots
from dispatcher.values.rate import Rate
from workers.devstack.embedded_server import EmbeddedServer
from workers.engine.check_call import CheckCall
from workers.engine.ticks import Reconcile

HOUR = 3_600_000.0
CHECKS = 300
POLICY = Policy()


class Clock:
    """Redis' clock, as far as the store asks: it stands still unless moved."""

    def __init__(self) -> None:
        self.ms = time.time() * 1000

    def __call__(self) -> float:
        return self.ms


class Provider:
    """Answers at once: what is measured is our own work."""

    outcome = Outcome.IN_PROGRESS

    def status(self, call: CallRef) -> CallReport:
        cost = Decimal(10)
        return CallReport(self.outcome, self.outcome.value, call.callids[0], cost, duration=5)


class Messenger:
    """Keeps what would be sent to the workers."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def check(self, ids: list[str]) -> int:
        self.ids += ids
        return len(ids)


COLUMNS = [
    Column(name, "ms", ".2f")
    for name in ("tick, nothing due", "tick, 100 due", "check, goes on", "check, over")
]


def run(*, quick: bool) -> Iterator[Table]:
    """Measure with 1,000, 10,000 and (in full) 100,000 outstanding calls."""
    table = Table("Looking after outstanding calls", COLUMNS)
    for outstanding in (1_000, 10_000) if quick else (1_000, 10_000, 100_000):
        table.add(f"{outstanding:,} outstanding", *measure(outstanding))
    yield table


def measure(outstanding: int) -> list[list[float]]:
    """Return ms of a tick that finds nothing, one that finds 100, and of a check of either kind."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedServer(Path(folder)) as server:
        clock = Clock()
        store = Store.from_url(server.url)
        store._connection._clock = clock  # noqa: SLF001 - calls come due by it
        fill(store, outstanding)
        store.limiter.publish(AccountConfig(rate=Rate(100), one_at_a_time=False, connections=1000))
        messenger, provider = Messenger(), Provider()
        told: Any = (messenger, provider)
        tick = Reconcile(store, told[0], 0.1)
        idle = [timed(tick) for _ in range(50)]
        clock.ms += HOUR
        full = [timed(tick) for _ in range(CHECKS // 100 + 3)]
        store.limiter.publish(AccountConfig(rate=None, one_at_a_time=False, connections=1000))
        check = CheckCall(store, told[1], POLICY, Slots(store.limiter))
        goes_on = [timed(lambda id_=id_: check(id_)) for id_ in messenger.ids[:CHECKS]]
        provider.outcome = Outcome.ANSWERED
        over = [timed(lambda id_=id_: check(id_)) for id_ in messenger.ids[:CHECKS]]
        store.server.close()
    return [[each * 1000 for each in times] for times in (idle, full, goes_on, over)]


def fill(store: Store, outstanding: int) -> None:
    """Place calls that nobody has reported on yet."""
    store.limiter.publish(NO_LIMIT)
    wanted = [JobRequest.of({"recipient": to, "say": "Hi"}) for to in numbers(outstanding)]
    for start in range(0, outstanding, 500):
        store.jobs.enqueue_many(wanted[start : start + 500])
    for claims in taken(store, outstanding):
        settle(store, claims, after_placing(CallRef(("",)), POLICY))


def timed(step: Any) -> float:
    """Return the seconds that a step takes."""
    began = time.perf_counter()
    step()
    return time.perf_counter() - began
