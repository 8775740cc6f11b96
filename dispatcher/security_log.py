"""The security log: who was let in or refused, and who saw or changed what guards the account.

One line of JSON for each event, on the logger `dispatcher.security`. No line holds a secret or a
telephone number; what strangers send is bounded and on one line. docs/reference/security-log.md
lists the events and their fields.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

from dispatcher.values.masking import mask_text

NAME = "dispatcher.security"
LONGEST = 200
"""Characters of a value; what strangers send may be longer."""
_log = logging.getLogger(NAME)


class SecurityEvent(StrEnum):
    """What is told."""

    LOGIN = "login.succeeded"
    LOGIN_FAILED = "login.failed"
    LOGOUT = "logout"
    REFUSED = "request.refused"
    LEFT_OUT = "refusals.left_out"
    UNMASKED = "numbers.unmasked"
    EXPORTED = "jobs.exported"
    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"
    SECRETS_SHOWN = "secrets.shown"
    GUARD_WEAKENED = "guard.weakened"


def tell(event: SecurityEvent, **fields: object) -> None:
    """Write a line. A field that is None or empty is left out."""
    if _log.handlers or _log.propagate is False:
        _log.info("%s", line(event, datetime.now(UTC), fields))


def line(event: SecurityEvent, at: datetime, fields: dict[str, Any]) -> str:
    """Return the line of an event."""
    shown = {name: bounded(value) for name, value in fields.items() if value not in (None, "")}
    moment = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"at": moment, "event": event, **shown})  # ASCII: no byte ends a line


def bounded(value: object) -> Any:
    """Return a value as a line may hold it: numbers masked, and not too long."""
    if isinstance(value, bool | int | float):
        return value
    text = str(value)
    shown = mask_text(text[: 2 * LONGEST])
    return shown if len(shown) <= LONGEST and len(text) <= 2 * LONGEST else f"{shown[:LONGEST]}…"


def write_to(handler: logging.Handler) -> None:
    """Have the lines written there, and nowhere else."""
    handler.setFormatter(logging.Formatter("%(message)s"))
    for old in _log.handlers:
        old.close()
    _log.handlers[:] = [handler]
    _log.propagate = False
    _log.setLevel(logging.INFO)


class _OwnersFile(WatchedFileHandler):
    """A file that only its owner reads, also the next one after it was moved away."""

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding="ascii", opener=_for_the_owner)


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def write_to_file(path: str | Path) -> None:
    """Have the lines appended to a file, which may be moved away at any time. Raises OSError."""
    write_to(_OwnersFile(path))


class Sampler:
    """Lets so many refusals through in a minute, of one source and in all, and counts the rest: a
    flood must not fill the disk. `clock` returns seconds.
    """

    OF_ONE, OF_ALL, WITHIN = 10, 60, 60.0

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._since = clock, clock()
        self._told: dict[str, int] = {}
        self._left_out = 0

    def take(self, source: str) -> tuple[bool, int]:
        """Return whether this one is told, and how many were left out in a minute that is over."""
        over = 0
        if self._clock() - self._since >= self.WITHIN:
            over, self._left_out = self._left_out, 0
            self._since, self._told = self._clock(), {}
        told = self._told.get(source, 0)
        if told >= self.OF_ONE or sum(self._told.values()) >= self.OF_ALL:
            self._left_out += 1
            return False, over
        self._told[source] = told + 1
        return True, over
