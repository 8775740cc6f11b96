"""Find the `up` that runs here: other commands in its directory use what it announces."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

FOLDER = ".voice-dispatcher"
ANNOUNCEMENT = "up.json"
LOCK = "lock"


@dataclass(frozen=True)
class Running:
    """What a running `up` announces; URLs hold passwords and stay out of `repr`."""

    pid: int
    redis_url: str = field(repr=False)
    broker_url: str | None = field(default=None, repr=False)
    namespace: str | None = None
    gateway_url: str | None = None
    flower_url: str | None = None
    sandbox_url: str | None = None
    started_at: str | None = None
    heartbeats: str | None = None
    """The folder in which its processes leave them."""


def find_running(start: Path) -> Running | None:
    """Return what runs in `start` or the nearest parent that has the folder; None if nothing.

    A folder of another user is passed by: whoever can write in a common parent must not choose
    the Redis that numbers and texts are sent to. What a killed `up` left is passed by, too.
    """
    here = start.absolute()
    for directory in (here, *here.parents):
        found = _announced(directory / FOLDER)
        if found:
            return found
    return None


def _announced(folder: Path) -> Running | None:
    try:
        if folder.stat().st_uid != os.getuid() or not is_locked(folder):
            return None
        return _parsed(json.loads((folder / ANNOUNCEMENT).read_bytes()))
    except (OSError, ValueError):
        return None


def is_locked(folder: Path) -> bool:
    """Return whether a live `up` holds the folder: the lock goes with its process, a file stays."""
    with (folder / LOCK).open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _parsed(content: Any) -> Running | None:
    """Return what is known of an announcement; a later version may say more."""
    if not isinstance(content, dict) or not {"pid", "redis_url"} <= content.keys():
        return None
    known: dict[str, Any] = {each.name: content.get(each.name) for each in fields(Running)}
    return Running(**known)
