"""Processes that are measured: started together, frozen while others have their turn."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
IDLE = 0.05  # of a core: less than that is no start any more
STARTS_WITHIN = 120.0  # seconds


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used, with its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def family(pid: int) -> list[int]:
    """Return a process and all that it has started, and these, and that still run."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(each for child in children for each in family(int(child)))]


@dataclass(frozen=True)
class Group:
    """A process with all that it starts, as a session of its own."""

    name: str
    process: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    def members(self) -> list[int]:
        """Return the processes of its session."""
        found = []
        for folder in Path("/proc").iterdir():
            with suppress(OSError, ValueError):
                if os.getsid(int(folder.name)) == self.pid:
                    found.append(int(folder.name))
        return found

    def cpu(self) -> float:
        """Return the seconds of processor time that all of them have used."""
        used = 0.0
        for pid in self.members():
            with suppress(OSError):  # it has just ended
                used += cpu_seconds(pid)
        return used

    def send(self, number: signal.Signals) -> None:
        """Send a signal to all of them."""
        for pid in self.members():
            with suppress(ProcessLookupError):
                os.kill(pid, number)


@contextmanager
def started(name: str, command: Sequence[str], environment: Mapping[str, str]) -> Iterator[Group]:
    """Run a process until the end of the block; what it says goes to a log that a failure shows."""
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=None, start_new_session=True
    )
    group = Group(name, process)
    try:
        yield group
    finally:
        group.send(signal.SIGKILL)
        process.wait()


def wait_idle(groups: Sequence[Group]) -> None:
    """Wait until all have started and do next to nothing. Raises RuntimeError if one has ended."""
    deadline, calm = time.monotonic() + STARTS_WITHIN, 0
    used = sum(group.cpu() for group in groups)
    while calm < 3:
        time.sleep(0.5)
        for group in groups:
            if group.process.poll() is not None:
                raise RuntimeError(f"{group.name} ended with {group.process.returncode}")
        before, used = used, sum(group.cpu() for group in groups)
        calm = calm + 1 if used - before < IDLE else 0
        if time.monotonic() > deadline:
            raise RuntimeError(f"{', '.join(group.name for group in groups)}: never idle")
