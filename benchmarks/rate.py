"""Is the limit kept, as the provider counts, and is it used; also after the kill of a worker."""

from __future__ import annotations

import os
import signal
import time

from benchmarks.stand import Bench, bench, numbers

SECONDS = 30
RATES = (5, 50, 200)


def run(*, quick: bool) -> None:
    """Print, for each rate, the worst sliding second and the use."""
    seconds = 10 if quick else SECONDS
    print("| limit | | worst second, as the provider counts | used |\n|---|---|---|---|")
    for rate in RATES:
        for kill in (False, True):
            worst, used = measure(rate, seconds, kill=kill)
            what = "one of two workers killed half-way" if kill else "two workers"
            print(f"| {rate}/s | {what} | {worst} | {used:.1%} |", flush=True)


def measure(rate: int, seconds: int, *, kill: bool) -> tuple[int, float]:
    """Return the worst sliding second and the share of the limit that was used."""
    with bench(rate_limit=str(rate), max_connections="64", sandbox=("--latency=0.05",)) as stand:
        jobs = int(rate * (seconds + 10))
        stand.dispatcher.call_many(
            {"recipient": number, "say": "x", "lang": "en"} for number in numbers(jobs)
        ).collect()
        stand.until(lambda: placed(stand) > 0, 20)
        stand.pause(1)  # past the first steps
        first, begun = placed(stand), time.monotonic()
        if kill:
            stand.pause(seconds / 2)
            os.kill(stand.stack.supervisor.pid("worker-1") or 0, signal.SIGKILL)
        stand.pause(seconds - (time.monotonic() - begun))
        took = time.monotonic() - begun
        used = (placed(stand) - first) / (rate * took)
        return worst_second(stand), used


def placed(stand: Bench) -> int:
    """Return how many requests the provider has taken."""
    return int(stand.stats()["requests"]["total"])


def worst_second(stand: Bench) -> int:
    """Return the largest count of requests in any sliding second."""
    return int(stand.stats()["requests"]["worst_second"]["all"])
