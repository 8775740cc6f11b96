"""The provider's rate limit: a true sliding window, kept to the request.

It is the throttle of the provider's framework, Django REST framework: the times of granted requests
of the last second, minute, hour or day are kept; a refused request does not count; the wait that is
told is the time until the oldest leaves the window. Where more are in it than may be, because the
limit was lowered, none is told.
"""

from __future__ import annotations

import math
import re
from collections import deque
from dataclasses import dataclass

_TEXT = re.compile(r"(\d{1,7})/(s|sec|second|m|min|minute|h|hour|d|day)", re.ASCII)
_PERIODS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_SLOWEST, _FASTEST = 0.001, 1e6
NO_TIME = 0
"""Refused, and the framework tells no time."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many requests in any `window` of so many seconds."""

    most: int
    window: float

    @classmethod
    def parse(cls, value: object) -> Limit:
        """Return the limit of `60/min`, or of a number per second, which may be a fraction: 5 is
        five in any one second, 0.5 is one in any two, 2.5 is three in any 1.2 seconds.

        Raises ValueError.
        """
        if isinstance(value, str) and (found := _TEXT.fullmatch(value)) and int(found[1]) > 0:
            return cls(int(found[1]), _PERIODS[found[2][0]])
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not _SLOWEST <= value <= _FASTEST:  # type: ignore[operator]
            raise ValueError(
                f"rate is {value!r}: it must be a number from {_SLOWEST:g} to {_FASTEST:g}"
                " (requests per second), or such as 60/min (N/s, N/min, N/hour, N/day)"
            )
        most = math.ceil(value)  # type: ignore[call-overload]
        return cls(most, most / value)


class Throttle:
    """Counts the requests let through; refused ones do not count."""

    def __init__(self) -> None:
        self._accepted: deque[float] = deque()

    def wait(self, now: float, limit: Limit | None) -> int | None:
        """Let a request through (None), or return the whole seconds until one would be, as they
        are told: NO_TIME where none are.
        """
        if limit is None:
            return None
        while self._accepted and self._accepted[0] <= now - limit.window:
            self._accepted.popleft()
        if len(self._accepted) < limit.most:
            self._accepted.append(now)
            return None
        if len(self._accepted) > limit.most:
            return NO_TIME
        return max(1, math.ceil(self._accepted[0] + limit.window - now))


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
