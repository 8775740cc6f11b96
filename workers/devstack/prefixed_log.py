"""One log for many processes: every line says whose it is."""

from __future__ import annotations

import queue
import threading
import time
from itertools import cycle
from typing import TextIO

from rich.color import ColorSystem
from rich.console import Console
from rich.style import Style

_COLOURS = ("cyan", "magenta", "green", "yellow", "blue", "bright_red", "bright_cyan")
_MOST_WAITING = 2000  # lines: a burst fits, and the longest possible ones take some 30 MB
_PATIENCE = 1.0  # seconds a process is slowed for a log that is slow, before lines are left out


class PrefixedLog:
    """Writes whole lines to a file or terminal from a thread of its own.

    A terminal that was paused (Ctrl-S) or a pager that is not read must not stop the processes:
    they wait a second for room once, then lines are left out and counted until there is room.
    Colours come where rich finds a terminal that has them, and NO_COLOR is not set.
    """

    def __init__(self, target: TextIO) -> None:
        self._target = target
        console = Console(file=target)
        self._plain = console.no_color or console.color_system is None
        self._prefixes: dict[str, str] = {}
        self._styles: dict[str, str] = {}
        self._colours = cycle(_COLOURS)
        self._left_out = 0
        self._lines: queue.Queue[tuple[str, str] | None] = queue.Queue(_MOST_WAITING)
        self._writer = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._writer.start()

    def add(self, name: str, style: str = "") -> None:
        """Make room for a name, so that the lines of all are aligned."""
        if name not in self._styles:
            self._styles[name] = style or next(self._colours)
            width = max(map(len, self._styles))
            self._prefixes = {each: self._prefix(each, width) for each in self._styles}

    def write(self, name: str, line: str) -> None:
        """Queue one line (without its line break); waits for room a second at most."""
        try:
            self._lines.put((name, line), timeout=0 if self._left_out else _PATIENCE)
        except queue.Full:
            self._left_out += 1

    def close(self, timeout: float = 2.0) -> None:
        """Write what is queued, for `timeout` seconds at most; later lines are lost."""
        deadline = time.monotonic() + timeout
        try:
            self._lines.put(None, timeout=timeout)
        except queue.Full:
            return
        self._writer.join(max(0.0, deadline - time.monotonic()))

    def _prefix(self, name: str, width: int) -> str:
        text = f"{name:<{width}} |"
        if self._plain:
            return text
        return Style.parse(self._styles[name]).render(text, color_system=ColorSystem.STANDARD)

    def _write_all(self) -> None:
        while entry := self._lines.get():
            self._write_one(*entry)
            if self._left_out:
                count, self._left_out = self._left_out, 0
                self._write_one(entry[0], f"(nobody reads the log: {count} lines were left out)")

    def _write_one(self, name: str, line: str) -> None:
        text = f"{self._prefixes.get(name, name)} {line}\n"
        encoding = getattr(self._target, "encoding", None) or "utf-8"
        try:
            self._target.write(text.encode(encoding, "replace").decode(encoding))
            if self._lines.empty():
                self._target.flush()
        except (OSError, ValueError):
            return  # the reader of the log is gone; the processes go on
