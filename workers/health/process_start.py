"""When a process was started: the kernel gives its number to another one once it has ended."""

from __future__ import annotations

from pathlib import Path

PROC = Path("/proc")
_STARTED = 19
"""The place of the start among what follows the name, which may hold blanks (proc_pid_stat(5))."""


def started(pid: int, proc: Path = PROC) -> int | None:
    """Return when a process was started, in ticks of the kernel since the machine's start; None
    where that is not known: there is no such process, or a system without /proc.
    """
    try:
        return int((proc / str(pid) / "stat").read_text().rpartition(")")[2].split()[_STARTED])
    except (OSError, ValueError, IndexError):
        return None
