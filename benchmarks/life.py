"""The whole life of a job, from enqueueing to its end by callback: what that takes of Redis."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from functools import partial
from signal import SIGCONT
from typing import Any, Self

from redis import Redis

from benchmarks.arrivals import Provider, provider
from benchmarks.checkout import HERE, Checkout
from benchmarks.contestants import Contestant, stack
from benchmarks.figures import Column, Table
from benchmarks.monitor import Commands, counted
from benchmarks.processes import wait_idle
from benchmarks.stand import PLAYED

THREADS = 8
ROUNDS = 3
UPKEEP = 5.0  # seconds in which it is measured what processes do without jobs
OPERATIONS = ("fcall", "evalsha", "eval")
"""How the store's operations are called, in old versions too."""
TAKEN = (
    Column("operations' server time", "µs/job"),
    Column("Redis' processor", "µs/job"),
    Column("worker's processor", "µs/job"),
    Column("gateway's processor", "µs/job"),
    Column("memory", "B/job"),
)
COUNTS = (
    Column("operations", form=".2f"),
    Column("commands of clients", form=".1f"),
    Column("commands inside operations", form=".1f"),
    Column("messages", form=".2f"),
    Column("connections to the provider", form=".3f"),
)


@dataclass(frozen=True)
class Books:
    """What Redis says of itself, and processor time in microseconds."""

    operations: float
    redis: float
    worker: float
    gateway: float
    memory: int

    @classmethod
    def of(cls, side: Contestant) -> Books:
        """Read them."""
        with Redis.from_url(side.redis.url) as redis:
            commands: dict[str, Any] = redis.info("commandstats")
            memory = int(redis.info("memory")["used_memory"])
        taken = (commands.get(f"cmdstat_{name}", {}).get("usec", 0) for name in OPERATIONS)
        worker, gateway = (side.group(name).cpu() * 1e6 for name in ("dial", "gateway"))
        return cls(sum(taken), side.redis_cpu() * 1e6, worker, gateway, memory)


def run(*, quick: bool, against: Checkout | None = None) -> Iterator[Table]:
    """Measure by turns, then count."""
    jobs, rounds = (1_000, 1) if quick else (5_000, ROUNDS)
    with provider(reports=True) as asked, ExitStack() as running:
        checkouts = [HERE, *([against] if against else [])]
        sides = [
            running.enter_context(stack(each, asked, THREADS, what=PLAYED)) for each in checkouts
        ]
        for side in sides:
            lived(side, asked, jobs // 5)  # what is there once, whatever the number of jobs
        yield _taken(sides, asked, jobs, rounds)
        yield _counts(sides, asked, jobs // 5)


def _taken(sides: Sequence[Contestant], asked: Provider, jobs: int, rounds: int) -> Table:
    found: dict[str, list[tuple[float, ...]]] = {side.name: [] for side in sides}
    for _ in range(rounds):
        for side in sides:
            found[side.name].append(_each(side, asked, jobs))
    about = f"{jobs:,} jobs that have ended, median of {rounds} by turns, without the upkeep"
    table = Table(about, TAKEN)
    for name, turns in found.items():
        table.add(name, *(list(column) for column in zip(*turns, strict=True)))
    table.notes += _ratios(table)
    return table


def _each(side: Contestant, asked: Provider, jobs: int) -> tuple[float, ...]:
    """Return what a job takes: what processes do on their own as time passes is taken off."""
    with _Spent(side) as upkeep:
        _upkeep(side)
    with _Spent(side) as spent:
        lived(side, asked, jobs)
    part = spent.seconds / upkeep.seconds
    *times, memory = spent.taken
    own = [taken - part * idle for taken, idle in zip(times, upkeep.taken, strict=False)]
    return tuple(each / jobs for each in (*own, memory))


class _Spent:
    """What the books say more at the end of a block than at its beginning, and how long it took."""

    def __init__(self, side: Contestant) -> None:
        self._side = side

    def __enter__(self) -> Self:
        self._before, self._began = astuple(Books.of(self._side)), time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._began
        after = astuple(Books.of(self._side))
        self.taken = [new - old for new, old in zip(after, self._before, strict=True)]


def _ratios(table: Table) -> Iterator[str]:
    ours = HERE.name
    for other in table.rows:
        if other != ours:
            found = (f"{table.ratio(ours, other, each.name):.2f} ({each.name})" for each in TAKEN)
            yield f"Multiples of {other}: {', '.join(found)}."


def _counts(sides: Sequence[Contestant], asked: Provider, jobs: int) -> Table:
    table = Table(f"Counted over {jobs:,} jobs, without the upkeep", COUNTS)
    for side in sides:
        opened = asked.counts()[1]
        idle, rest = _counted(side, partial(_upkeep, side))
        found, took = _counted(side, partial(lived, side, asked, jobs))
        own = [count - took / rest * upkeep for count, upkeep in zip(found, idle, strict=True)]
        connections = asked.counts()[1] - opened
        table.add(side.name, *(each / jobs for each in (*own, connections)))
    return table


def _counted(side: Contestant, act: Callable[[], None]) -> tuple[tuple[int, ...], float]:
    """Return what Redis is asked meanwhile, and the seconds that it took."""
    began = time.monotonic()
    with counted(side.redis.url) as commands:
        act()
    return counts(commands), time.monotonic() - began


def _upkeep(side: Contestant) -> None:
    """Let time pass without jobs."""
    with side.turn():
        side.worker.send(SIGCONT)
        time.sleep(UPKEEP)


def counts(commands: Commands) -> tuple[int, int, int, int]:
    """Return operations, commands of clients, commands inside operations, messages."""
    operations = commands.of(*OPERATIONS)
    return operations, commands.asked.total(), commands.inside.total(), commands.messages()


def lived(side: Contestant, asked: Provider, jobs: int) -> None:
    """Let jobs be enqueued, called and ended."""
    first = asked.counts()[0]
    with side.turn():
        side.enqueue(range(first, first + jobs))
        side.worker.send(SIGCONT)
        side.reached(asked, first + jobs)
        wait_idle(side.groups)
