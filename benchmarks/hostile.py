"""One client with 2,000 connections and waits: what is left for the others."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import requests

from benchmarks import gateways
from benchmarks.checkout import HERE
from benchmarks.circumstances import ROOT
from benchmarks.figures import Column, Figure, Table, percentile
from benchmarks.gateways import Running
from benchmarks.stand import numbers
from dispatcher.values.callback_urls import Signer

BETWEEN = 0.05  # seconds between two requests of each kind
BEGUN = 5.0  # seconds after which the flood is under way
WITHIN = 10.0  # seconds after which an answer is no answer
BEHIND_A_PROXY = {"DISPATCHER_TRUSTED_PROXIES": "127.0.0.0/8"}
Asked = tuple[int, float]
"""The status, 0 for no answer, and the seconds that it took."""


COLUMNS = (
    Column("answered"),
    Column("p50", "ms"),
    Column("p99", "ms"),
    Column("worst", "ms"),
)


def run(*, quick: bool) -> Iterator[Table]:
    """Measure how the others fare."""
    count = 60 if quick else 600
    table = Table("What others get, with a flooder and without", COLUMNS)
    for where in ("away", "there"):
        for what, figures in _measured(count, flood=where == "there"):
            table.add(f"flooder {where}: {what}", *figures)
    yield table


def _measured(count: int, *, flood: bool) -> Iterator[tuple[str, list[Figure]]]:
    secret = secrets.token_hex(16)
    with (
        gateways.running(HERE, **BEHIND_A_PROXY, DISPATCHER_SECRET_KEY=secret) as gateway,
        _flooded(gateway) if flood else nullcontext(),
    ):
        found = asyncio.run(_others(gateway, Signer([secret]), count))
    for what, asked in found.items():
        codes = Counter(code for code, _ in asked)
        waits = [wait * 1000 for _, wait in asked]
        told = ", ".join(f"{code or 'none'}: {many}" for code, many in codes.most_common())
        yield what, [told, *(percentile(waits, share) for share in (0.5, 0.99, 1))]


@contextmanager
def _flooded(gateway: Running) -> Iterator[None]:
    """Have one client do all it can."""
    job = requests.post(
        f"http://127.0.0.1:{gateway.port}/v1/jobs",
        json={"recipient": "+818012340001", "say": "x", "at": "1h"},
        headers={"Authorization": f"Bearer {gateway.key}"},
        timeout=10,
    ).json()["id"]
    command = [sys.executable, "-m", "benchmarks.flooder", str(gateway.port), gateway.key, job]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert process.stdout.readline().startswith("flooding")
            time.sleep(BEGUN)
            yield
        finally:
            process.kill()


async def _others(gateway: Running, signer: Signer, count: int) -> dict[str, list[Asked]]:
    """Do what others do, each time on a connection of its own: three kinds side by side."""
    recipients = iter(list(numbers(count)))
    expires = int(time.time()) + 3600
    kinds: dict[str, Callable[[], bytes]] = {
        "another's call": lambda: _call(gateway.other_key, next(recipients)),
        "a callback": lambda: _callback(signer, expires),
        "`/healthz`": lambda: b"GET /healthz HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n",
    }
    done = await asyncio.gather(*(_some(gateway.port, make, count) for make in kinds.values()))
    return dict(zip(kinds, done, strict=True))


async def _some(port: int, make: Callable[[], bytes], count: int) -> list[Asked]:
    tasks = []
    for _ in range(count):
        tasks.append(asyncio.create_task(_ask(port, make())))
        await asyncio.sleep(BETWEEN)
    return await asyncio.gather(*tasks)


async def _ask(port: int, request: bytes) -> Asked:
    began = time.monotonic()
    try:
        async with asyncio.timeout(WITHIN):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            answer = await reader.read()
            writer.close()
    except (TimeoutError, OSError):
        answer = b""
    found = re.match(rb"HTTP/1.1 (\d+)", answer)
    return int(found[1]) if found else 0, time.monotonic() - began


def _call(key: str, recipient: str) -> bytes:
    body = json.dumps({"recipient": recipient, "say": "Your parcel has come", "at": "1h"})
    head = f"Authorization: Bearer {key}\r\nX-Forwarded-For: 192.0.2.7\r\n"
    return _post("/v1/jobs", head, "application/json", body)


def _callback(signer: Signer, expires: int) -> bytes:
    job = f"bench{secrets.token_hex(8).translate(str.maketrans('0189', 'abcd'))[:11]}"
    body = f"callid=call-{os.urandom(4).hex()}&status=ANSWERED&cost=20.0&duration=12"
    return _post(signer.path(job, 1, expires), "", "application/x-www-form-urlencoded", body)


def _post(path: str, head: str, kind: str, body: str) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n{head}"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
