"""What a Redis server that refuses its data means: who wrote it, and who cannot read it.

Redis 8 and Valkey 9 write files that older servers, and each other, do not know. A server then
ends at its start and leaves the data as it is, but it says "Bad file format" and names a tool for
damaged files, of which there are none.
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from dispatcher.values.server_version import ServerVersion
from workers.devstack.redis_server import server_version

_HEAD = 100  # bytes, in which a snapshot says who wrote it
_REFUSED = re.compile(r"(?:Bad file format|Error) reading the .*?([\w.]+\.base\.rdb)\b")


def why_unreadable(folder: Path, server: Path, log: str) -> str | None:
    """Return a sentence where `log` says that `server` does not know the format in `folder`.

    None where it ended for another reason, or the files are of its own release and damaged.
    """
    refused = _REFUSED.search(log)
    writer = _writer(folder / "appendonlydir" / refused[1]) if refused else None
    reader = server_version(server)
    if not writer or not reader or _same_release(writer, reader):
        return None
    return (
        f"the data in {folder} was written by {writer}, and {reader} ({server}) cannot read it."
        f" The data is unharmed: install {writer} or newer, or move the folder away"
    )


def _writer(snapshot: Path) -> ServerVersion | None:
    with suppress(OSError), snapshot.open("rb") as file:
        return ServerVersion.of_snapshot(file.read(_HEAD))
    return None


def _same_release(one: ServerVersion, other: ServerVersion) -> bool:
    return (one.product, one.release) == (other.product, other.release)
