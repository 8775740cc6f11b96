"""On an idle system: from enqueueing to the arrival at the provider, against the naive task."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from benchmarks.arrivals import arrivals
from benchmarks.side_by_side import sides
from benchmarks.stand import numbers
from dispatcher.client.dispatcher import Dispatcher

PAUSE = 0.03  # seconds: long enough for the one before to be over


def run(*, quick: bool) -> None:
    """Print p50 and p99 of both, by turns."""
    count = 100 if quick else 500
    with sides(8) as both, both.ours.running(), both.naive.running():
        os.environ["NAIVE_BROKER"] = both.naive_broker
        from benchmarks.naive import app, call  # noqa: PLC0415 - it reads the environment

        app.conf.broker_url = both.naive_broker
        dispatcher = Dispatcher.from_url(both.redis_url)
        sent: dict[str, tuple[str, float]] = {}

        def ask(side: str, number: str, send: Callable[[str], object]) -> None:
            sent[number.removeprefix("+")] = (side, time.monotonic())
            send(number)
            time.sleep(PAUSE)

        for n, number in enumerate(numbers(2 * count + 20)):
            if n % 2:
                ask("naive", number, lambda to: call.delay(to, "x"))
            else:
                ask("dispatcher", number, lambda to: dispatcher.call(to, say="x"))
        time.sleep(1)
        came = arrivals(both.provider_url)
    found: dict[str, list[float]] = {"naive": [], "dispatcher": []}
    for number, (side, at) in list(sent.items())[20:]:  # the first ones open connections
        found[side].append(came[number] - at)
    print("| | p50 | p99 |\n|---|---|---|")
    marks = {side: (_part(times, 0.5), _part(times, 0.99)) for side, times in found.items()}
    for side, (middle, late) in marks.items():
        print(f"| {side} | {middle * 1000:.1f} ms | {late * 1000:.1f} ms |")
    ratios = [
        ours / theirs for ours, theirs in zip(marks["dispatcher"], marks["naive"], strict=True)
    ]
    print(f"\n{ratios[0]:.2f} times the naive task's p50, {ratios[1]:.2f} times its p99")


def _part(times: list[float], share: float) -> float:
    return sorted(times)[int(share * (len(times) - 1))]
