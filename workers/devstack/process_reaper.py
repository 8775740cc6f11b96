"""No child outlives this process, however this process ends.

A small helper process, the reaper, holds the reading end of a pipe. It is told of every child
that is started; when the pipe closes, because this process has ended or was killed, it stops those
that are left as their owner would have: the newest first, each with its signal and its patience,
then SIGKILL for its process group. Unlike PR_SET_PDEATHSIG this works on macOS too, reaches
grandchildren, keeps the order and does not depend on the thread that started the child.

Should the reaper be killed together with this process, a pipe is left without a writer, which every
child has inherited: those of ours then end by themselves (workers/ending.py).

A child waits at a gate (a line of shell) until the reaper knows it. So there is no moment at
which the death of this process leaves a child that nobody knows.
"""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

_GATE = 'read -r gate_ || exit 1; exec "$@" </dev/null'
_LOOK_EVERY = 0.02
_KEPT_NAMES = ("HOME", "LD_", "DYLD_")
"""What an interpreter may need to start; no setting, and so no secret."""
KEPT = "VOICE_DISPATCHER_KEPT_BY"
"""The variable that names a child's end of the pipe which tells that nobody is left to stop it."""


class _Ward(NamedTuple):
    child: subprocess.Popen[bytes]
    line: bytes  # what the reaper is told of it


class ProcessReaper:
    """Starts children that must not outlive this process; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._wards: dict[int, _Ward] = {}
        self._kept_read, self._kept_write = os.pipe()

    def spawn(
        self,
        argv: Sequence[str],
        *,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_timeout: float = 10.0,
        **options: Any,
    ) -> subprocess.Popen[bytes]:
        """Start a child in its own session, with nothing on its stdin.

        `stop_timeout` is in seconds; `options` are Popen's. A command that does not exist shows
        as exit code 127, one that may not be executed as 126, as in a shell.
        """
        command = ["/bin/sh", "-c", _GATE, argv[0], *argv]
        given = os.environ if options.get("env") is None else options["env"]
        options["env"] = {**given, KEPT: str(self._kept_read)}
        options["pass_fds"] = (*options.get("pass_fds", ()), self._kept_read)
        child = subprocess.Popen(  # noqa: S603 - the command is ours, and no shell parses it
            command, stdin=subprocess.PIPE, start_new_session=True, **options
        )
        line = b"%d %d %f\n" % (child.pid, stop_signal, stop_timeout)
        try:
            self._adopt(_Ward(child, line))
        except BaseException:
            child.kill()
            child.wait()
            raise
        return child

    def release(self, child: subprocess.Popen[bytes]) -> None:
        """Forget a child that has ended."""
        with self._lock:
            if self._wards.pop(child.pid, None):
                self._tell(b"%d\n" % child.pid)

    def close(self) -> None:
        """Stop whatever is left and wait for that; done by itself when the interpreter ends."""
        with self._lock:
            process, self._process = self._process, None
            wards, self._wards = self._wards, {}
        if process is None:
            return
        _hang_up(process)
        while process.poll() is None:
            for ward in wards.values():
                ward.child.poll()  # an end shows when the parent, which we are, has taken note
            time.sleep(_LOOK_EVERY)

    def _adopt(self, ward: _Ward) -> None:
        """Make the child known, and only then open its gate."""
        gate, ward.child.stdin = ward.child.stdin, None
        if gate is None:
            return
        with suppress(BrokenPipeError), gate:  # broken if somebody has killed the child already
            with self._lock:
                self._wards[ward.child.pid] = ward
                self._tell(ward.line)
            gate.write(b"\n")

    def _tell(self, line: bytes) -> None:
        """Write a line to the reaper; a new one takes over from one that was killed."""
        try:
            self._write(line)
        except BrokenPipeError:
            if self._process:
                _hang_up(self._process)
                self._process.wait()
            self._process = None
            self._write(b"".join(ward.line for ward in self._wards.values()))

    def _write(self, text: bytes) -> None:
        if self._process is None:
            self._process = _start_reaper(self._kept_write)
        if self._process.stdin:
            self._process.stdin.write(text)


def _hang_up(process: subprocess.Popen[bytes]) -> None:
    if process.stdin:
        with suppress(BrokenPipeError):
            process.stdin.close()


def _start_reaper(kept: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own interpreter and file
        [sys.executable, "-I", "-S", __file__],
        env={name: value for name, value in os.environ.items() if name.startswith(_KEPT_NAMES)},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        start_new_session=True,
        pass_fds=(kept,),
    )


PROCESS_REAPER = ProcessReaper()
"""The one reaper of this process: it knows the order in which all children were started."""
atexit.register(PROCESS_REAPER.close)


def kill_group(pid: int) -> None:
    """Kill what is left of the process group that `pid` leads or led."""
    with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of zombies
        os.killpg(pid, signal.SIGKILL)


def _read_wards() -> dict[int, tuple[int, float]]:
    """Return who is left when the pipe closes: the number of the signal, and the seconds."""
    wards: dict[int, tuple[int, float]] = {}
    for line in sys.stdin:
        pid, *how = line.split()
        if how:
            wards[int(pid)] = int(how[0]), float(how[1])
        else:
            wards.pop(int(pid), None)
    return wards


def _stop(pid: int, number: int, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
        while time.monotonic() < deadline and not _is_zombie(pid):
            os.kill(pid, 0)
            time.sleep(_LOOK_EVERY)
    kill_group(pid)


def _is_zombie(pid: int) -> bool:
    """Return whether a process has ended unnoticed: in containers nobody may collect orphans."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as status:  # noqa: PTH123 - pathlib is slow to import
            return status.read().rpartition(b")")[2].split()[0] == b"Z"
    except OSError:
        return False  # no Linux, or gone


def main() -> None:
    """Wait for the owner's end, then stop what it left."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    wards = _read_wards()
    for pid, (stop_signal, timeout) in reversed(wards.items()):
        _stop(pid, stop_signal, timeout)


if __name__ == "__main__":
    main()
