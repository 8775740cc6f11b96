"""Who watches which chains file: what it says is in force, and two that differ are told."""

from __future__ import annotations

import json
from dataclasses import dataclass

from dispatcher.errors import DispatcherError
from dispatcher.store.connection import Connection, Repository
from dispatcher.store.presence import Presence
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

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._presence = Presence(connection, "chains_files", CHAINS_FILE_FORGOTTEN)

    def tell(self, id_: str, file: WatchedFile) -> None:
        """Tell that a process watches a file; forget those that have not told for a while."""
        facts = json.dumps([file.host, file.path, file.digest], separators=(",", ":"))
        self._presence.tell(id_, facts)

    def leave(self, id_: str) -> None:
        """Tell that a process watches its file no more."""
        self._presence.leave(id_)

    def watched(self) -> list[WatchedFile]:
        """Return the files that are watched."""
        now = self._now()
        fresh = [t for _, at, t in self._presence.told() if abs(now - at) < CHAINS_FILE_FORGOTTEN]
        files = [WatchedFile(*json.loads(text)) for text in fresh]
        return sorted(files, key=lambda file: (file.path, file.host))

    def require_none(self) -> None:
        """Raise FileInForce where a file is watched: what it says would overrule anything else."""
        if files := self.watched():
            raise FileInForce(
                f"who is on call stands in {files[0]}: change that file, and it comes into force"
                " by itself"
            )


def different(files: list[WatchedFile]) -> bool:
    """Whether two of them say different things."""
    return len({file.digest for file in files}) > 1
