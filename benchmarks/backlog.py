"""Many jobs waiting: how fast they come in, what each costs, and what it costs to take one."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.stand import numbers
from benchmarks.taking import take
from dispatcher.client.dispatcher import Dispatcher
from dispatcher.client.messages import Messenger
from dispatcher.model.account_config import AccountConfig
from dispatcher.store import Store
from dispatcher.values.rate import Rate
from workers.devstack.embedded_server import EmbeddedServer

TAKES = 200


class Silent(Messenger):
    """Sends nothing: what is measured is the store."""

    def __init__(self) -> None:
        pass

    def _send(self, task: str, rows: Any) -> int:  # noqa: ARG002
        return 0


def run(*, quick: bool) -> None:
    """Print a row for each size of the backlog."""
    print("| waiting | enqueued/s, validation and all | bytes each | one is taken within |")
    print("|---|---|---|---|")
    sizes = (1_000, 10_000, 100_000) if quick else (1_000, 100_000, 1_000_000)
    with tempfile.TemporaryDirectory() as folder, EmbeddedServer(Path(folder, "r")) as redis:
        store = Store.from_url(redis.url)
        store.limiter.publish(
            AccountConfig(rate=Rate(10_000), connections=1000, one_at_a_time=False)
        )
        empty, waiting = _memory(store), 0
        for size in sizes:
            began = time.perf_counter()
            done = Dispatcher(store, Silent()).call_many(_requests(waiting, size)).collect()
            rate = (size - waiting) / (time.perf_counter() - began)
            assert not done.refused, done.refused[0]
            waiting = size
            each = (_memory(store) - empty) / size
            print(f"| {size:,} | {rate:,.0f} | {each:.0f} | {_take(store):.2f} ms |", flush=True)


def _requests(start: int, end: int) -> Iterator[dict[str, Any]]:
    for n, number in enumerate(numbers(end - start, start), start):
        yield {
            "recipient": number,
            "say": "Your appointment is tomorrow at ten. Please be there a little earlier.",
            "lang": "en",
            "tags": [f"campaign:{n % 20}"],
            "key": f"row-{n}",
            "priority": "bulk",
        }


def _take(store: Store) -> float:
    """Return the median of ms that it takes to take one job."""
    took = []
    for _ in range(TAKES):
        began = time.perf_counter()
        assert take(store, 1)
        took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


def _memory(store: Store) -> int:
    return store.server.facts().memory
