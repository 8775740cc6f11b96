"""The sandbox's time: one clock that never jumps, and the UTC it stands for."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime


class Clock:
    """Seconds of a monotonic clock; asyncio's loops count by the same one."""

    def __init__(
        self, now: Callable[[], float] = time.monotonic, wall: Callable[[], float] = time.time
    ) -> None:
        self.now = now
        self._offset = wall() - now()

    def provider_time(self, at: float) -> str:
        """Return `YYYY-MM-DD HH:MM:SS` in UTC, as the provider writes times."""
        return self._utc(at).strftime("%Y-%m-%d %H:%M:%S")

    def iso(self, at: float) -> str:
        """Return ISO 8601 in UTC with milliseconds, as the control endpoints write times."""
        return self._utc(at).isoformat(timespec="milliseconds")

    def _utc(self, at: float) -> datetime:
        return datetime.fromtimestamp(at + self._offset, UTC)
