"""An urgent job behind 100,000 bulk ones, and how soon a pause takes hold."""

from __future__ import annotations

import time

from benchmarks.rate import placed
from benchmarks.stand import Bench, bench, numbers
from dispatcher.store.holds import PauseScope

RATE = 10
TRIES = 10
QUIET = 2.0  # seconds without a request: nothing is dialled any more


def run(*, quick: bool) -> None:
    """Print how long urgent jobs took to be dialled, and the time from a pause to silence."""
    backlog = 10_000 if quick else 100_000
    with bench(rate_limit=str(RATE), max_connections="16") as stand:
        stand.dispatcher.call_many(
            {"recipient": number, "say": "x", "lang": "en", "priority": "bulk"}
            for number in numbers(backlog)
        ).collect()
        stand.until(lambda: placed(stand) > RATE, 20)
        waits = [_urgent(stand, number) for number in numbers(TRIES, backlog)]
        silence = _pause(stand)
    print(f"{backlog:,} bulk jobs waiting at {RATE}/s:")
    print(f"an urgent job is dialled after {max(waits):.2f} s at most, of {TRIES} tries")
    print(f"the last request goes out {silence:.2f} s after a pause")


def _urgent(stand: Bench, number: str) -> float:
    """Return the seconds from enqueueing to the claim, which the request follows."""
    began = time.monotonic()
    job = stand.dispatcher.call(number, say="x", priority="urgent")
    stand.until(lambda: bool(job.refresh().attempts), 30)
    took = time.monotonic() - began
    stand.pause(0.3)
    return took


def _pause(stand: Bench) -> float:
    stand.dispatcher.store.holds.pause(PauseScope(), actor="bench")
    began = last = time.monotonic()
    seen = placed(stand)
    while time.monotonic() - last < QUIET:
        stand.pause(0.02)
        now = placed(stand)
        if now != seen:
            seen, last = now, time.monotonic()
    return last - began
