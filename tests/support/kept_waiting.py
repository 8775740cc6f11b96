"""How long a process waits for a processor, on a busy machine: no part of a promise in seconds.

Linux only: elsewhere nobody waits.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


class KeptWaiting:
    """The seconds that a process' threads, all together, have been ready and did not run, from now
    to the last `look`.
    """

    def __init__(self, pid: int) -> None:
        self._threads = Path(f"/proc/{pid}/task")
        self._latest: dict[Path, int] = {}
        self.look()
        self._before = sum(self._latest.values())

    @property
    def seconds(self) -> float:
        return (sum(self._latest.values()) - self._before) / 1e9

    def look(self) -> None:
        """Take note; what was noted of a thread that has ended stays."""
        for file in self._threads.glob("*/schedstat"):
            with suppress(OSError, IndexError):  # it has ended
                self._latest[file] = int(file.read_text().split()[1])  # ns
