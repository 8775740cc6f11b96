"""Many jobs waiting: how fast they come in, what each costs, and what it costs to take one."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import Column, Table
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

    def require_suitable(self) -> None:
        """Take it as it is."""


COLUMNS = (
    Column("enqueued/s, validation and all"),
    Column("producer's CPU each", "µs", ".1f"),
    Column("Redis' CPU each", "µs", ".1f"),
    Column("bytes each"),
    Column("one is taken within", "ms", ".2f"),
)


def run(*, quick: bool) -> Iterator[Table]:
    """Measure with each size of the backlog."""
    table = Table("Many jobs waiting", COLUMNS)
    sizes = (1_000, 10_000, 100_000) if quick else (1_000, 100_000, 1_000_000)
    with tempfile.TemporaryDirectory() as folder, EmbeddedServer(Path(folder, "r")) as redis:
        store = Store.from_url(redis.url)
        store.limiter.publish(
            AccountConfig(rate=Rate(10_000), connections=1000, one_at_a_time=False)
        )
        empty, waiting = _memory(store), 0
        for size in sizes:
            taken = _enqueue(store, waiting, size)
            waiting = size
            table.add(f"{size:,}", *taken, (_memory(store) - empty) / size, _take(store))
    yield table


def _enqueue(store: Store, start: int, end: int) -> tuple[float, float, float]:
    """Return how many a second came in, and the processor time of each in µs, here and in Redis."""
    dispatcher = Dispatcher(store, Silent(), wake=lambda _: None)
    began, own, redis = time.perf_counter(), time.process_time(), _busy(store)
    done = dispatcher.call_many(_requests(start, end)).collect()
    took, own, redis = time.perf_counter() - began, time.process_time() - own, _busy(store) - redis
    assert not done.refused, done.refused[0]
    many = end - start
    return many / took, own / many * 1e6, redis / many * 1e6


def _busy(store: Store) -> float:
    found = store._connection.redis.info("cpu")  # noqa: SLF001
    return float(found["used_cpu_user"] + found["used_cpu_sys"])


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
