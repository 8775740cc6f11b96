"""A rate as people write it: `5`, `0.5`, `60/minute`, `1000/hour`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from dispatcher.errors import DispatcherError

SLOWEST, FASTEST = 1 / 86_400, 10_000.0
"""Requests per second: one a day, and more than any such provider takes."""
MOST = 1_000_000
"""Requests in one window: when each went out is kept."""

_RATE = re.compile(r"(\d+(?:\.\d+)?)(?:\s*/\s*(s|sec|second|m|min|minute|h|hour|d|day))?", re.ASCII)
_PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_NAMES = {60: "min", 3600: "h", 86_400: "day"}
_ACCEPTED = "write requests per second (5, 0.5), or 60/minute, 1000/hour, 5000/day"


def period_of(window: float) -> int:
    """Return the period of a rate whose window is so many seconds long."""
    return max((each for each in _PERIODS.values() if each <= window), default=1)


class InvalidRate(DispatcherError, ValueError):
    """Not a rate; write requests per second, or such as 60/minute."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests per second, as counted in windows of about `period` seconds."""

    per_second: float
    period: int = 1

    @classmethod
    def parse(cls, value: str | float) -> Rate:
        """Return the rate. Raises InvalidRate, also for 0, negative and absurd ones."""
        text = str(value).strip().lower()
        found = _RATE.fullmatch(text)
        if not found:
            raise InvalidRate(f"{value!r} is not a rate: {_ACCEPTED}")
        period = _PERIODS[(found[2] or "s")[0]]
        number = float(found[1]) / period
        if not math.isfinite(number) or not SLOWEST <= number <= FASTEST:
            raise InvalidRate(
                f"{value!r} is not a sensible rate: from 1/day to {FASTEST:g} a second"
            )
        if (rate := cls(number, period)).count > MOST:
            raise InvalidRate(f"{value!r} is too many in one window: {MOST} at most")
        return rate

    @property
    def count(self) -> int:
        """Return how many requests are the most of one window."""
        return max(1, math.floor(self.per_second * self.period + 1e-6))

    @property
    def window(self) -> float:
        """Return the seconds of one window: the period, or longer or shorter where the rate is no
        whole number of requests in it.
        """
        return self.count / self.per_second

    def __str__(self) -> str:
        if self.period in _NAMES:
            return f"{self.per_second * self.period:g}/{_NAMES[self.period]}"
        if self.per_second >= 1:
            return f"{self.per_second:g}/s"
        per_minute = self.per_second * 60
        return f"{per_minute:g}/min" if per_minute >= 1 else f"{per_minute * 60:g}/h"
