"""Without a limit: jobs per second and processor time per job, against the naive task."""

from __future__ import annotations

import os
import statistics
import time

from benchmarks.arrivals import arrivals
from benchmarks.side_by_side import Side, Sides, cpu_seconds, sides
from benchmarks.stand import numbers
from dispatcher.client.dispatcher import Dispatcher

NAIVE = "naive"
SIDES = {NAIVE: "", "dispatcher": "true", "dispatcher, no task events": "false"}
THREADS = 8
ROUNDS = 3
TEXT = "Your appointment is tomorrow at ten. Press nothing, just be there. Thank you."


def run(*, quick: bool) -> None:
    """Print both sides, and the ratio of their medians."""
    jobs, rounds = (1500, 1) if quick else (5000, ROUNDS)
    with sides(THREADS) as both:
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in SIDES}
        start = 0
        for _ in range(rounds):  # by turns, since the machine is noisy
            for name, events in SIDES.items():
                numbers_of_it = range(start, start := start + jobs)
                found[name].append(_measure(both, name, events, numbers_of_it))
    print(f"{jobs} jobs, {THREADS} threads, one worker process, median of {rounds}:\n")
    print("| | jobs/s | CPU per job |\n|---|---|---|")
    medians = {
        name: tuple(statistics.median(column) for column in zip(*rows, strict=True))
        for name, rows in found.items()
    }
    for name, (rate, cpu) in medians.items():
        print(f"| {name} | {rate:.0f} | {cpu * 1e6:.0f} µs |")
    for name in list(SIDES)[1:]:
        print(f"\n{name}: {medians[name][0] / medians[NAIVE][0]:.2f} times the naive throughput")


def _measure(both: Sides, name: str, events: str, jobs: range) -> tuple[float, float]:
    wanted = [number.removeprefix("+") for number in numbers(len(jobs), jobs.start)]
    if name == NAIVE:
        side = both.naive
        _ask_naive(both, jobs)
    else:
        side = Side(both.ours.argv, both.ours.env | {"DISPATCHER_TASK_EVENTS": events})
        _ask_ours(both, jobs)
    with side.running() as pid:
        came: list[float] = []
        while len(came) < len(jobs):
            time.sleep(0.3)
            seen = arrivals(both.provider_url)
            came = [seen[number] for number in wanted if number in seen]
        return (len(jobs) - 1) / (max(came) - min(came)), cpu_seconds(pid) / len(jobs)


def _ask_ours(both: Sides, jobs: range) -> None:
    Dispatcher.from_url(both.redis_url).call_many(
        {"recipient": number, "say": TEXT, "lang": "en"}
        for number in numbers(len(jobs), jobs.start)
    ).collect()


def _ask_naive(both: Sides, jobs: range) -> None:
    os.environ["NAIVE_BROKER"] = both.naive_broker
    from benchmarks.naive import app, call  # noqa: PLC0415 - it reads the environment

    app.conf.broker_url = both.naive_broker
    for number in numbers(len(jobs), jobs.start):
        call.delay(number, TEXT)
