"""One service's process: started, read, and ended with everything it started itself."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO

from workers.devstack.prefixed_log import PrefixedLog
from workers.devstack.process_reaper import PROCESS_REAPER, kill_group

_LONGEST = 16 * 1024  # bytes of one line that are shown as one; the rest follows as more lines
_REMEMBERED = 500  # lines in which wait_line finds what was printed before it was asked
_LOOK_EVERY = 5.0  # seconds between two looks whether a process hangs
_READ_BY = 1.0  # seconds to read the last words of a process that has ended
_FRAME = " \t│╭╮╰╯─|+-"  # what rich and typer draw around an error


@dataclass(frozen=True)
class Service:
    """A process to keep running.

    `env` is its whole environment (None: as ours). `stop_timeout` is in seconds. An `essential`
    service is not started again: when it ends, all end. `ready` says whether it can do its work
    (an OSError counts as no); `hung` says of its process id why that should be ended and started
    again, or nothing; `on_line` gets every line it prints, in a thread of its own. Neighbours of
    the same `role` are stopped side by side, as several workers are. It inherits our `descriptors`.
    """

    name: str
    argv: Sequence[str] = field(repr=False)  # may hold a URL with a password, as may env
    env: Mapping[str, str] | None = field(default=None, repr=False)
    stop_timeout: float = 10.0
    stop_signal: signal.Signals = signal.SIGTERM
    essential: bool = False
    ready: Callable[[], bool] | None = None
    hung: Callable[[int], str] = lambda _: ""
    on_line: Callable[[str], None] | None = None
    role: str = ""
    descriptors: Sequence[int] = ()


class Child:
    """The process of a service, or the wait for its next start."""

    def __init__(self, service: Service, log: PrefixedLog) -> None:
        self.service = service
        self.restart_at: float | None = None
        self.started_at = 0.0
        self.quick_ends = 0
        self.refusals = 0
        self._look_at = 0.0
        self._kill_at: float | None = None
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: threading.Thread | None = None
        self._lines: deque[str] = deque(maxlen=_REMEMBERED)

    @property
    def pid(self) -> int | None:
        """The process that runs, or None between two of them."""
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, now: float) -> None:
        """Start the process; `now` is by the supervisor's clock."""
        self.started_at, self.restart_at = now, None
        self._look_at, self._kill_at = now + _LOOK_EVERY, None
        self._lines.clear()
        self._process = PROCESS_REAPER.spawn(
            self.service.argv,
            stop_signal=self.service.stop_signal,
            stop_timeout=self.service.stop_timeout,
            env=self._environment(),
            pass_fds=self.service.descriptors,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._reader = threading.Thread(
            target=self._read, args=(self._process.stdout,), name=self.service.name, daemon=True
        )
        self._reader.start()

    def exit_code(self) -> int | None:
        """Return how the process ended (negative: by which signal), None while it runs."""
        return self._process.poll() if self._process else None

    def ready(self) -> bool:
        """Return whether the service can do its work, or if it cannot say, lives."""
        try:
            return self.alive and (self.service.ready is None or self.service.ready())
        except OSError:
            return False

    def end_if_hung(self, now: float) -> str:
        """Have a process end that hangs; return what is to be said of that, if anything."""
        if self.pid is None or now < self._look_at:
            return ""
        self._look_at = now + _LOOK_EVERY
        if self._kill_at is None and (why := self.service.hung(self.pid)):
            self._kill_at = now + self.service.stop_timeout
            self.ask_to_stop()
            return f"{why}: ending it"
        if self._kill_at is not None and now >= self._kill_at:
            kill_group(self.pid)
            return "did not end: killed"
        return ""

    def ask_to_stop(self) -> None:
        """Signal the process alone: what it started is its own to stop, as a warm shutdown does."""
        if self._process:
            self._process.send_signal(self.service.stop_signal)

    def finish(self) -> None:
        """Kill what is left of the process and its group, and read its last words."""
        if self._process is None:
            return
        kill_group(self._process.pid)
        self._process.wait()
        PROCESS_REAPER.release(self._process)
        if self._reader:
            self._reader.join(_READ_BY)
        self._process = None

    def find(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        """Return the first match among the lines that were printed since the start."""
        found = (pattern.search(line) for line in tuple(self._lines))
        return next((match for match in found if match), None)

    def last_words(self) -> str:
        """Return the last printed line that holds words, without the frame around it."""
        worded = (line for line in reversed(tuple(self._lines)) if any(map(str.isalnum, line)))
        return next(worded, "(it printed nothing)").strip(_FRAME)

    def _environment(self) -> dict[str, str]:
        given = os.environ if self.service.env is None else self.service.env
        return {**given, "PYTHONUNBUFFERED": "1"}  # a line shows when it is printed

    def _read(self, stream: IO[bytes]) -> None:
        with stream:
            while raw := stream.readline(_LONGEST):
                self._take(raw.decode(errors="replace").rstrip("\r\n"))

    def _take(self, line: str) -> None:
        self._lines.append(line)
        self._log.write(self.service.name, line)
        if self.service.on_line:
            try:
                self.service.on_line(line)
            except Exception as error:  # noqa: BLE001 - a dead reader would block the process
                self._log.write(self.service.name, f"(on_line failed: {error!r})")


def how_ended(code: int) -> str:
    """Return an exit code in words."""
    return f"exit code {code}" if code >= 0 else f"signal {-code}: {signal.strsignal(-code)}"
