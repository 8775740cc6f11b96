"""Whether the processes of some roles are well, by their heartbeats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from dispatcher.model.process import Role
from workers.health.local_heartbeat import LocalHeartbeat

Judge = Callable[[LocalHeartbeat, float], str]
"""Returns what is wrong with a process at a moment, or empty: `unhealthy`, `not_ready`."""


def troubles(
    heartbeats: Sequence[LocalHeartbeat], roles: Iterable[Role], judge: Judge, now: float
) -> list[str]:
    """Return a sentence for each process with which something is wrong, and for each of the roles
    that has none.
    """
    told = {heartbeat.role for heartbeat in heartbeats}
    missing = [f"no {role.words} runs here" for role in roles if role not in told]
    found = [f"{heartbeat} {why}" for heartbeat in heartbeats if (why := judge(heartbeat, now))]
    return missing + found
