"""A storm of callbacks on the real stack: none lost, each answered in time, and soon applied."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from benchmarks.figures import Column, Table, percentile
from benchmarks.processes import cpu_seconds
from benchmarks.stand import Bench, bench, numbers
from benchmarks.taking import NO_LIMIT, settle, taken
from dispatcher.model.request import JobRequest
from dispatcher.model.states import State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.values.callback_urls import CallbackUrls, Signer
from workers.devstack.embedded_server import EmbeddedServer

RATE = 1000  # callbacks per second
KEPT = 100  # connections that are used again
APPLIED_WITHIN = 120.0  # seconds after the last one
WAYS = {"kept connections": True, "a connection for each": False}


COLUMNS = (
    Column("sent"),
    Column("pace", "/s"),
    Column("answered 200"),
    Column("p50", "ms"),
    Column("p99", "ms"),
    Column("worst", "ms"),
    Column("gateway's processor", "µs each"),
    Column("all applied after", "s", ".1f"),
    Column("lost"),
)


def run(*, quick: bool) -> Iterator[Table]:
    """Measure what becomes of each storm."""
    seconds = 2 if quick else 10
    table = Table("A storm of callbacks", COLUMNS)
    for way, kept in WAYS.items():
        table.add(way, *_storm(seconds * RATE, kept=kept))
    yield table


def _storm(count: int, *, kept: bool) -> list[float]:
    key = secrets.token_hex(16)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        EmbeddedServer(Path(folder, "redis")) as redis,
    ):
        store = Store.from_url(redis.url)
        ids = uncertain(store, count)
        with bench(workers=1, redis_url=redis.url, secret_key=key) as up:
            url = up.stack.gateway_url or ""
            urls = CallbackUrls(url, Signer([key]), 3600)
            requests = [_request(urls.of(id_, 1, datetime.now(UTC)), id_) for id_ in ids]
            started = time.monotonic()
            gateway = up.stack.supervisor.pid("gateway") or 0
            before = cpu_seconds(gateway)
            answers = asyncio.run(_send(url, requests, kept=kept))
            cpu = (cpu_seconds(gateway) - before) / count
            rate = count / (time.monotonic() - started)
            ended = time.monotonic()
            _applied(up, store, count)
            took, done = time.monotonic() - ended, _completed(store)
    codes = Counter(code for code, _ in answers)
    waits = [wait * 1000 for _, wait in answers]
    marks = [percentile(waits, share) for share in (0.5, 0.99, 1)]
    return [count, rate, codes[200], *marks, cpu * 1e6, took, count - done]


def uncertain(store: Store, count: int) -> list[str]:
    """Make jobs whose answer was lost, and that nobody else touches."""
    store.limiter.publish(NO_LIMIT)
    asked = [JobRequest.of({"recipient": number, "say": "x"}) for number in numbers(count)]
    ids = [each.unwrap().id for each in store.jobs.enqueue_many(asked)]
    lost = Decision(State.UNCERTAIN, "maybe_placed", "the answer was lost", delay=3600)
    for claims in taken(store, count):
        settle(store, claims, lost)
    return ids


def _request(url: str, id_: str) -> bytes:
    parts = urlsplit(url)
    body = urlencode(
        {
            "callid": f"call-{id_}",
            "recipient": "+818023001000",
            "caller": "+815012345678",
            "status": "ANSWERED",
            "cost": "20.0",
            "duration": "12",
            "start_time": "2026-11-25 12:00:00",
            "end_time": "2026-11-25 12:00:12",
            "tags": "",
        }
    )
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


class _Wire(asyncio.Protocol):
    """One request at a time; the answer has no body."""

    answer: asyncio.Future[int]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if not self.answer.done():
            self.answer.set_result(int(data[9:12]))

    def connection_lost(self, _: Exception | None) -> None:
        if not self.answer.done():
            self.answer.set_result(0)

    async def ask(self, request: bytes) -> int:
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self.answer


async def _send(url: str, requests: list[bytes], *, kept: bool) -> list[tuple[int, float]]:
    """Send at the rate, however long the answers take; return each answer's code and wait."""
    loop, parts = asyncio.get_running_loop(), urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    idle: asyncio.LifoQueue[_Wire] = asyncio.LifoQueue()

    async def connect() -> _Wire:
        return (await loop.create_connection(_Wire, host, port))[1]

    async def one(request: bytes) -> tuple[int, float]:
        asked = loop.time()
        wire = await (idle.get() if kept else connect())
        code = await wire.ask(request)
        if kept:
            idle.put_nowait(wire)
        else:
            wire.transport.close()
        return code, loop.time() - asked

    if kept:
        for _ in range(KEPT):
            idle.put_nowait(await connect())
    started, tasks = loop.time(), []
    for n, request in enumerate(requests):
        await asyncio.sleep(max(0.0, started + n / RATE - loop.time()))
        tasks.append(asyncio.create_task(one(request)))
    return await asyncio.gather(*tasks)


def _completed(store: Store) -> int:
    return sum(store.search.counts()[State.COMPLETED].values())


def _applied(up: Bench, store: Store, count: int) -> None:
    up.until(lambda: _completed(store) >= count, APPLIED_WITHIN)
