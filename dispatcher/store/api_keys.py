"""API keys: what lets other services in over HTTP, by name, with scopes and a rate."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from string import ascii_lowercase
from typing import Any

from dispatcher.model.api_key import (
    ApiKey,
    Granted,
    InvalidKeyOptions,
    NotLetIn,
    Quota,
    Scope,
    UnknownKey,
    client_name,
    key_note,
)
from dispatcher.model.job import iso
from dispatcher.model.key_rights import EVERYTHING, KeyRights
from dispatcher.store import codec
from dispatcher.store.connection import Repository
from dispatcher.store.errors import StoreUnavailable, plain_errors
from dispatcher.store.schema import ApiKeyField

SECRET_BYTES = 32
"""256 random bits: nobody guesses one, so that a plain hash keeps it and no lockout is needed."""
USED_EVERY = 60_000
"""ms: the last use is written down so often at most."""
_TEXT = re.compile(rf"vd_([a-z]{{10}})_([0-9a-f]{{{2 * SECRET_BYTES}}})")


class ApiKeys(Repository):
    """The API keys of the account."""

    def create(
        self,
        name: str,
        scopes: Iterable[Scope],
        *,
        rights: KeyRights | None = None,
        quota: Quota | None = None,
        waiting: int | None = None,
        expires_at: datetime | None = None,
        note: str = "",
        actor: str = "",
    ) -> tuple[ApiKey, str]:
        """Make a key; return it, and the text that lets in, which is kept nowhere.

        `rights` None: the safe ones. `actor` is the person who makes it, for the audit.
        Raises InvalidKeyOptions.
        """
        now = _moment(int(self._now()))
        made = ApiKey(
            id=_new_id(),
            name=client_name(name),
            scopes=frozenset(scopes),
            created_at=now,
            expires_at=None if expires_at is None else _moment(codec.moment(expires_at)),
            quota=quota,
            note=key_note(note),
            rights=rights or KeyRights(),
            waiting=waiting,
        )
        if not made.scopes:
            raise InvalidKeyOptions(f"a key needs at least one scope: {', '.join(Scope)}")
        if not made.live(now):
            raise InvalidKeyOptions(
                f"{expires_at:%Y-%m-%d %H:%M} UTC has passed: choose a later time"
            )
        secret = secrets.token_hex(SECRET_BYTES)
        self._write(made, _hash(secret), actor)
        return made, f"vd_{made.id}_{secret}"

    def all(self) -> list[ApiKey]:
        """Return all keys that were ever made, the newest first."""
        with plain_errors():
            ids: Any = self._redis.zrevrange(self._key("api_keys"), 0, -1)
            pipe = self._pipeline()
            for id_ in ids:
                pipe.hgetall(self._key("api_key", id_.decode()))
            found = pipe.execute()
        return [_key(id_.decode(), codec.record(raw)) for id_, raw in zip(ids, found, strict=True)]

    def clients(self) -> set[str]:
        """Return the names of all clients that ever had a key: the scopes of their jobs' keys."""
        return {key.name for key in self.all()}

    def any(self) -> bool:
        """Whether a key was ever made."""
        with plain_errors():
            return bool(self._redis.exists(self._key("api_keys")))

    def get(self, id_: str) -> ApiKey:
        """Return a key. Raises UnknownKey."""
        _, *fields = self._run("find_api_key", id=id_)
        if not fields:
            raise UnknownKey(id_)
        return _key(id_, codec.record(fields))

    def revoke(self, id_: str, *, actor: str = "", note: str = "") -> bool:
        """Revoke a key; False where it was already revoked.

        Raises UnknownKey.
        """
        answer = self._run("revoke_api_key", id=id_, actor=actor or None, note=note)
        if answer == b"gone":
            raise UnknownKey(id_)
        return bool(answer == b"revoked")

    def authenticate(self, text: str) -> ApiKey:
        """Return the key that was shown, `vd_<id>_<secret>`. Raises NotLetIn."""
        (found,) = self.authenticate_all([text])
        if found is None:
            raise NotLetIn
        return found

    def authenticate_all(self, texts: Iterable[str]) -> list[ApiKey | None]:
        """Return the keys that were shown, in one round trip; None for what lets nobody in."""
        shown = [found.groups() if (found := _TEXT.fullmatch(text)) else None for text in texts]
        ids = list(dict.fromkeys(each[0] for each in shown if each))
        answers = self._connection.run_all([("find_api_key", {"id": id_}) for id_ in ids])
        known = dict(zip(ids, map(_Shown, ids, answers), strict=True))
        keys = [known[each[0]].opened_by(each[1]) if each else None for each in shown]
        for id_ in {key.id for key in keys if key}:
            self._note_use(known[id_])
        return keys

    def require_live(self, key: ApiKey) -> None:
        """Raise NotLetIn where a key that was let in has ended since."""
        at, *fields = self._run("find_api_key", id=key.id)
        if not fields or not _key(key.id, codec.record(fields)).live(_moment(at)):
            raise NotLetIn

    def take(self, key: ApiKey, many: int = 1) -> Granted:
        """Count what a key is used for against its rate: as many of these as it lets through."""
        if key.quota is None:
            return Granted(many, 0)
        period = key.quota.seconds * 1000
        granted, again = self._run(
            "take_quota", id=key.id, uses=many, most=key.quota.many, period=period
        )
        return Granted(int(granted), float(again) / 1000)

    def give_back(self, key: ApiKey, many: int) -> None:
        """Give back what was taken and not used."""
        if many and key.quota is not None:
            self.take(key, -many)

    # -- below -----------------------------------------------------------------------------

    def _write(self, key: ApiKey, hashed: str, actor: str) -> None:
        at = str(round(key.created_at.timestamp() * 1000))
        told = {
            ApiKeyField.NAME: key.name,
            ApiKeyField.SCOPES: ",".join(sorted(key.scopes)),
            ApiKeyField.EXPIRES: codec.moment(key.expires_at),
            ApiKeyField.RATE: str(key.quota or ""),
            ApiKeyField.WAITING: str(key.waiting or ""),
            ApiKeyField.NOTE: key.note,
        }
        told = {name: value for name, value in told.items() if value}
        fields = {**told, ApiKeyField.HASH: hashed, ApiKeyField.CREATED: at}
        if Scope.ENQUEUE in key.scopes:
            rights = key.rights.to_json()
            fields[ApiKeyField.RIGHTS] = _json(rights)
            shown = None if rights["callers"] is None else len(rights["callers"])  # no numbers
            told[ApiKeyField.RIGHTS] = _json({**rights, "callers": shown})
        if ends := iso(key.expires_at):
            told[ApiKeyField.EXPIRES] = ends  # people read it
        self._run(
            "create_api_key", id=key.id, created=at, fields=fields, actor=actor or None, facts=told
        )

    def _note_use(self, shown: _Shown) -> None:
        now, used = shown.now, shown.record.get(ApiKeyField.USED)
        if used is None or (now - _moment(used)).total_seconds() * 1000 >= USED_EVERY:
            # Whoever looks what is wrong with a Redis that takes no writes must be let in.
            with suppress(StoreUnavailable), plain_errors():
                name = self._key("api_key", shown.id)
                self._redis.hset(name, ApiKeyField.USED, codec.moment(now))


