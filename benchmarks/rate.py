"""The limit by the provider's own strict count: what it refuses, and how much of it is used, on a
machine as it is and with two busy processes beside; after the kill of a worker; and a limit of a
minute that nobody told.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.figures import Column, Table
from benchmarks.stand import Bench, bench, numbers

RATES = (5, 20, 50, 200)
BUSY = 2
LIMIT = 5  # a second, as set where the provider counts MINUTE
MINUTE = 60
WARM = 2.0  # seconds: past the first steps
COLUMNS = (
    Column("granted"),
    Column("refused"),
    Column("refused in 5,000", form=".1f"),
    Column("used", form=".1%"),
)


@dataclass(frozen=True)
class Books:
    """What the provider let through and refused until a moment, in seconds."""

    at: float
    granted: int
    refused: int

    def used_since(self, before: Books, rate: float) -> float:
        """Return the part of a rate (per second) that was used since then."""
        return (self.granted - before.granted) / (rate * (self.at - before.at))


def run(*, quick: bool) -> Iterator[Table]:
    """Measure each rate as the machine is, with busy processes beside, and after a kill."""
    seconds, rates = (10, (20, 200)) if quick else (60, RATES)
    table = Table(f"The provider's strict window, {seconds} s each", COLUMNS)
    for rate in rates:
        for busy in (0, BUSY):
            beside = f"{busy} busy processes beside" if busy else "nothing beside by choice"
            _add(table, f"{rate}/s, {beside}", *_at(rate, seconds, busy=busy), rate)
    killed = 50
    row = f"{killed}/s, one of two workers killed half-way"
    _add(table, row, *_at(killed, seconds, kill=True), killed)
    yield table
    yield _found(90 if quick else 300)


def _add(table: Table, row: str, before: Books, after: Books, rate: float) -> None:
    granted = after.granted
    refused = after.refused / max(1, granted) * 5000
    table.add(row, granted, after.refused, refused, after.used_since(before, rate))


def _at(rate: int, seconds: int, *, busy: int = 0, kill: bool = False) -> tuple[Books, Books]:
    """Return the provider's books past the first steps, and so many seconds later."""
    with _stand(str(rate), f"{rate}/s", rate * (seconds + 10)) as stand, _beside(busy):
        before = _warm(stand)
        if kill:
            stand.pause(seconds / 2)
            os.kill(stand.stack.supervisor.pid("worker-1") or 0, signal.SIGKILL)
        stand.pause(seconds - (time.monotonic() - before.at))
        return before, _books(stand)


def _found(seconds: int) -> Table:
    """Measure a limit of a minute where a higher one of a second is set."""
    about = f"{LIMIT}/s is set and the provider takes {MINUTE} a minute, {seconds} s"
    table = Table(about, (Column("granted"), Column("refused"), Column("used", form=".1%")))
    with _stand(str(LIMIT), f"{MINUTE}/min", LIMIT * seconds) as stand:
        begun = _warm(stand)
        stand.until(lambda: _books(stand).refused > 0, 60)
        stand.pause(60 - (time.monotonic() - begun.at))
        before = _books(stand)
        stand.pause(seconds - 60)
        after = _books(stand)
    used = after.used_since(before, MINUTE / 60)
    table.add("not told", after.granted, after.refused, used)
    return table


@contextmanager
def _stand(rate: str, strict: str, jobs: int) -> Iterator[Bench]:
    """Run a stack with this limit and so many jobs, and a provider that keeps its own."""
    provider = ("--latency=0.05", f"--rate={strict}")
    with bench(rate_limit=rate, max_connections="64", sandbox=provider) as stand:
        stand.dispatcher.call_many(
            {"recipient": number, "say": "x", "lang": "en"} for number in numbers(jobs)
        ).collect()
        yield stand


def _warm(stand: Bench) -> Books:
    stand.until(lambda: _books(stand).granted > 0, 20)
    stand.pause(WARM)
    return _books(stand)


@contextmanager
def _beside(busy: int) -> Iterator[None]:
    """Keep so many processes busy."""
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def _books(stand: Bench) -> Books:
    requests = stand.stats()["requests"]
    refused = requests["by_status"].get("429", 0)
    return Books(time.monotonic(), requests["accepted"], refused)
