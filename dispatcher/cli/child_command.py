"""Runs somebody's command as if it ran by itself: output, exit code and signals pass through."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import FrameType
from typing import IO, Any, Final, Self

NOT_FOUND, NOT_EXECUTABLE, TIMED_OUT = 127, 126, 124
"""The exit codes of shells, and of timeout(1)."""
OF_SIGNALS: Final = 128
"""What is added to a signal's number, as shells do."""
PATIENCE: Final = 10.0
"""Seconds from SIGTERM to SIGKILL, where the time is over."""
DRAIN: Final = 0.5
"""Seconds for the last of what it wrote: what it has left in the background may hold the pipe."""
MOST_LINES: Final = 10
MOST_OF_A_LINE: Final = 500
PASSED_ON: Final = (
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: `code` as a shell has it; `how` in words, behind its name; `seconds`
    that it took; the last lines that it wrote to stderr. `interrupted`: somebody pressed Ctrl-C.
    """

    code: int
    how: str
    seconds: float
    lines: tuple[str, ...] = ()
    interrupted: bool = False


class Tail:
    """Passes a stream on as it comes, and keeps the last lines."""

    def __init__(self, source: IO[bytes] | None, to: IO[bytes]) -> None:
        self._source, self._to = source, to
        self._kept: deque[bytes] = deque([b""], maxlen=MOST_LINES + 1)
        self._thread = threading.Thread(target=self._run, name="stderr", daemon=True)
        self._thread.start()

    def end(self) -> tuple[str, ...]:
        """Return the last lines, of what has come by a moment from now."""
        self._thread.join(DRAIN)
        lines = [line.decode(errors="replace").strip() for line in list(self._kept)]
        return tuple(line for line in lines if line)[-MOST_LINES:]

    def _run(self) -> None:
        """Read to the end. Nobody else closes it: its number would become another file's."""
        if self._source is None:
            return
        with self._source as source:
            while chunk := os.read(source.fileno(), 65536):
                with suppress(OSError, ValueError):  # nobody reads ours: the command need not know
                    self._to.write(chunk)
                    self._to.flush()
                self._keep(chunk)

    def _keep(self, chunk: bytes) -> None:
        first, *rest = chunk.split(b"\n")
        self._kept[-1] = (self._kept[-1] + first)[-MOST_OF_A_LINE:]
        self._kept.extend(line[-MOST_OF_A_LINE:] for line in rest)


class Relay:
    """Passes on the signals that we are sent, inside a `with`: also those that come before the
    command has started. `heard` are their numbers.
    """

    def __init__(self, *, own_group: bool) -> None:
        self.heard: list[int] = []
        self._own_group = own_group
        self._child: subprocess.Popen[bytes] | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._take) for number in PASSED_ON}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def attach(self, child: subprocess.Popen[bytes]) -> None:
        """Say who is to get them from now on."""
        self._child = child
        for number in self.heard:
            self.send(number)

    def send(self, number: int) -> None:
        """Send a signal to the command, and to all that it started where it has its own group."""
        if self._child is None or self._child.returncode is not None:
            return
        with suppress(ProcessLookupError):  # it ended meanwhile
            if self._own_group:
                os.killpg(self._child.pid, number)
            else:
                self._child.send_signal(number)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        """A terminal sends what is typed there to both of us."""
        self.heard.append(number)
        if self._own_group or number not in (signal.SIGINT, signal.SIGQUIT):
            self.send(number)


def run(argv: Sequence[str], timeout: float | None = None) -> Ended:
    """Run a command to its end, or for `timeout` seconds. Raises nothing for what it does."""
    began = time.monotonic()
    own_group = not sys.stdin.isatty()  # at a terminal it must stay in the one that may read there
    group = 0 if own_group else None
    with Relay(own_group=own_group) as relay:
        try:
            child = subprocess.Popen(argv, stderr=subprocess.PIPE, process_group=group)  # noqa: S603 - it is what was asked for
        except OSError as error:
            return _not_started(argv[0], error)
        tail = Tail(child.stderr, sys.stderr.buffer)
        relay.attach(child)
        late = _wait(child, timeout, relay)
        how = _ended(child.returncode, time.monotonic() - began, late=late)
    interrupted = signal.SIGINT in relay.heard
    return replace(how, lines=tail.end(), interrupted=interrupted)


def _not_started(name: str, error: OSError) -> Ended:
    missing = isinstance(error, FileNotFoundError)
    how = "was not found" if missing else f"cannot be run ({error.strerror})"
    sys.stderr.write(f"{name}: {error.strerror}\n")
    return Ended(NOT_FOUND if missing else NOT_EXECUTABLE, how, 0.0)


def _wait(child: subprocess.Popen[bytes], timeout: float | None, relay: Relay) -> bool:
    """Wait for the end; return whether it was brought about because the time was over."""
    try:
        child.wait(timeout)
    except subprocess.TimeoutExpired:
        relay.send(signal.SIGTERM)
    else:
        return False
    try:
        child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        relay.send(signal.SIGKILL)
        child.wait()
    return True


def _ended(status: int, seconds: float, *, late: bool) -> Ended:
    if late:
        return Ended(TIMED_OUT, "did not end in time", seconds)
    if status >= 0:
        return Ended(status, f"ended with exit code {status}", seconds)
    return Ended(OF_SIGNALS - status, f"was ended by {signal.Signals(-status).name}", seconds)
