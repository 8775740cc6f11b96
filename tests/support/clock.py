"""A clock for decisions."""

from __future__ import annotations

START = 1_700_000_000_000


class Clock:
    """Milliseconds since the epoch that move only when told."""

    def __init__(self) -> None:
        self.ms: float = START
        self.off = 0.0  # ms by which it is ahead of real time

    def __call__(self) -> float:
        return self.ms

    def forward(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)

    def step(self, seconds: float) -> None:
        """Be set to another time, while no time passes."""
        self.forward(seconds)
        self.off += round(seconds * 1000)

    def steady(self) -> float:
        """Return real time in seconds: a clock that nobody sets."""
        return (self.ms - self.off) / 1000
