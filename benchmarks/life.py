"""The whole life of a job, from enqueueing to its end by callback: what that takes of Redis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from signal import SIGCONT
from typing import Any

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
            before = Books.of(side)
            lived(side, asked, jobs)
            after = Books.of(side)
            taken = (getattr(after, name) - getattr(before, name) for name in vars(after))
            found[side.name].append(tuple(each / jobs for each in taken))
    table = Table(f"{jobs:,} jobs that have ended, median of {rounds} by turns", TAKEN)
    for name, turns in found.items():
        table.add(name, *(list(column) for column in zip(*turns, strict=True)))
    table.notes += _ratios(table)
    return table


def _ratios(table: Table) -> Iterator[str]:
    ours = HERE.name
    for other in table.rows:
        if other != ours:
            found = (f"{table.ratio(ours, other, each.name):.2f} ({each.name})" for each in TAKEN)
            yield f"Multiples of {other}: {', '.join(found)}."


def _counts(sides: Sequence[Contestant], asked: Provider, jobs: int) -> Table:
    table = Table(f"Counted over {jobs:,} jobs", COUNTS)
    for side in sides:
        opened = asked.counts()[1]
        with counted(side.redis.url) as commands:
            lived(side, asked, jobs)
        connections = asked.counts()[1] - opened
        table.add(side.name, *(each / jobs for each in (*counts(commands), connections)))
    return table


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
