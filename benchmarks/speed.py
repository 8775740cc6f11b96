"""Without a limit: the whole stack, warm, beside the bare task on the queues one might take."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from signal import SIGCONT

from benchmarks.arrivals import Provider, ceiling, provider
from benchmarks.checkout import HERE, Checkout
from benchmarks.contestants import Contestant, bare_task, queues_here, stack
from benchmarks.figures import Column, Table
from benchmarks.monitor import counted
from benchmarks.processes import wait_idle

THREADS = 8
ROUNDS = 3
COUNTED = 500  # jobs whose commands are counted
FIGURES = (
    Column("throughput", "jobs/s"),
    Column("worker's processor", "µs/job"),
    Column("whole stack's", "µs/job"),
    Column("Redis'", "µs/job"),
)
COUNTS = (
    Column("messages", form=".2f"),
    Column("commands of clients", form=".1f"),
    Column("commands inside operations", form=".1f"),
)


@dataclass(frozen=True)
class Plan:
    """How many jobs of a turn do not count yet, how many do, and how often each has its turn."""

    warm: int
    jobs: int
    rounds: int

    def text(self) -> str:
        """Say it."""
        turns = f"median of {self.rounds} by turns"
        return f"{self.jobs:,} jobs after {self.warm:,}, {THREADS} threads, {turns}"


def run(*, quick: bool, against: Checkout | None = None) -> Iterator[Table]:
    """Measure all by turns; then count what each asks of Redis."""
    plan = Plan(500, 1_000, 1) if quick else Plan(1_000, 3_000, ROUNDS)
    with provider() as asked, ExitStack() as running:
        checkouts = [HERE, *([against] if against else [])]
        sides = [
            *(running.enter_context(bare_task(name, asked, THREADS)) for name in queues_here()),
            *(running.enter_context(stack(each, asked, THREADS)) for each in checkouts),
        ]
        yield _speed(sides, asked, plan)
        yield _counts(sides, asked)


def _speed(sides: Sequence[Contestant], asked: Provider, plan: Plan) -> Table:
    found: dict[str, list[tuple[float, ...]]] = {side.name: [] for side in sides}
    for _ in range(plan.rounds):  # by turns, since the machine is noisy
        for side in sides:
            found[side.name].append(measured(side, asked, plan))
    table = Table(plan.text(), FIGURES)
    for name, turns in found.items():
        table.add(name, *(list(column) for column in zip(*turns, strict=True)))
    table.notes += _ratios(table)
    table.notes.append(
        f"The provider's stand-in could answer {ceiling():,.0f} a second on kept connections."
    )
    return table


def _ratios(table: Table) -> Iterator[str]:
    ours = HERE.name
    for other in table.rows:
        if other != ours:
            throughput, worker, whole, redis = (
                table.ratio(ours, other, column.name) for column in table.columns
            )
            yield (
                f"{throughput:.2f} times the throughput of {other}, {worker:.2f} of its processor"
                f" time in the worker, {whole:.2f} in all, {redis:.2f} in Redis."
            )


def measured(side: Contestant, asked: Provider, plan: Plan) -> tuple[float, ...]:
    """Let one dial; return calls a second, and microseconds of processor time for each call."""
    first, jobs = asked.counts()[0], plan.warm + plan.jobs
    with side.turn():
        side.enqueue(range(first, first + jobs))
        side.worker.send(SIGCONT)
        warm = side.reached(asked, first + plan.warm)
        done = side.reached(asked, first + jobs)
        moments = [moment for _, moment in asked.since(first)]
        wait_idle(side.groups)
    calls = done.calls - warm.calls
    taken = (done.worker - warm.worker, done.stack - warm.stack, done.redis - warm.redis)
    rate = (plan.jobs - 1) / (moments[jobs - 1] - moments[plan.warm])
    return rate, *(seconds / calls * 1e6 for seconds in taken)


def _counts(sides: Sequence[Contestant], asked: Provider) -> Table:
    jobs = COUNTED
    table = Table("What Redis is asked for each job, with queues on the same server", COUNTS)
    for side in sides:
        first = asked.counts()[0]
        with counted(side.redis.url) as commands, side.turn():
            side.enqueue(range(first, first + jobs))
            side.worker.send(SIGCONT)
            side.reached(asked, first + jobs)
            time.sleep(1)  # what is written after the last answer
        celery = "celery" in side.name or not side.name.startswith("bare")
        table.add(
            side.name,
            commands.messages() / jobs if celery else None,
            commands.asked.total() / jobs,
            commands.inside.total() / jobs,
        )
    return table
