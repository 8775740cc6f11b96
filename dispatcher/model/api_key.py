"""An API key as it is kept: its scopes, its rate, its end; frozen values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dispatcher.errors import DispatcherError, UsageError
from dispatcher.model.key_rights import EVERYTHING, KeyRights

LONGEST_NAME = 31
"""With `console:` before it, a name is an actor still (at most 40 characters)."""
LONGEST_NOTE = 200

_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_NAME - 1}}}")
_TAKEN = frozenset({"producer", "cli", "task", "demo"})
"""Producers that there are without a key: a key must not own their jobs."""
_QUOTA = re.compile(r"([1-9][0-9]{0,6})/(s|second|m|min|minute|h|hour|d|day)", re.ASCII)
_PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_WORDS = {1: "second", 60: "minute", 3600: "hour", 86_400: "day"}


class InvalidKeyOptions(UsageError, ValueError):
    """A key cannot be made like that; the message says what is accepted."""


class UnknownKey(DispatcherError, LookupError):
    """There is no such key."""

    def __init__(self, id_: str) -> None:
        super().__init__(
            f"there is no API key {id_[:40]!r}: `voice-dispatcher keys list` shows them"
        )


class NotLetIn(DispatcherError):
    """What was shown is no key that lets anybody in; whichever way, the words are the same."""

    def __init__(self) -> None:
        super().__init__("the API key is missing or malformed, unknown, expired or revoked")


class Scope(StrEnum):
    """What a key is good for."""

    ENQUEUE = "enqueue"
    """Ask for calls, and see those of its own whole."""
    READ = "read"
    """See everything, with numbers masked and texts hidden."""
    OPERATE = "operate"
    """Act: retry, cancel, pause; see numbers whole where asked for. Holds `read`."""
    ALERT = "alert"
    """Report alerts of monitoring, and nothing else."""


@dataclass(frozen=True, slots=True)
class Quota:
    """So many within so many seconds, all of them at once if need be."""

    many: int
    seconds: int

    @classmethod
    def parse(cls, text: str) -> Quota:
        """Read `50/minute`, `5/s`, `1000/hour`, `20000/day`. Raises InvalidKeyOptions."""
        found = _QUOTA.fullmatch(text.strip().lower())
        if not found:
            raise InvalidKeyOptions(
                f"{text!r} is not a rate: write a whole number above 0 for each second, minute,"
                " hour or day, such as 50/minute"
            )
        return cls(int(found[1]), _PERIODS[found[2][0]])

    def __str__(self) -> str:
        return f"{self.many}/{_WORDS[self.seconds]}"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept. Its `name` is the client: several keys may share one.

    `rights` bound what its requests may ask for, where it may ask for calls.
    """

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    used_at: datetime | None = None
    quota: Quota | None = None
    note: str = ""
    rights: KeyRights = EVERYTHING
    waiting: int | None = None
    """Jobs of the client that may wait at once; None: as many as the settings say."""

    def may(self, scope: Scope) -> bool:
        """Whether the key has a scope."""
        return scope in self.scopes or (scope is Scope.READ and Scope.OPERATE in self.scopes)

    def live(self, now: datetime) -> bool:
        """Whether it lets anybody in."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


@dataclass(frozen=True, slots=True)
class Granted:
    """How many of those asked for a rate lets through, and in how many seconds one more."""

    many: int
    again: float


def client_name(text: str) -> str:
    """Return the name of a client, or raise InvalidKeyOptions."""
    if not _NAME.fullmatch(text):
        raise InvalidKeyOptions(
            f"{text[:50]!r} is not a client name: 1 to {LONGEST_NAME} ASCII letters, digits,"
            " ., _ or -, the first a letter or digit"
        )
    if text.lower() in _TAKEN:
        raise InvalidKeyOptions(f"{text!r} is the name of a producer without a key: choose another")
    return text


def key_note(text: str) -> str:
    """Return the note of a key, or raise InvalidKeyOptions."""
    if len(text) > LONGEST_NOTE or not text.isprintable():
        raise InvalidKeyOptions(f"a note has at most {LONGEST_NOTE} printable characters")
    return text
