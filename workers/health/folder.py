"""The folder in which the processes of one user on one machine leave their heartbeats."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dispatcher.errors import DispatcherError
from dispatcher.model.process import Role
from dispatcher.running import find_running
from dispatcher.values.steady_clock import since_boot
from workers.health.local_heartbeat import LocalHeartbeat
from workers.health.process_start import started


class UnsafeFolder(DispatcherError):
    """Others may write where heartbeats are to lie, and could forge them."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is not a folder that only this user may write to: remove it,"
            " or name another one in RUNTIME_DIRECTORY"
        )


def place(environ: Mapping[str, str], user: int) -> Path:
    """Return the path: what systemd made for the service, or else a name of the user's own where
    temporary files lie.
    """
    if given := environ.get("RUNTIME_DIRECTORY"):
        return Path(given.split(":")[0])
    return Path(environ.get("TMPDIR") or "/tmp", f"voice-dispatcher-{user}")  # noqa: S108 - see _require_of


def join_running() -> None:
    """Use the folder of the `up` that runs in this directory, unless another one is named."""
    running = find_running(Path.cwd())
    if running and running.heartbeats:
        os.environ.setdefault("RUNTIME_DIRECTORY", running.heartbeats)


class Folder:
    """Each process has one file in it, which is replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def prepare(self) -> None:
        """Make it, and drop what processes left that have gone. Raises UnsafeFolder, OSError."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._require_of({os.getuid()})
        for file in self.path.iterdir():
            pid = _pid(file)
            if pid == os.getpid() or not _runs(pid):
                file.unlink(missing_ok=True)

    def write(self, heartbeat: LocalHeartbeat) -> None:
        """Put a process' heartbeat in the place of its last one. Raises OSError."""
        draft = self.path / f".draft-{heartbeat.pid}"
        draft.write_text(json.dumps(asdict(heartbeat)))
        draft.replace(self._file(heartbeat.role, heartbeat.pid))

    def remove(self, role: Role, pid: int) -> None:
        """Drop the heartbeat of a process that ends."""
        with suppress(OSError):
            self._file(role, pid).unlink(missing_ok=True)

    def heartbeats(self) -> list[LocalHeartbeat]:
        """Return the heartbeats of processes that are there, by role and name. Raises UnsafeFolder.

        Root may read those of any user.
        """
        if not self.path.exists():
            return []
        owner = self.path.stat().st_uid
        self._require_of({owner} if os.getuid() == 0 else {os.getuid()})
        order = list(Role)
        return sorted(self._read(), key=lambda each: (order.index(each.role), each.name, each.pid))

    def _read(self) -> Iterator[LocalHeartbeat]:
        """A file may be replaced or go meanwhile, and another release may write it otherwise."""
        for file in self.path.glob("*.json"):
            with suppress(OSError, ValueError, TypeError, LookupError):
                found = _heartbeat(json.loads(file.read_text()))
                if _runs(_pid(file)) and _tells_of_it(found):
                    yield found

    def _file(self, role: Role, pid: int) -> Path:
        return self.path / f"{role}-{pid}.json"

    def _require_of(self, users: set[int]) -> None:
        found = self.path.lstat()
        own = stat.S_ISDIR(found.st_mode) and found.st_uid in users
        if not own or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise UnsafeFolder(self.path)


def _heartbeat(told: dict[str, Any]) -> LocalHeartbeat:
    """Return what a file tells. Raises ValueError, TypeError, LookupError."""
    numbers = {"pid": int(told["pid"]), "at": float(told["at"])}
    return LocalHeartbeat(**(told | numbers | {"role": Role(told["role"])}))


def _tells_of_it(heartbeat: LocalHeartbeat) -> bool:
    """Whether it is of the process that has its number now, and not of an earlier one."""
    now = started(heartbeat.pid)
    same = None in {now, heartbeat.started} or now == heartbeat.started
    return same and heartbeat.at <= since_boot()


def _pid(file: Path) -> int:
    """Return the process that a file is named for; 0: none."""
    last = file.stem.rpartition("-")[2]
    return int(last) if last.isdecimal() else 0


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return pid > 0
