"""What a process tells of itself on its own machine, and whether that is well: pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.model.process import Role
from dispatcher.values.durations import spoken

HANGS_AFTER = 60.0
"""Seconds since its last heartbeat after which a process hangs. One comes every 3 s; where Redis or
the broker does not answer, it comes when that was given up, after some 20 s."""


@dataclass(frozen=True, slots=True)
class LocalHeartbeat:
    """A process at the moment `at` (seconds since the machine's start).

    `ready`: it has begun its work. `unreached`: why Redis was not reached, or empty. `stuck`: what
    it should have done and has not, such as "has not looked for jobs for 2 min", or empty.
    `started` tells it from another process that has its number later; None where nobody knows.
    """

    role: Role
    name: str
    pid: int
    at: float
    ready: bool = False
    unreached: str = ""
    stuck: str = ""
    started: int | None = None

    def __str__(self) -> str:
        return f"{self.role.words} {self.name} (process {self.pid})"


def unhealthy(heartbeat: LocalHeartbeat, now: float) -> str:
    """Return why a process should be started again; empty: it should not.

    Redis or a broker that is away is no reason: a start mends nothing.
    """
    silent = now - heartbeat.at
    return f"has been silent for {spoken(silent)}" if silent > HANGS_AFTER else heartbeat.stuck


def not_ready(heartbeat: LocalHeartbeat, now: float) -> str:
    """Return why a process cannot do its work now, or empty."""
    if why := unhealthy(heartbeat, now):
        return why
    return heartbeat.unreached if heartbeat.ready else "has not begun its work yet"
