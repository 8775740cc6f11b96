"""Finds what a test started and did not stop: processes, on Linux, since it reads /proc; and, in
this process, threads of what our processes do: they would meet other tests' stores, or end the run.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

ENDS_WITHIN = 30.0  # seconds: what was told to end may take a moment
_TICK = 1 / os.sysconf("SC_CLK_TCK")
_STARTS = {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn"}
_REAPER = b"process_reaper.py"  # one for the whole run, which it ends with
_CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children")
_started = 0
_kept: set[int] = set()


def _count(event: str, _: object) -> None:
    global _started  # noqa: PLW0603 - a hook of the interpreter has no other place
    _started += event in _STARTS


sys.addaudithook(_count)


@dataclass(frozen=True)
class Process:
    pid: int
    parent: int
    started: float  # seconds since the machine's start, rounded down to a tick
    command: bytes
    environment: bytes


def keep(pid: int) -> None:
    """Let a process live on after its test: a fixture with a wider scope stops it."""
    _kept.add(pid)


@contextmanager
def none_left(folder: Path) -> Iterator[None]:
    """Fail where a process that was started inside is still there at the end; kill it.

    Found are new children of this process with all that they started, and orphans that were told
    of `folder`. What earlier children start does not count: a fixture that lives on has them.
    """
    with _no_thread_left():
        if _CHILDREN.exists():
            with _no_process_left(folder):
                yield
        else:
            yield


@contextmanager
def _no_thread_left() -> Iterator[None]:
    earlier = set(threading.enumerate())
    yield
    deadline = time.monotonic() + ENDS_WITHIN
    while (left := _threads(earlier)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert left == [], "these go on: try a command that starts them by `shell.run`"


def _threads(earlier: set[threading.Thread]) -> list[str]:
    return [
        thread.name
        for thread in set(threading.enumerate()) - earlier
        if str(getattr(getattr(thread, "_target", None), "__module__", "")).startswith("workers.")
    ]


@contextmanager
def _no_process_left(folder: Path) -> Iterator[None]:
    count, earlier, since = _started, _children(), time.clock_gettime(time.CLOCK_BOOTTIME)
    yield
    if _started == count:
        return
    deadline = time.monotonic() + ENDS_WITHIN
    told = re.compile(re.escape(os.fsencode(folder)) + rb"(?![0-9])")  # gw1 is not gw10
    while (left := _left(earlier, since, told)) and time.monotonic() < deadline:
        time.sleep(0.02)
    for process in left:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    assert [(process.pid, os.fsdecode(process.command)) for process in left] == [], "left behind"


def _children() -> set[int]:
    """Return the children of this process; each thread has its own."""
    found: set[int] = set()
    for thread in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended
            found.update(map(int, thread.read_text().split()))
    return found


def _left(earlier: set[int], since: float, told: re.Pattern[bytes]) -> list[Process]:
    running = {process.pid: process for process in _processes()}
    return [
        process
        for process in running.values()
        if process.started > since - _TICK
        and _REAPER not in process.command
        and _is_left(process, _root(process, running), earlier, told)
    ]


def _root(process: Process, running: dict[int, Process]) -> Process:
    """Return our child that a process descends from, or else its oldest ancestor but init."""
    while process.parent != os.getpid() and process.parent in running.keys() - {1}:
        process = running[process.parent]
    return process


def _is_left(process: Process, root: Process, earlier: set[int], told: re.Pattern[bytes]) -> bool:
    if root.parent == os.getpid():
        return root.pid not in earlier | _kept
    return bool(told.search(process.environment) or told.search(process.command))


def _processes() -> Iterator[Process]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):  # it has ended, or is another user's
                state, *more = (folder / "stat").read_bytes().rpartition(b")")[2].split()
                if state != b"Z":
                    yield _process(folder, more)


def _process(folder: Path, fields: list[bytes]) -> Process:
    """Read what /proc tells of a process; `fields` are those of its stat from the parent's on."""
    return Process(
        pid=int(folder.name),
        parent=int(fields[0]),
        started=int(fields[18]) * _TICK,
        command=(folder / "cmdline").read_bytes().replace(b"\0", b" ").strip(),
        environment=(folder / "environ").read_bytes(),
    )
