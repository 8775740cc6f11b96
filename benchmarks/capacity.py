"""How much of what is needed for so many calls: worked out of the figures of `life`.

What a machine is too small to show is simulated: many workers that share one Redis.
"""

from __future__ import annotations

import heapq
import json
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Column, Table
from benchmarks.results import FOLDER, REFERENCE

PLANNED = 0.6  # of a core: what is planned for, so that a burst and a failover find room
ANSWER = 0.3  # seconds: what the provider takes to answer a request for a call
RATES = (10, 100, 1_000)
MONTHLY = (10**6, 10**7, 10**8, 10**9)
HOURS = 10  # of the day in which people are called
DAYS = 30
PEAK = 3.0  # times the average of these hours
RETENTIONS = {"7 days": 7, "30 days": 30}
PER_NODE = 25 * 2**30  # bytes of jobs in one Redis: what is quickly loaded, copied and kept twice
WORKERS = (1, 2, 4, 8, 16, 32)
SIMULATED = 20_000  # jobs
BATCH = 25  # jobs of one visit to Redis


@dataclass(frozen=True)
class Costs:
    """What one job takes: microseconds of processor time, and bytes."""

    worker: float
    gateway: float
    redis: float
    memory: float

    @classmethod
    def read(cls, folder: Path) -> Costs:
        """Read them from a file of `life`."""
        tables = json.loads((folder / "life.json").read_text())["tables"]
        row: dict[str, Any] = tables[0]["rows"]["now"]
        parts = ("worker's processor", "gateway's processor", "Redis' processor", "memory")
        return cls(*(float(row[part]["value"]) for part in parts))


def run(*, quick: bool) -> Iterator[Table]:
    """Work it out of what this machine measured, or else of the reference."""
    folder = FOLDER if (FOLDER / "life.json").exists() else REFERENCE
    yield from tables(Costs.read(folder), SIMULATED // 10 if quick else SIMULATED)


def tables(costs: Costs, simulated: int = SIMULATED) -> Iterator[Table]:
    """Give all of the tables."""
    yield what_one_carries(costs)
    yield for_rates(costs)
    yield for_months(costs)
    yield with_many_workers(costs, simulated)


def what_one_carries(costs: Costs) -> Table:
    """Say what a core of each carries, of whole lives of jobs."""
    columns = (
        Column("processor", "µs/job"),
        Column("at most", "/s"),
        Column(f"planned ({PLANNED:.0%})", "/s"),
    )
    table = Table(
        "What one core carries, of calls from enqueueing to their end by callback", columns
    )
    each = {"worker": costs.worker, "gateway": costs.gateway, "Redis": costs.redis}
    for what, taken in each.items():
        table.add(what, taken, 1e6 / taken, PLANNED * 1e6 / taken)
    return table


def for_rates(costs: Costs) -> Table:
    """Say how many of each a rate needs."""
    columns = (
        Column("workers"),
        Column("threads, in all"),
        Column("gateways"),
        Column("Redis", "of a core", ".0%"),
        Column("namespaces"),
    )
    about = f"For calls a second, where the provider answers within {ANSWER} s"
    table = Table(about, columns)
    for rate in RATES:
        redis = rate * costs.redis / 1e6
        table.add(
            f"{rate:,}/s",
            max(2, cores(rate * costs.worker)),
            max(2, math.ceil(rate * ANSWER / PLANNED)),
            max(2, cores(rate * costs.gateway)),
            redis,
            math.ceil(redis / PLANNED),
        )
    return table


def for_months(costs: Costs) -> Table:
    """Say what so many jobs a month come to, by rate and by memory."""
    columns = (
        Column("average", "/s", ",.1f"),
        Column("peak", "/s"),
        *(Column(f"memory, kept {words}", "GiB", ",.1f") for words in RETENTIONS),
        *(Column(f"namespaces, kept {words}") for words in RETENTIONS),
    )
    about = (
        f"For jobs a month, called within {HOURS} hours of each day, at a peak of {PEAK:g} times"
    )
    table = Table(about, columns)
    for jobs in MONTHLY:
        average = jobs / DAYS / HOURS / 3600
        kept = [jobs / DAYS * days * costs.memory for days in RETENTIONS.values()]
        by_rate = math.ceil(PEAK * average * costs.redis / 1e6 / PLANNED)
        many = [max(by_rate, math.ceil(memory / PER_NODE)) for memory in kept]
        sizes = [memory / 2**30 for memory in kept]
        table.add(f"{jobs:,}", average, PEAK * average, *sizes, *many)
    return table


def with_many_workers(costs: Costs, jobs: int) -> Table:
    """Simulate workers that share one Redis."""
    columns = (
        Column("jobs", "/s"),
        Column("of what as many would do alone", form=".0%"),
        Column("Redis", "busy", ".0%"),
    )
    table = Table(f"Simulated: workers of a core each, all at once, {jobs:,} jobs", columns)
    alone = simulated(costs, 1, jobs)[0]
    for workers in WORKERS:
        rate, busy = simulated(costs, workers, jobs)
        table.add(str(workers), rate, rate / workers / alone, busy)
    return table


def simulated(costs: Costs, workers: int, jobs: int, seed: int = 1) -> tuple[float, float]:
    """Return calls a second, and the share of the time in which Redis is busy.

    A worker works on a batch, then waits in Redis' line until that has done its part; how long
    either takes varies as it does on a busy machine (exponentially).
    """
    chance = random.Random(seed)
    asks = [chance.expovariate(1 / (BATCH * costs.worker)) for _ in range(workers)]
    heapq.heapify(asks)
    now = busy = 0.0  # when Redis is free again, and how long it has worked
    for _ in range(math.ceil(jobs / BATCH)):
        takes = chance.expovariate(1 / (BATCH * costs.redis))
        now = max(now, heapq.heappop(asks)) + takes
        busy += takes
        heapq.heappush(asks, now + chance.expovariate(1 / (BATCH * costs.worker)))
    return jobs / now * 1e6, busy / now


def cores(microseconds: float) -> int:
    """Return how many cores do so much work in a second, as planned."""
    return math.ceil(microseconds / 1e6 / PLANNED)


if __name__ == "__main__":
    for table in tables(Costs.read(REFERENCE)):
        print(f"{table.text()}\n")
