"""A rate as people write it: `5`, `0.5`, `30/minute`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from dispatcher.errors import DispatcherError

SLOWEST, FASTEST = 1 / 3600, 10_000.0
"""Requests per second: one an hour, and more than any such provider takes."""

_RATE = re.compile(r"(\d+(?:\.\d+)?)(?:\s*/\s*(s|second|m|min|minute|h|hour))?", re.ASCII)
_PERIODS = {"s": 1, "m": 60, "h": 3600}
_ACCEPTED = "write requests per second (5, 0.5), or 30/minute"


class InvalidRate(DispatcherError, ValueError):
    """Not a rate; write requests per second, or such as 30/minute."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests per second."""

    per_second: float

    @classmethod
    def parse(cls, value: str | float) -> Rate:
        """Return the rate. Raises InvalidRate, also for 0, negative and absurd ones."""
        text = str(value).strip().lower()
        found = _RATE.fullmatch(text)
        if not found:
            raise InvalidRate(f"{value!r} is not a rate: {_ACCEPTED}")
        number = float(found[1]) / _PERIODS[(found[2] or "s")[0]]
        if not math.isfinite(number) or not SLOWEST <= number <= FASTEST:
            raise InvalidRate(
                f"{value!r} is not a sensible rate: from 1/hour to {FASTEST:g} a second"
            )
        return cls(number)

    def __str__(self) -> str:
        if self.per_second >= 1:
            return f"{self.per_second:g}/s"
        per_minute = self.per_second * 60
        return f"{per_minute:g}/min" if per_minute >= 1 else f"{per_minute * 60:g}/h"
