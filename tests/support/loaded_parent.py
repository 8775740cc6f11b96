"""A process that has loaded everything and forks the others: one costs hundredths of a second of
processor time, not one. Used through `support.forked`; the parent of chaos is another.

It reads orders from a socket, forks at each, and answers with the id of the new process. That one
is not its child but its asker's (see `forked.adopting`), and looks in /proc as if it had been
started: it has its own command line and environment there.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import importlib
import json
import os
import runpy
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

TESTS = Path(__file__).resolve().parents[1]
ROOM = 64 * 1024  # bytes: how long a command line and an environment may be together
LOADED = (
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.concurrency.thread",
    "dispatcher.sandbox.__main__",
    "kombu.transport.redis",
    "workers.commands",
    "workers.gateway.app",
    "workers.gateway.server",
)
_HIGH = 512  # above every descriptor that a process is to have


def main() -> None:
    """Serve until nobody can ask any more."""
    sys.path.insert(0, str(TESTS))
    for module in (*LOADED, "support.forked"):
        importlib.import_module(module)
    sys.path.remove(str(TESTS))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # as to those who ask, so to us: they end us
    gc.collect()
    gc.freeze()  # or each process would touch, and so copy, all of this
    asked = socket.socket(fileno=int(sys.argv[1]))
    asked.send(b"ready")
    serve(asked)


def serve(asked: socket.socket) -> NoReturn:
    """Fork at each order; be what was ordered in the new process."""
    while True:
        message, descriptors, *_ = socket.recv_fds(asked, ROOM, 16)
        if not message:
            os._exit(0)
        child = _fork_orphan()
        if not child:
            asked.close()
            live(json.loads(message), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        asked.send(str(child).encode())


def _fork_orphan() -> int:
    """Fork; return the id, or 0 in the new process. Its parent has ended when this returns."""
    reading, writing = os.pipe()
    between = os.fork()
    if between == 0:
        child = os.fork()
        os.close(reading)
        if child:
            os.write(writing, str(child).encode())
            os._exit(0)
        os.close(writing)
        return 0
    os.close(writing)
    os.waitpid(between, 0)
    child = int(os.read(reading, 32))
    os.close(reading)
    return child


def live(order: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """Be the process that was ordered, from its start to its end."""
    become(order, descriptors)
    if order["forks"]:
        sys.modules["support.forked"].fork_from_here()
    # What looks after its children was told of a pipe that the parent has.
    sys.modules["workers.devstack.process_reaper"].PROCESS_REAPER.__init__()
    run(order["argv"])


def become(order: dict[str, Any], descriptors: list[int]) -> None:
    """Be, as far as anybody can see, a process that was started so."""
    _take(descriptors, order["descriptors"])
    if order["session"]:
        os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    environment = order["env"]
    os.environ.clear()
    os.environ.update(environment)
    show(order["argv"], environment)
    time.tzset()
    if order["cwd"]:
        os.chdir(order["cwd"])
    if order["gate"]:
        _wait_at_gate()
    sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - it stays
    for name, number in (("stdout", 1), ("stderr", 2)):
        setattr(sys, name, _stream(number, unbuffered="PYTHONUNBUFFERED" in environment))
        setattr(sys, f"__{name}__", getattr(sys, name))


def _take(descriptors: list[int], numbers: list[int]) -> None:
    """Give descriptors the numbers that they shall have, and close all others."""
    high = [fcntl.fcntl(each, fcntl.F_DUPFD, _HIGH) for each in descriptors]
    for each, number in zip(high, numbers, strict=True):
        os.dup2(each, number)
    kept = sorted({0, 1, 2, *numbers})
    for before, after in zip(kept, [*kept[1:], _HIGH + len(high)], strict=True):
        os.closerange(before + 1, after)


def show(argv: list[str], environment: dict[str, str]) -> None:
    """Let /proc tell of this command line and environment: it reads them where they stood at the
    start, and the parent was given some room there.
    """
    lines = [f"{name}={value}" for name, value in environment.items()]
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    begins = {"argv": int(fields[45]), "env": int(fields[47])}
    ends = {"argv": int(fields[46]), "env": int(fields[48])}
    for place, texts in (("argv", argv), ("env", lines)):
        room = ends[place] - begins[place]
        raw = b"".join(os.fsencode(text) + b"\0" for text in texts)
        assert len(raw) < room, f"make ROOM larger: {len(raw)} bytes are too many of {place}"
        ctypes.memmove(begins[place], raw.ljust(room, b"\0"), room)


def _wait_at_gate() -> None:
    """As the line of shell does before which workers.devstack.process_reaper has others wait."""
    if not os.read(0, 1):
        os._exit(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _stream(number: int, *, unbuffered: bool) -> Any:
    return open(
        number,
        "w",
        buffering=1 if unbuffered or number == 2 else -1,
        encoding="utf-8",
        errors="backslashreplace" if number == 2 else "surrogateescape",
        closefd=False,
    )


def run(argv: list[str]) -> NoReturn:
    """Run a script of ours or, after -m, a module, as an interpreter does."""
    if "-m" not in argv:
        sys.argv = argv
        runpy.run_path(argv[0], run_name="__main__")
        sys.exit()
    place = argv.index("-m") + 1
    sys.argv = argv[place:]
    for name in (argv[place], f"{argv[place]}.__main__"):
        sys.modules.pop(name, None)  # it is loaded, but has not run
    runpy.run_module(argv[place], run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    main()
