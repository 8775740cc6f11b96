"""How long this gateway takes to begin an answer, for `/metrics`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from prometheus_client import Histogram, values
from prometheus_client.core import Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NAME: Final = "voice_dispatcher_gateway_answer_seconds"
HELP: Final = "Seconds until this gateway began to answer, by route."
LABELS: Final = ("method", "route")
BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Latency(Collector):
    """Counts answers. What no route is there for is not told of: a stranger may ask for anything,
    and each path would be a series of its own.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.clock = clock
        self._seconds = Histogram(NAME, HELP, LABELS, buckets=BUCKETS, registry=None)

    def note(self, scope: Scope, seconds: float) -> None:
        """Count an answer, if a route gave it."""
        if route := getattr(scope.get("route"), "path", ""):
            self._seconds.labels(scope["method"], route).observe(seconds)

    def collect(self) -> Iterator[Metric]:
        yield from self._seconds.collect()


class LatencyOfAll(Latency):
    """The same, told of all processes of a gateway; `number` is that of this one.

    Each has a file in `folder`, where the next in its place goes on counting: what is told never
    goes back.
    """

    def __init__(self, folder: Path, number: int) -> None:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
        values.ValueClass = values.MultiProcessValue(lambda: number)  # type: ignore[no-untyped-call]
        super().__init__()
        self._of_all = MultiProcessCollector(None, str(folder))  # type: ignore[no-untyped-call]

    def collect(self) -> Iterator[Metric]:
        yield from self._of_all.collect()  # type: ignore[no-untyped-call]


class Timed:
    """ASGI middleware that has each answer counted."""

    def __init__(self, app: ASGIApp, latency: Latency) -> None:
        self._app, self._latency = app, latency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            send = partial(self._send, send, scope, self._latency.clock())
        await self._app(scope, receive, send)

    async def _send(self, send: Send, scope: Scope, began: float, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._latency.note(scope, self._latency.clock() - began)
        await send(message)
