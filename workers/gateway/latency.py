"""How long this gateway takes to begin an answer, for `/metrics`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from prometheus_client import Histogram
from prometheus_client.core import HistogramMetricFamily
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

    def collect(self) -> Iterator[HistogramMetricFamily]:
        yield from self._seconds.collect()  # type: ignore[misc]


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
