"""Credit for a few calls and very many jobs; wrong credentials and a dead provider for a minute."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import requests

from benchmarks.figures import Column, Figure, Table
from benchmarks.stand import Bench, bench, numbers
from dispatcher.model.states import State

PRICE = 20  # of a spoken text, at the sandbox
FLOOR = 50
SETTINGS = {
    "rate_limit": "200",
    "max_connections": "8",
    "check_first": "1s",
    "check_longest": "5s",
    "recipient_per_day": "none",
    "recipient_one_at_a_time": "false",
}
RING = "--ring=1"


class Trouble(NamedTuple):
    """What is told to the sandbox, and what it answers meanwhile."""

    name: str
    begin: dict[str, Any]
    end: dict[str, Any]
    status: int


TROUBLES = (
    Trouble("wrong token", {"token": "another"}, {"token": "sandbox"}, 401),
    Trouble("provider down (503)", {"down": "503"}, {"down": "off"}, 503),
)


PHASES = (
    Column("calls placed"),
    Column("refused (403)"),
    Column("goes on after", "s", ".1f"),
    Column("in all", "s"),
)
TROUBLED = (
    Column("lasts", "s"),
    Column("requests refused"),
    Column("jobs completed"),
    Column("attempts of each"),
)


def run(*, quick: bool) -> Iterator[Table]:
    """Measure what is placed and refused in each phase, and what trouble costs."""
    jobs, first, more = (1000, 20, 12) if quick else (10_000, 100, 60)
    yield _out_of_credit(jobs, first, more)
    jobs, lasts = (200, 10) if quick else (1000, 60)
    table = Table(f"Trouble of the account in the middle of {jobs:,} jobs", TROUBLED)
    for trouble in TROUBLES:
        table.add(trouble.name, *_trouble(trouble, jobs, lasts))
    yield table


def _out_of_credit(jobs: int, first: int, more: int) -> Table:
    table = Table(f"{jobs:,} jobs, two workers, and too little credit", PHASES)
    start = FLOOR + (first - 1) * PRICE
    with bench(SETTINGS, sandbox=(f"--credits={start}", RING)) as stand:
        store = stand.dispatcher.store
        stand.until(lambda: store.budget.credit().balance is not None, 30)
        phases: dict[int, Callable[[], object]] = {
            first: lambda: _enqueue(stand, jobs),
            more: lambda: _top_up(stand, more),
            jobs - first - more: lambda: _top_up(stand, jobs),
        }
        for calls, begin in phases.items():
            table.add(f"credit for {calls:,} calls", *_phase(stand, jobs, calls, begin))
        spent, charged = store.budget.credit().spent, stand.stats()["credits"]["charged"]
        untouched = store.search.counts()[State.COMPLETED].get("", 0)
    table.notes.append(
        f"{untouched:,} completed; credits by the ledger {spent:,f}, by the sandbox {charged:,.0f}."
    )
    return table


def _phase(stand: Bench, jobs: int, pays_for: int, begin: Callable[[], object]) -> list[float]:
    before, began = stand.stats(), time.monotonic()
    had = before["calls"]["placed"]
    begin()
    stand.until(lambda: _placed(stand) > had, 60)
    resumed = time.monotonic() - began
    stand.until(lambda: _placed(stand) - had >= 0.9 * pays_for, 900)
    done = stand.until(lambda: _quiet(stand, jobs), 900)
    after = stand.stats()
    refused = _answered(after, 403) - _answered(before, 403)
    took = time.monotonic() - began if done else float("nan")
    placed = after["calls"]["placed"] - had
    return [placed, refused, resumed, took]


def _quiet(stand: Bench, jobs: int) -> bool:
    """Whether no call is under way, and whoever was not called is held."""
    store = stand.dispatcher.store
    table = {state: sum(reasons.values()) for state, reasons in store.search.counts().items()}
    there = table[State.HELD] + table[State.COMPLETED]
    over = not table[State.HELD] or store.holds.all()
    return there == jobs and bool(over) and not store.budget.credit().in_flight


def _trouble(trouble: Trouble, jobs: int, lasts: float) -> list[Figure]:
    with bench(SETTINGS | {"rate_limit": "50"}, sandbox=("--credits=100000000", RING)) as stand:
        ids = _enqueue(stand, jobs)
        stand.until(lambda: _placed(stand) > jobs / 10, 60)
        _control(stand, "options", trouble.begin)
        stand.pause(lasts)
        _control(stand, "options", trouble.end)
        store = stand.dispatcher.store
        stand.until(lambda: sum(store.search.counts()[State.COMPLETED].values()) == jobs, 300)
        refused = _answered(stand.stats(), trouble.status)
        found = [job for job in store.jobs.get_many(ids) if job]
        completed = sum(job.state is State.COMPLETED for job in found)
        spent = dict(Counter(job.spent for job in found))
        words = ", ".join(f"{n} of {times:,} jobs" for n, times in sorted(spent.items()))
        return [lasts, refused, completed, words]


def _enqueue(stand: Bench, jobs: int) -> list[str]:
    made = stand.dispatcher.call_many(
        {"recipient": number, "say": "x", "lang": "en"} for number in numbers(jobs)
    ).collect()
    return [handle.id for handle in made.jobs]


def _top_up(stand: Bench, calls: int) -> None:
    _control(stand, "credits", {"add": calls * PRICE})


def _placed(stand: Bench) -> int:
    return int(stand.stats()["calls"]["placed"])


def _answered(stats: dict[str, Any], status: int) -> int:
    return int(stats["requests"]["by_status"].get(str(status), 0))


def _control(stand: Bench, what: str, body: dict[str, Any]) -> None:
    requests.post(f"{stand.sandbox}/_sandbox/{what}", json=body, timeout=10).raise_for_status()
