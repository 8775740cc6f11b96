"""API keys: what lets other services in over HTTP, by name, with scopes and a rate."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain
from string import ascii_lowercase
from typing import Any

from dispatcher.errors import DispatcherError, UsageError
from dispatcher.model.job import iso
from dispatcher.store import codec
from dispatcher.store.redis_url import plain_errors
from dispatcher.store.store import Store

LONGEST_NAME = 31
"""With `console:` before it, a name is an actor still (at most 40 characters)."""
LONGEST_NOTE = 200
SECRET_BYTES = 32
"""256 random bits: nobody guesses one, so that a plain hash keeps it and no lockout is needed."""
USED_EVERY = 60_000
"""ms: the last use is written down so often at most."""

_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_NAME - 1}}}")
_TAKEN = frozenset({"producer", "cli", "task", "demo"})
"""Producers that there are without a key: a key must not own their jobs."""
_TEXT = re.compile(rf"vd_([a-z]{{10}})_([0-9a-f]{{{2 * SECRET_BYTES}}})")
_QUOTA = re.compile(r"([1-9][0-9]{0,6})/(s|second|m|min|minute|h|hour|d|day)", re.ASCII)
_PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_WORDS = {1: "second", 60: "minute", 3600: "hour", 86_400: "day"}


class InvalidKeyOptions(UsageError, ValueError):
    """A key cannot be made like that; the message says what is accepted."""


class UnknownKey(DispatcherError, LookupError):
    """There is no such key."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"there is no API key {id_[:40]!r}: `voice-dispatcher keys list` has them")


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
                f"{text!r} is no rate of a key: write a whole number above 0 a second, minute,"
                " hour or day, such as 50/minute"
            )
        return cls(int(found[1]), _PERIODS[found[2][0]])

    def __str__(self) -> str:
        return f"{self.many}/{_WORDS[self.seconds]}"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept. Its `name` is the client: several keys may share one."""

    id: str
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    used_at: datetime | None = None
    quota: Quota | None = None
    note: str = ""

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


@dataclass(frozen=True)
class ApiKeys:
    """The keys of a store. Operations raise StoreUnavailable."""

    store: Store

    def create(
        self,
        name: str,
        scopes: Iterable[Scope],
        *,
        quota: Quota | None = None,
        expires_at: datetime | None = None,
        note: str = "",
        actor: str = "",
    ) -> tuple[ApiKey, str]:
        """Make a key; return it, and the text that lets in, which is kept nowhere.

        `actor` is the person who makes it, for the audit. Raises InvalidKeyOptions.
        """
        now = self._now()
        made = ApiKey(
            id=_new_id(),
            name=client_name(name),
            scopes=frozenset(scopes),
            created_at=now,
            expires_at=None if expires_at is None else _moment(codec.moment(expires_at)),
            quota=quota,
            note=_note(note),
        )
        if not made.scopes:
            raise InvalidKeyOptions(f"a key needs a scope at least: {', '.join(Scope)}")
        if not made.live(now):
            raise InvalidKeyOptions(
                f"{expires_at:%Y-%m-%d %H:%M} UTC has passed: choose a later end"
            )
        secret = secrets.token_hex(SECRET_BYTES)
        self._write(made, _hash(secret), actor)
        return made, f"vd_{made.id}_{secret}"

    def all(self) -> list[ApiKey]:
        """Return all keys that were ever made, the newest first."""
        with plain_errors():
            ids: Any = self.store.redis.zrevrange(self.store.key("keys"), 0, -1)
            pipe = self.store.redis.pipeline(transaction=False)
            for id_ in ids:
                pipe.hgetall(self.store.key("apikey", id_.decode()))
            found = pipe.execute()
        return [_key(id_.decode(), codec.record(raw)) for id_, raw in zip(ids, found, strict=True)]

    def any(self) -> bool:
        """Whether a key was ever made."""
        with plain_errors():
            return bool(self.store.redis.exists(self.store.key("keys")))

    def get(self, id_: str) -> ApiKey:
        """Return a key. Raises UnknownKey."""
        _, *fields = self.store.run("find_key", id_)
        if not fields:
            raise UnknownKey(id_)
        return _key(id_, codec.record(fields))

    def revoke(self, id_: str, *, actor: str = "", why: str = "") -> bool:
        """Let nobody in by this key any more; False where it was revoked already.

        Raises UnknownKey.
        """
        answer = self.store.run("revoke_key", id_, actor, why)
        if answer == b"gone":
            raise UnknownKey(id_)
        return bool(answer == b"revoked")

    def authenticate(self, text: str) -> ApiKey:
        """Return the key that was shown, `vd_<id>_<secret>`. Raises NotLetIn."""
        found = _TEXT.fullmatch(text)
        if not found:
            raise NotLetIn
        id_, secret = found.groups()
        at, *fields = self.store.run("find_key", id_)
        record = codec.record(fields)
        # An unknown id is compared as well: its answer takes no less time.
        if not hmac.compare_digest(_hash(secret), record.get("hash", "")) or not record:
            raise NotLetIn
        key, now = _key(id_, record), _moment(at)
        if not key.live(now):
            raise NotLetIn
        self._note_use(key, now)
        return key

    def require_live(self, key: ApiKey) -> None:
        """Raise NotLetIn where a key that was let in has ended since."""
        at, *fields = self.store.run("find_key", key.id)
        if not fields or not _key(key.id, codec.record(fields)).live(_moment(at)):
            raise NotLetIn

    def take(self, key: ApiKey, many: int = 1) -> Granted:
        """Count what a key is used for against its rate: as many of these as it lets through."""
        if key.quota is None:
            return Granted(many, 0)
        period = key.quota.seconds * 1000
        granted, again = self.store.run("take_quota", key.id, many, key.quota.many, period)
        return Granted(int(granted), float(again) / 1000)

    def give_back(self, key: ApiKey, many: int) -> None:
        """Give back what was taken and not used."""
        if many and key.quota is not None:
            self.take(key, -many)

    # -- below -----------------------------------------------------------------------------

    def _now(self) -> datetime:
        return _moment(int(self.store.now()))

    def _write(self, key: ApiKey, hashed: str, actor: str) -> None:
        at = str(round(key.created_at.timestamp() * 1000))
        told = {
            "name": key.name,
            "scopes": ",".join(sorted(key.scopes)),
            "expires": codec.moment(key.expires_at),
            "rate": str(key.quota or ""),
            "note": key.note,
        }
        told = {name: value for name, value in told.items() if value}
        fields = {**told, "hash": hashed, "created": at}
        if ends := iso(key.expires_at):
            told["expires"] = ends  # people read it
        flat = chain.from_iterable(fields.items())
        self.store.run("create_key", key.id, at, actor, json.dumps(told), *flat)

    def _note_use(self, key: ApiKey, now: datetime) -> None:
        before = key.used_at
        if before is None or (now - before).total_seconds() * 1000 >= USED_EVERY:
            with plain_errors():
                self.store.redis.hset(self.store.key("apikey", key.id), "used", codec.moment(now))


def client_name(text: str) -> str:
    """Return the name of a client, or raise InvalidKeyOptions."""
    if not _NAME.fullmatch(text):
        raise InvalidKeyOptions(
            f"{text[:50]!r} is no name of a client: 1 to {LONGEST_NAME} ASCII letters, digits,"
            " ., _ or -, the first a letter or digit"
        )
    if text.lower() in _TAKEN:
        raise InvalidKeyOptions(f"{text!r} is a producer without a key: choose another name")
    return text


def _new_id() -> str:
    """Return 10 letters: digits alone would look like a telephone number, and be masked."""
    return "".join(secrets.choice(ascii_lowercase) for _ in range(10))


def _note(text: str) -> str:
    if len(text) > LONGEST_NOTE or not text.isprintable():
        raise InvalidKeyOptions(f"a note has at most {LONGEST_NOTE} printable characters")
    return text


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(id_: str, record: dict[str, str]) -> ApiKey:
    get = record.get
    return ApiKey(
        id=id_,
        name=record["name"],
        scopes=frozenset(map(Scope, record["scopes"].split(","))),
        created_at=_moment(record["created"]),
        expires_at=_moment_or_none(get("expires")),
        revoked_at=_moment_or_none(get("revoked")),
        used_at=_moment_or_none(get("used")),
        quota=Quota.parse(record["rate"]) if get("rate") else None,
        note=get("note", ""),
    )


def _moment(milliseconds: float | str | bytes) -> datetime:
    return datetime.fromtimestamp(float(milliseconds) / 1000, UTC)


def _moment_or_none(milliseconds: str | None) -> datetime | None:
    return None if milliseconds is None else _moment(milliseconds)
