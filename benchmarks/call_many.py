"""A producer that enqueues many: what that takes of it and of Redis, by how it reads results."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.checkout import HERE, Checkout
from benchmarks.figures import Column, Table
from benchmarks.processes import cpu_seconds
from dispatcher.store.redis_url import connect
from workers.devstack.embedded_server import EmbeddedServer

MOST = 4.0  # MB that a million may take more than ten thousand, when they are looped over
WARM = 2_000
ROUNDS = 3
PRODUCER = """
import asyncio, json, re, sys, time
from dispatcher import Dispatcher

def rows(start, end):
    return ({"recipient": f"+8180{n:08d}", "say": "Your parcel has come", "key": f"parcel-{n}"}
            for n in range(start, end))

def highest():  # MB in use, at most so far; getrusage tells of whoever started us as well
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024

def results(rows):
    found = d.call_many(rows)
    return found if hasattr(found, "__next__") else iter(found.jobs)

async def awaited(rows):
    from dispatcher import AsyncDispatcher
    made = 0
    async with AsyncDispatcher.from_url(url) as d:
        async for result in d.call_many(rows):
            made += result.new
    return made

url, way, warm, many = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
d = Dispatcher.from_url(url)
assert all(result.new for result in results(rows(0, warm)))
before, began, cpu = highest(), time.monotonic(), time.process_time()
asked = rows(warm, warm + many)
if way == "for":
    made = sum(result.new for result in results(asked))
elif way == "async for":
    made = asyncio.run(awaited(asked))
else:
    bulk = d.call_many(asked).collect()
    made = len(bulk.jobs)
assert made == many, made
took, cpu = time.monotonic() - began, time.process_time() - cpu
print(json.dumps({"more": highest() - before, "rate": many / took, "before": before, "cpu": cpu}))
"""


COLUMNS = (
    Column("memory in use", "MB", ".1f"),
    Column("of these for the requests", "MB", ".1f"),
    Column("pace", "requests/s"),
    Column("producer's CPU each", "µs", ".1f"),
    Column("Redis' CPU each", "µs", ".1f"),
)


def run(*, quick: bool, against: Checkout | None = None) -> Iterator[Table]:
    """Measure what each way takes more than after the first two thousand, in fresh processes."""
    if against:
        yield _compared(against, quick=quick)
        return
    sizes = (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000)
    ways = [(way, size) for way in ("for", "async for") for size in sizes]
    table = Table("A producer that enqueues many", COLUMNS)
    more: dict[tuple[str, int], float] = {}
    for way, size in (*ways, ("collect", 100_000)):
        found = _measured(HERE, way, size)
        more[way, size] = found["more"]
        table.add(f"{way}, {size:,} requests", *_figures(found))
    found = _measured(HERE, "for", sizes[-1], rewrites=False)
    table.add(f"for, {sizes[-1]:,} requests, Redis rewrites no log", *_figures(found))
    yield table
    for way in ("for", "async for"):
        grown = more[way, sizes[-1]] - more[way, sizes[0]]
        assert grown <= MOST, f"{sizes[-1]:,} took {grown:.1f} MB more than {sizes[0]:,} ({way})"


def _compared(against: Checkout, *, quick: bool) -> Table:
    """Measure both by turns, where each has the way: 0.1.0 kept all results."""
    table = Table(f"A producer that enqueues many, median of {ROUNDS} by turns", COLUMNS)
    sides = {"now": HERE, against.name: against}
    for size in (10_000,) if quick else (10_000, 100_000):
        found: dict[str, list[tuple[float, ...]]] = {name: [] for name in sides}
        for _ in range(ROUNDS):
            for name, code in sides.items():
                found[name].append(_figures(_measured(code, "for", size)))
        rows = {name: f"for, {size:,} requests, {name}" for name in sides}
        for name, rounds in found.items():
            table.add(rows[name], *map(list, zip(*rounds, strict=True)))
        ratio = table.ratio(rows["now"], rows[against.name], "pace")
        table.notes.append(f"{size:,} requests: {ratio:.2f} times the pace.")
    return table


def _figures(found: dict[str, float]) -> tuple[float, ...]:
    used = found["before"] + found["more"]
    return used, found["more"], found["rate"], found["cpu"], found["redis"]


def _measured(code: Checkout, way: str, size: int, *, rewrites: bool = True) -> dict[str, float]:
    """Have a producer enqueue so many, with a Redis of its own: times in µs for each.

    `rewrites`: Redis rewrites its append-only file as it grows, each time in a process of its own.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedServer(Path(folder)) as server,
        connect(server.url) as client,
    ):
        pid = int(client.info("server")["process_id"])
        if not rewrites:
            client.config_set("auto-aof-rewrite-percentage", 0)
        before = cpu_seconds(pid)
        found: dict[str, float] = json.loads(
            code.run(PRODUCER, server.url, way, str(WARM), str(size))
        )
        redis = (cpu_seconds(pid) - before) * 1e6 / (size + WARM)
    return {**found, "cpu": found["cpu"] * 1e6 / size, "redis": redis}
