"""What a process knows of the limiter's time, so that the limiter sees Redis' clock jump ahead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Reckoning:
    """The latest reading of the limiter's time that this process was told, and the time since.

    `steady` returns seconds of a clock that nobody sets. None: nothing is kept.
    """

    def __init__(self, steady: Callable[[], float] | None) -> None:
        self._steady = steady
        self._told: tuple[str, float] | None = None

    def tell(self, reading: bytes) -> None:
        """Take in the reading of an answer that came just now; b"" tells nothing."""
        if self._steady and reading:
            self._told = reading.decode(), self._steady()

    def arguments(self) -> dict[str, Any]:
        """Return what an operation is told of it; nothing where nothing is known."""
        if self._steady is None or self._told is None:
            return {}
        reading, at = self._told
        return {"reading": reading, "passed": (self._steady() - at) * 1000}
