"""The provider's rate limit: a true sliding window, kept to the request."""

from __future__ import annotations

import math
from collections import deque


class Throttle:
    """Counts the requests let through; refused ones do not count."""

    def __init__(self) -> None:
        self._accepted: deque[float] = deque()

    def wait(self, now: float, rate: float | None) -> int | None:
        """Let a request through (None), or return the whole seconds until one would be.

        `rate` is per second and may be a fraction: 5 is five in any one second, 0.5 is one in
        any two, 2.5 is three in any 1.2 seconds.
        """
        if rate is None:
            return None
        most = math.ceil(rate)
        window = most / rate
        while self._accepted and self._accepted[0] <= now - window:
            self._accepted.popleft()
        if len(self._accepted) < most:
            self._accepted.append(now)
            return None
        # Where the rate was lowered a moment ago, more than one has to leave the window.
        leaves = self._accepted[len(self._accepted) - most]
        return max(1, math.ceil(leaves + window - now))


class WorstSecond:
    """The most events that any one second has seen."""

    def __init__(self) -> None:
        self.worst = 0
        self._last: deque[float] = deque()

    def add(self, now: float) -> None:
        self._last.append(now)
        while self._last[0] <= now - 1:
            self._last.popleft()
        self.worst = max(self.worst, len(self._last))
