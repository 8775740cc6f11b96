"""Memory of a producer that enqueues many: by looping over the results, and by collecting them."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Column, Table
from dispatcher.store.redis_url import connect
from workers.devstack.embedded_server import EmbeddedServer

MOST = 4.0  # MB that a million may take more than ten thousand, when they are looped over
WARM = 2_000
PRODUCER = """
import asyncio, json, resource, sys, time
from dispatcher import AsyncDispatcher, Dispatcher

def rows(start, end):
    return ({"recipient": f"+8180{n:08d}", "say": "Your parcel has come", "key": f"parcel-{n}"}
            for n in range(start, end))

def highest():  # MB in use, at most so far
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

async def awaited(rows):
    made = 0
    async with AsyncDispatcher.from_url(url) as d:
        async for result in d.call_many(rows):
            made += result.new
    return made

url, way, warm, many = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
d = Dispatcher.from_url(url)
assert all(result.new for result in d.call_many(rows(0, warm)))
before, began = highest(), time.monotonic()
asked = rows(warm, warm + many)
if way == "for":
    made = sum(result.new for result in d.call_many(asked))
elif way == "async for":
    made = asyncio.run(awaited(asked))
else:
    bulk = d.call_many(asked).collect()
    made = len(bulk.jobs)
assert made == many, made
took = time.monotonic() - began
print(json.dumps({"more": highest() - before, "rate": many / took, "before": before}))
"""


COLUMNS = (
    Column("memory in use", "MB", ".1f"),
    Column("of these for the requests", "MB", ".1f"),
    Column("pace", "requests/s"),
)


def run(*, quick: bool) -> Iterator[Table]:
    """Measure what each way takes more than after the first two thousand, in fresh processes."""
    sizes = (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000)
    ways = [(way, size) for way in ("for", "async for") for size in sizes]
    ways.append(("collect", 100_000))
    table = Table("A producer that enqueues many", COLUMNS)
    more: dict[tuple[str, int], float] = {}
    with tempfile.TemporaryDirectory() as folder, EmbeddedServer(Path(folder, "redis")) as redis:
        for way, size in ways:
            with connect(redis.url) as client:
                client.flushall()
            found = _measured(redis.url, way, size)
            more[way, size] = found["more"]
            used = found["before"] + found["more"]
            table.add(f"{way}, {size:,} requests", used, found["more"], found["rate"])
    yield table
    for way in ("for", "async for"):
        grown = more[way, sizes[-1]] - more[way, sizes[0]]
        assert grown <= MOST, f"{sizes[-1]:,} took {grown:.1f} MB more than {sizes[0]:,} ({way})"


def _measured(url: str, way: str, size: int) -> dict[str, float]:
    command = [sys.executable, "-c", PRODUCER, url, way, str(WARM), str(size)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found
