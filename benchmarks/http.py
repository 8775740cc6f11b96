"""The HTTP API: calls asked for one by one and by the line, and what that takes of the gateway."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack

import requests

from benchmarks import gateways, load
from benchmarks.checkout import HERE, Checkout
from benchmarks.figures import Column, Figure, Table, percentile
from benchmarks.gateways import Running
from benchmarks.stand import numbers

AT_ONCE = (16, 20, 32)
TURNS = 3
SEVERAL = 2
"""Processes of a gateway that has more than one: as many as there are cores."""
COLUMNS = (
    Column("a second"),
    Column("p50", "ms", ".1f"),
    Column("p99", "ms", ".1f"),
    Column("gateway's CPU each", "µs"),
    Column("Redis' CPU each", "µs"),
    Column("client's CPU each", "µs"),
    Column("Redis' operations each", "", ".2f"),
    Column("its memory before", "MiB"),
    Column("at most", "MiB"),
)
Measure = Callable[[Running, int, str], Sequence[float | None]]
"""Asks a gateway for so many calls, with keys that begin so; returns the figures of a row."""
Sides = Mapping[str, tuple[Checkout, Mapping[str, str]]]
"""What a row's name ends with, the code of its gateway, and its settings."""


def run(*, quick: bool, against: Checkout | None = None) -> Iterator[Table]:
    """Measure what each way takes: of one process and of several, or beside another commit."""
    table = Table("Calls asked for over HTTP", COLUMNS)
    for at_once in AT_ONCE:
        name, singles = f"one by one, {at_once} at once", Singles(at_once)
        _add(table, name, singles, 1000 if quick else 5000, _sides(against, SEVERAL))
    for many in (10_000,) if quick else (10_000, 100_000):  # a request with lines is of one process
        _add(table, f"{many:,} lines in one request", _bulk, many, _sides(against))
    yield table


def _add(table: Table, name: str, measure: Measure, many: int, sides: Sides) -> None:
    """Add a row for each gateway: they take turns, so that all meet the same machine."""
    with ExitStack() as stack:
        there = {
            side: stack.enter_context(gateways.running(code, **variables))
            for side, (code, variables) in sides.items()
        }
        for gateway in there.values():
            measure(gateway, many // 10, "warm")
        found: dict[str, list[Sequence[float | None]]] = {side: [] for side in there}
        for turn in range(TURNS):
            for side, gateway in there.items():
                found[side].append(measure(gateway, many, f"turn-{turn}"))
    for side, turns in found.items():
        table.add(f"{name}{side}", *map(_figure, zip(*turns, strict=True)))


def _sides(against: Checkout | None, *processes: int) -> Sides:
    """Return the gateways: one process of this code, so many, and one of the other commit."""
    several = {f", {n} processes": {"DISPATCHER_GATEWAY_PROCESSES": str(n)} for n in processes}
    ours = {side: (HERE, variables) for side, variables in {"": {}, **several}.items()}
    return ours if against is None else {**ours, f", {against.name}": (against, {})}


def _figure(turns: Sequence[float | None]) -> Figure:
    given = [figure for figure in turns if figure is not None]
    return given or None


def _measured(gateway: Running, many: int, ask: Callable[[], list[float]]) -> list[float | None]:
    """Ask, and return the figures of a row."""
    memory, operations = gateway.peak, gateway.operations
    used = gateway.cpu, gateway.redis_cpu, _own_cpu()
    began = time.monotonic()
    waits = ask()
    took = time.monotonic() - began
    uses = zip(used, (gateway.cpu, gateway.redis_cpu, _own_cpu()), strict=True)
    cpu = [(after - before) / many * 1e6 for before, after in uses]
    shares = [percentile(waits, share) * 1000 for share in (0.5, 0.99)] if waits else [None, None]
    each = (gateway.operations - operations) / many
    return [many / took, *shares, *cpu, each, memory, gateway.peak]


def _own_cpu() -> float:
    return sum(os.times()[:2])


def _job(number: str, key: str) -> bytes:
    fields = {"recipient": number, "say": "Your parcel has come", "tags": ["parcels"], "key": key}
    return json.dumps(fields).encode()


# -- one by one ----------------------------------------------------------------------------


class Singles:
    """Asks for calls one by one, on so many connections at once."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once

    def __call__(self, gateway: Running, many: int, name: str) -> Sequence[float | None]:
        jobs = (_job(n, f"{name}-{i}") for i, n in enumerate(numbers(many)))
        asked = [_request(gateway, job) for job in jobs]
        accepted = b"HTTP/1.1 202 "
        return _measured(
            gateway, many, lambda: load.ask(gateway.port, asked, self._at_once, accepted)
        )


def _request(gateway: Running, body: bytes) -> bytes:
    head = (
        "POST /v1/jobs HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {gateway.key}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


# -- by the line ---------------------------------------------------------------------------


def _bulk(gateway: Running, many: int, name: str) -> Sequence[float | None]:
    body = b"".join(_job(n, f"{name}-{i}") + b"\n" for i, n in enumerate(numbers(many)))
    return _measured(gateway, many, lambda: _send(gateway, body, many))


def _send(gateway: Running, body: bytes, many: int) -> list[float]:
    """Send all lines in one request. Each must be a new call; nobody times single ones."""
    headers = {
        "Authorization": f"Bearer {gateway.key}",
        "Content-Type": "application/x-ndjson",
    }
    url = f"http://127.0.0.1:{gateway.port}/v1/jobs/bulk"
    answer = requests.post(url, data=body, headers=headers, timeout=600)
    summary = json.loads(answer.content.splitlines()[-1])["summary"]
    assert summary["new"] == many, summary
    return []
