"""What the provider saw: how many requests, how fast, how many at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from aiohttp.web import RequestHandler

from dispatcher.sandbox.clock import Clock
from dispatcher.sandbox.limits import WorstSecond


@dataclass(slots=True)
class Seen:
    """One request; `result` is the HTTP status it was answered with, or `cut`."""

    result: str = "cut"


class Traffic:
    """Counts the requests to the provider's API; the control endpoints are not part of it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._connections: set[RequestHandler] = set()
        self.total = 0
        self.by_status: Counter[str] = Counter()
        self.by_kind: Counter[str] = Counter()
        self.accepted = 0
        self.all_seconds = WorstSecond()
        self.accepted_seconds = WorstSecond()
        self.under_way = 0
        self.peak_requests = 0
        self.peak_connections = 0

    @contextmanager
    def request(self, kind: str, connection: RequestHandler) -> Iterator[Seen]:
        """Count a request from its arrival until its answer is ready to go."""
        self._arrived(kind, connection)
        seen = Seen()
        try:
            yield seen
        finally:
            self.under_way -= 1
            self.by_status[seen.result] += 1

    def accept(self) -> None:
        """Count a request that the rate limit let through."""
        self.accepted += 1
        self.accepted_seconds.add(self._clock.now())

    def _arrived(self, kind: str, connection: RequestHandler) -> None:
        self.total += 1
        self.by_kind[kind] += 1
        self.all_seconds.add(self._clock.now())
        self.under_way += 1
        self.peak_requests = max(self.peak_requests, self.under_way)
        if connection not in self._connections:
            self._connect(connection)

    def _connect(self, connection: RequestHandler) -> None:
        self._connections = {each for each in self._connections if each.transport is not None}
        self._connections.add(connection)
        self.peak_connections = max(self.peak_connections, len(self._connections))