class _Shown:
    """A key by whose id somebody wants to be let in, as it stands now; or no key at all."""

    def __init__(self, id_: str, answer: list[bytes]) -> None:
        at, *fields = answer
        self.id, self.now = id_, _moment(at)
        self.record, self._key = _read(id_, tuple(fields))

    def opened_by(self, secret: str) -> ApiKey | None:
        """Return the key if it is live, and this is its secret."""
        # An unknown id is compared as well: its answer takes no less time.
        right = hmac.compare_digest(_hash(secret), self.record.get(ApiKeyField.HASH, ""))
        return self._key if right and self._key and self._key.live(self.now) else None


@lru_cache(maxsize=256)
def _read(id_: str, fields: tuple[bytes, ...]) -> tuple[Mapping[str, str], ApiKey | None]:
    """Return the record that Redis answered, and its key: nearly always the same as before."""
    record = codec.record(fields)
    return record, _key(id_, record) if record else None


def _new_id() -> str:
    """Return 10 letters: digits alone would look like a telephone number, and be masked."""
    return "".join(secrets.choice(ascii_lowercase) for _ in range(10))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _key(id_: str, record: dict[str, str]) -> ApiKey:
    get = record.get
    return ApiKey(
        id=id_,
        name=record[ApiKeyField.NAME],
        scopes=frozenset(map(Scope, record[ApiKeyField.SCOPES].split(","))),
        created_at=_moment(record[ApiKeyField.CREATED]),
        expires_at=_moment_or_none(get(ApiKeyField.EXPIRES)),
        revoked_at=_moment_or_none(get(ApiKeyField.REVOKED)),
        used_at=_moment_or_none(get(ApiKeyField.USED)),
        quota=Quota.parse(record[ApiKeyField.RATE]) if get(ApiKeyField.RATE) else None,
        note=get(ApiKeyField.NOTE, ""),
        rights=_rights(get(ApiKeyField.RIGHTS)),
        waiting=int(record[ApiKeyField.WAITING]) if get(ApiKeyField.WAITING) else None,
    )


def _json(rights: Mapping[str, Any]) -> str:
    return json.dumps(rights, separators=(",", ":"))


def _rights(text: str | None) -> KeyRights:
    return EVERYTHING if text is None else KeyRights.from_json(json.loads(text))


def _moment(milliseconds: float | str | bytes) -> datetime:
    return datetime.fromtimestamp(float(milliseconds) / 1000, UTC)


def _moment_or_none(milliseconds: str | None) -> datetime | None:
    return None if milliseconds is None else _moment(milliseconds)
