"""What the comparison with the bare task depends on besides the code: who else runs, the provider's
connections, and whether the start of the worker is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from signal import SIGCONT

from benchmarks.arrivals import Provider, provider
from benchmarks.checkout import HERE, Checkout
from benchmarks.contestants import WORKER, Contestant, bare_task, stack
from benchmarks.figures import Column, Table
from benchmarks.speed import THREADS, Plan

COLUMNS = (
    Column("throughput", "times", ".2f"),
    Column("worker's processor", "times", ".2f"),
    Column("all processes'", "times", ".2f"),
    Column("throughput from the first call", "times", ".2f"),
    Column("worker's processor with its start", "times", ".2f"),
)
BARE = "bare task"
ROLES = {"the whole stack": (), "the worker alone": (WORKER,)}


@dataclass(frozen=True)
class Turn:
    """Figures of one turn: warm, and as they are when everything counts from the beginning."""

    throughput: float
    worker: float
    stack: float
    whole_throughput: float
    worker_since_start: float


def run(*, quick: bool, against: Checkout | None = None) -> Iterator[Table]:
    """Measure ours as multiples of the bare task's, in the first turn of fresh processes."""
    plan = Plan(500, 1_000, 1) if quick else Plan(1_000, 2_000, 3)
    checkouts = [HERE, *([against] if against else [])]
    about = f"Multiples of the bare Celery task's, {plan.text()}"
    for kept, words in {True: "keeps connections", False: "closes each connection"}.items():
        table = Table(f"{about}, the provider {words}", COLUMNS)
        turns = [_turns(plan, checkouts, kept=kept) for _ in range(plan.rounds)]
        for who in sorted(turns[0].keys() - {BARE}):
            figures = zip(*(_ratios(turn[who], turn[BARE]) for turn in turns), strict=True)
            table.add(who, *map(list, figures))
        yield table


def _turns(plan: Plan, checkouts: Sequence[Checkout], *, kept: bool) -> dict[str, Turn]:
    with provider(kept=kept) as asked, ExitStack() as running:
        sides = {BARE: running.enter_context(bare_task("celery", asked, THREADS))}
        for checkout in checkouts:
            for who, roles in ROLES.items():
                side = stack(checkout, asked, THREADS, roles=roles)
                sides[f"{checkout.name}, {who}"] = running.enter_context(side)
        return {name: _turn(side, asked, plan) for name, side in sides.items()}


def _turn(side: Contestant, asked: Provider, plan: Plan) -> Turn:
    first, jobs = asked.counts()[0], plan.warm + plan.jobs
    with side.turn():
        side.enqueue(range(first, first + jobs))
        side.worker.send(SIGCONT)
        warm = side.reached(asked, first + plan.warm)
        done = side.reached(asked, first + jobs)
        moments = [moment for _, moment in asked.since(first)]
    calls = done.calls - warm.calls
    return Turn(
        throughput=(plan.jobs - 1) / (moments[jobs - 1] - moments[plan.warm]),
        worker=(done.worker - warm.worker) / calls,
        stack=(done.stack - warm.stack) / calls,
        whole_throughput=(jobs - 1) / (moments[jobs - 1] - moments[0]),
        worker_since_start=done.worker / jobs,
    )


def _ratios(ours: Turn, bare: Turn) -> list[float]:
    return [getattr(ours, name) / getattr(bare, name) for name in vars(ours)]
