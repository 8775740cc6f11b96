"""The HTTP API: calls asked for one by one and by the line, and what that takes of the gateway."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from benchmarks.checkout import HERE, Checkout
from benchmarks.figures import Column, Figure, Table, percentile
from benchmarks.processes import cpu_seconds
from benchmarks.stand import numbers
from dispatcher.model.api_key import Scope
from dispatcher.store import Store
from workers.devstack.embedded_server import EmbeddedServer

AT_ONCE = 16


@dataclass(frozen=True)
class Running:
    """A gateway beside a Redis, and keys to it of two clients; nobody dials."""

    pid: int
    port: int
    key: str
    other_key: str
    store: Store

    @property
    def operations(self) -> int:
        """How many operations of ours Redis has run."""
        found = self.store._connection.redis.info("commandstats")  # noqa: SLF001
        return int(found["cmdstat_fcall"]["calls"])

    @property
    def peak(self) -> float:
        """The most memory it ever had, in MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found
        return int(found[1]) / 1024


COLUMNS = (
    Column("a second"),
    Column("p50", "ms", ".1f"),
    Column("p99", "ms", ".1f"),
    Column("gateway's CPU each", "µs"),
    Column("Redis' operations each", "", ".2f"),
    Column("its memory before", "MiB"),
    Column("at most", "MiB"),
)


def run(*, quick: bool, against: Checkout | None = None) -> Iterator[Table]:
    """Measure what each way takes."""
    table = Table("Calls asked for over HTTP", COLUMNS)
    sides = {"": HERE} if against is None else {", now": HERE, f", {against.name}": against}
    for which, code in sides.items():
        with running(code) as gateway:
            row = f"one by one, {AT_ONCE} at once{which}"
            table.add(row, *_singles(gateway, 1000 if quick else 5000))
    for many in (10_000,) if quick else (10_000, 100_000):
        for which, code in sides.items():
            with running(code) as gateway:
                table.add(f"{many:,} lines in one request{which}", *_bulk(gateway, many))
    yield table


@contextmanager
def running(code: Checkout = HERE, **variables: str) -> Iterator[Running]:
    """Run a gateway of this code, or of a commit with the same schema."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        EmbeddedServer(Path(folder, "redis")) as redis,
        socket.create_server(("127.0.0.1", 0)) as free,
    ):
        port = int(free.getsockname()[1])
        free.close()
        store = Store.from_url(redis.url)
        texts = [store.api_keys.create(name, [Scope.ENQUEUE])[1] for name in ("bench", "other")]
        settings = {
            "DISPATCHER_REDIS_URL": redis.url,
            "DISPATCHER_GATEWAY_PORT": str(port),
            "DISPATCHER_LOG_LEVEL": "WARNING",
            **variables,
        }
        command, environment = code.command("workers.run", "gateway"), code.environment(**settings)
        with subprocess.Popen(
            command, cwd=code.root, env=environment, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                assert process.stdout
                assert process.stdout.readline().startswith("listening")
                yield Running(process.pid, port, texts[0], texts[1], store)
            finally:
                process.kill()


def _job(number: str, key: str) -> bytes:
    fields = {"recipient": number, "say": "Your parcel has come", "tags": ["parcels"], "key": key}
    return json.dumps(fields).encode()


# -- one by one ----------------------------------------------------------------------------


def _singles(gateway: Running, count: int) -> Sequence[Figure]:
    asyncio.run(_ask(gateway, count // 10, "warm"))
    memory, cpu, began = gateway.peak, cpu_seconds(gateway.pid), time.monotonic()
    operations = gateway.operations
    waits = asyncio.run(_ask(gateway, count, "measured"))
    took, used = time.monotonic() - began, cpu_seconds(gateway.pid) - cpu
    p50, p99 = (percentile(waits, share) * 1000 for share in (0.5, 0.99))
    each = (gateway.operations - operations) / count
    return count / took, p50, p99, used / count * 1e6, each, memory, gateway.peak


async def _ask(gateway: Running, count: int, what: str) -> list[float]:
    """Ask for so many calls, some at once; return how long each answer took."""
    bodies = iter([_job(n, f"{what}-{i}") for i, n in enumerate(numbers(count))])
    waits: list[float] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        for body in bodies:
            asked = time.monotonic()
            writer.write(_request(gateway, body))
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 202 "), head
            length = re.search(rb"content-length: (\d+)", head)
            assert length
            await reader.readexactly(int(length[1]))
            waits.append(time.monotonic() - asked)
        writer.close()
        await writer.wait_closed()

    await asyncio.gather(*(client() for _ in range(AT_ONCE)))
    return waits


def _request(gateway: Running, body: bytes) -> bytes:
    head = (
        "POST /v1/jobs HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {gateway.key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


# -- by the line ---------------------------------------------------------------------------


def _bulk(gateway: Running, many: int) -> Sequence[Figure]:
    body = b"".join(_job(n, f"row-{i}") + b"\n" for i, n in enumerate(numbers(many)))
    headers = {
        "Authorization": f"Bearer {gateway.key}",
        "Content-Type": "application/x-ndjson",
    }
    url = f"http://127.0.0.1:{gateway.port}/v1/jobs/bulk"
    memory, cpu, began = gateway.peak, cpu_seconds(gateway.pid), time.monotonic()
    operations = gateway.operations
    answer = requests.post(url, data=body, headers=headers, timeout=600)
    took, used = time.monotonic() - began, cpu_seconds(gateway.pid) - cpu
    summary = json.loads(answer.content.splitlines()[-1])["summary"]
    assert summary["new"] == many, summary
    each = (gateway.operations - operations) / many
    return many / took, None, None, used / many * 1e6, each, memory, gateway.peak
