"""What a process knows of Redis' clock, so that the limiter sees it jump ahead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Reckoning:
    """The latest moment of Redis' clock that the limiter told this process, and the time since.

    `steady` returns seconds of a clock that nobody sets. None: nothing is kept.
    """

    def __init__(self, steady: Callable[[], float] | None) -> None:
        self._steady = steady
        self._told: tuple[float, float] | None = None

    def tell(self, moment: bytes | str) -> None:
        """Take in the moment of an answer that came just now, in µs; '' tells nothing."""
        if self._steady and moment:
            self._told = int(moment) / 1000, self._steady()

    def arguments(self) -> dict[str, Any]:
        """Return what an operation is told of it, in ms; nothing where nothing is known."""
        if self._steady is None or self._told is None:
            return {}
        known, at = self._told
        return {"known": known, "passed": (self._steady() - at) * 1000}
