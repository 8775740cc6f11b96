"""The folder in which `up` keeps its things: one `up` at a time, and others can find it."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from dispatcher.errors import DispatcherError
from dispatcher.running import ANNOUNCEMENT, FOLDER, LOCK

_LOOKERS_GONE_BY = 0.5  # seconds: who looks whether we run holds the lock for a moment


class RunFolderError(DispatcherError):
    """`up` cannot use this directory; the message says why and what to do."""


class RunFolder:
    """`.voice-dispatcher/` in a directory (mode 0700, ignored by git), held in a `with` block."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.path = self.root / FOLDER
        self.redis = self.path / "redis"
        self.flower_db = self.path / "flower.db"
        self.log = self.path / "up.log"
        self.announcement = self.path / ANNOUNCEMENT
        self._lock: int | None = None

    def __enter__(self) -> Self:
        """Make the folder and lock it. Raises RunFolderError."""
        try:
            self._make()
        except OSError as error:
            raise RunFolderError(
                f"{self.path} cannot be used ({error.strerror}): run in a directory you can write"
            ) from error
        self._take_lock()
        return self

    def __exit__(self, *_: object) -> None:
        self.announcement.unlink(missing_ok=True)
        self._release()

    def announce(self, content: Mapping[str, object]) -> None:
        """Tell other commands where things are: the fields of dispatcher.running.Running.

        Our pid is added. The file is replaced as a whole and is its owner's alone: the Redis URL
        has a password in it.
        """
        draft = self.announcement.with_suffix(".new")
        draft.unlink(missing_ok=True)
        text = json.dumps({"pid": os.getpid(), **content}, indent=2)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text + "\n")
        draft.replace(self.announcement)

    def _make(self) -> None:
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        (self.path / ".gitignore").write_text("*\n")
        self._lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT, 0o600)

    def _take_lock(self) -> None:
        deadline = time.monotonic() + _LOOKERS_GONE_BY
        while not self._try_lock():
            if time.monotonic() > deadline:
                pid = self._holder()
                self._release()
                raise RunFolderError(
                    f"already running (pid {pid}) in {self.root}: stop it with Ctrl-C or"
                    f" kill {pid}, or use another directory"
                )
            time.sleep(0.02)
        self.announcement.unlink(missing_ok=True)  # left by one that was killed
        if self._lock is not None:
            os.truncate(self._lock, 0)
            os.pwrite(self._lock, str(os.getpid()).encode(), 0)

    def _try_lock(self) -> bool:
        if self._lock is not None:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
        return True

    def _holder(self) -> str:
        with suppress(OSError):
            return (self.path / LOCK).read_text() or "unknown"
        return "unknown"

    def _release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
