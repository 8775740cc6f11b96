"""Who watches which chains file: what such a file says is in force, and two that differ are told.

Plain commands on one key, as of heartbeats.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from dispatcher.errors import DispatcherError
from dispatcher.store.connection import Repository
from dispatcher.store.errors import plain_errors
from dispatcher.store.schema import CHAINS_FILE_FORGOTTEN


class FileInForce(DispatcherError):
    """A file says who is on call, so that nothing else does."""


@dataclass(frozen=True, slots=True)
class WatchedFile:
    """A chains file that a process watches: `digest` differs where what stands in it does."""

    host: str
    path: str
    digest: str

    def __str__(self) -> str:
        return f"{self.path} on {self.host}"


class ChainsFiles(Repository):
    """The chains files that are watched now."""

    def tell(self, id_: str, file: WatchedFile) -> None:
        """Tell that a process watches a file; forget those that have not told for a while."""
        key, now = self._key("chains_files"), self._now()
        facts = json.dumps([file.host, file.path, file.digest], separators=(",", ":"))
        with plain_errors():
            pipe = self._pipeline()
            pipe.hset(key, id_, f"{now:.0f} {facts}")
            pipe.pexpire(key, CHAINS_FILE_FORGOTTEN)
            pipe.hgetall(key)
            *_, found = pipe.execute()
            if gone := [each for each, text in found.items() if not self._fresh(text, now)]:
                self._redis.hdel(key, *gone)

    def leave(self, id_: str) -> None:
        """Tell that a process watches its file no more."""
        with plain_errors():
            self._redis.hdel(self._key("chains_files"), id_)

    def watched(self) -> list[WatchedFile]:
        """Return the files that are watched."""
        now = self._now()
        with plain_errors():
            found: Any = self._redis.hgetall(self._key("chains_files"))
        fresh = [text for text in found.values() if self._fresh(text, now)]
        files = [WatchedFile(*json.loads(text.partition(b" ")[2])) for text in fresh]
        return sorted(files, key=lambda file: (file.path, file.host))

    def require_none(self) -> None:
        """Raise FileInForce where a file is watched: what it says would overrule anything else."""
        if files := self.watched():
            raise FileInForce(
                f"who is on call stands in {files[0]}: change that file, and it comes into force"
                " by itself"
            )

    @staticmethod
    def _fresh(text: bytes, now: float) -> bool:
        return abs(now - float(text.partition(b" ")[0])) < CHAINS_FILE_FORGOTTEN


def different(files: list[WatchedFile]) -> bool:
    """Whether two of them say different things."""
    return len({file.digest for file in files}) > 1
