"""Our commands as processes that need not load first (`support.loaded_parent`), where it is not
their start that a test is about.

`Forked` is Popen for the commands of ours, `voice-dispatcher …` and `python -m …`; what else it is
given, and everything where there is no Linux, it starts as Popen does. A command that starts others
of ours, as `up` does, forks those from itself.
"""

from __future__ import annotations

import atexit
import ctypes
import inspect
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support import loaded_parent

VOICE_DISPATCHER = Path(sys.executable).with_name("voice-dispatcher")
MODULES = {"dispatcher.sandbox", "workers.run"}
HEEDED_LATER = {"PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
_STARTERS = {"up", "worker", "demo"}
_GATED = ("/bin/sh", "-c")
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER
_SIGNATURE = inspect.signature(subprocess.Popen._execute_child)  # type: ignore[attr-defined]
_STARTS_WITHIN = 600.0  # all tests of this worker need it


class _Parent:
    """The loaded process, as those see it that ask for others. One asks at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asks: socket.socket | None = None

    def use(self, asks: socket.socket) -> None:
        self._asks = asks

    def fork(self, order: dict[str, Any], descriptors: Sequence[int]) -> int:
        """Return the id of a new child of this process."""
        with self._lock, adopting():
            asks = self._asks = self._asks or _started()
            socket.send_fds(asks, [json.dumps(order).encode()], descriptors)
            return int(asks.recv(32))


_PARENT = _Parent()


def _started() -> socket.socket:
    """Start the parent of this process' children; it ends with this process."""
    asks, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    asks.settimeout(_STARTS_WITHIN)
    room = "-" * (loaded_parent.ROOM // 4)
    with asked:
        process = subprocess.Popen(
            [sys.executable, "-P", loaded_parent.__file__, str(asked.fileno()), room],
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "ROOM": room * 3},
            stdin=subprocess.DEVNULL,
            pass_fds=[asked.fileno()],
        )
    from support.leftovers import keep  # noqa: PLC0415 - its hook is nothing for the parent

    keep(process.pid)
    atexit.register(_end, asks, process)
    assert asks.recv(32) == b"ready", "the loaded parent did not start"
    return asks


def _end(asks: socket.socket, process: subprocess.Popen[bytes]) -> None:
    asks.close()
    process.wait()


@contextmanager
def adopting() -> Iterator[None]:
    """Be the parent of what is orphaned below this process now."""
    libc = ctypes.CDLL(None)
    libc.prctl(_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(_SUBREAPER, 0, 0, 0, 0)


class Forked(subprocess.Popen[Any]):
    """Popen, whose child need not load first."""

    def _execute_child(self, *given: Any) -> None:
        call = _SIGNATURE.bind(self, *given).arguments
        argv, gated = _ours(call["args"])
        env = os.environ if call["env"] is None else call["env"]
        if not argv or _told(env):
            super()._execute_child(*given)  # type: ignore[misc]
            return
        ends = [call[each] for each in ("p2cread", "c2pwrite", "errwrite")]
        kept = sorted(call["pass_fds"])
        order = {
            "argv": argv,
            "env": dict(env),
            "cwd": call["cwd"] and str(call["cwd"]),
            "session": call["start_new_session"],
            "gate": gated,
            "descriptors": [0, 1, 2, *kept],
            "forks": bool(_STARTERS & set(argv)),
        }
        descriptors = [number if end == -1 else end for number, end in enumerate(ends)]
        sys.audit("os.fork")
        self.pid = _PARENT.fork(order, [*descriptors, *kept])
        self._child_created = True
        pipes = ("p2cread", "p2cwrite", "c2pread", "c2pwrite", "errread", "errwrite")
        self._close_pipe_fds(*(call[each] for each in pipes))  # type: ignore[attr-defined]


def run(argv: Sequence[str], *, timeout: float, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, as subprocess.run does, and return what it printed."""
    pipe = subprocess.PIPE
    with Forked(argv, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True, **options) as (
        process
    ):
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(argv, process.returncode, out, err)


def _ours(given: Any) -> tuple[list[str], bool]:
    """Return the command if it is one of ours, and whether it waits at the gate of the reaper."""
    if not sys.platform.startswith("linux") or isinstance(given, (str, bytes)):
        return [], False
    argv = [os.fsdecode(each) for each in given]
    gated = tuple(argv[:2]) == _GATED
    argv = argv[4:] if gated else argv
    module = argv.index("-m") + 1 if argv[0] == sys.executable and "-m" in argv else 0
    if argv[0] == str(VOICE_DISPATCHER) or (module and argv[module] in MODULES):
        return argv, gated
    return [], False


def _told(environment: Mapping[str, str]) -> bool:
    """Return whether the interpreter is told something that it heeds at its start alone."""
    return any(name.startswith("PYTHON") for name in environment.keys() - HEEDED_LATER)


def fork_from_here() -> None:
    """Fork the parent of this process' children off, while it has no threads; use it from now on
    for whatever this process starts.
    """
    asks, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        asks.close()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        loaded_parent.show(["loaded parent"], dict(os.environ))
        loaded_parent.serve(asked)
    asked.close()
    _PARENT.use(asks)
    subprocess.Popen = Forked  # type: ignore[misc]
