"""A clock for decisions."""

from __future__ import annotations

START = 1_700_000_000_000


class Clock:
    """Milliseconds since the epoch that move only when told."""

    def __init__(self) -> None:
        self.ms: float = START

    def __call__(self) -> float:
        return self.ms

    def forward(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)
