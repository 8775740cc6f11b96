"""Sessions of the console: a random id in a cookie, whose hash stands in Redis with the key's id.

They stand in Redis, not in a signed cookie, so that logging out ends them, and so does revoking
the key: whoever comes with one is looked up, and the key behind it, too.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dispatcher.store import Store
from dispatcher.store.api_keys import ApiKey, ApiKeys, Scope, UnknownKey
from dispatcher.store.redis_url import plain_errors

SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is logged in. `csrf` is what each form must bring along."""

    key: ApiKey
    csrf: str

    @property
    def name(self) -> str:
        """The key's name."""
        return self.key.name

    @property
    def operates(self) -> bool:
        """Whether they may act, and see numbers whole."""
        return self.key.may(Scope.OPERATE)

    @property
    def actor(self) -> str:
        """Who acts, for timelines and the audit."""
        return f"console:{self.name}"

    def meant(self, token: str) -> bool:
        """Whether a form comes from a page of this session."""
        return hmac.compare_digest(self.csrf.encode(), token.encode())


@dataclass(frozen=True)
class Sessions:
    """The sessions. `idle` and `longest` are in seconds. Operations raise StoreUnavailable."""

    store: Store
    keys: ApiKeys
    idle: float
    longest: float

    def open(self, key: ApiKey) -> str:
        """Begin a session; return its secret, which is kept nowhere."""
        secret, until = secrets.token_urlsafe(SECRET_BYTES), self.store.now() + self.longest * 1000
        name = self._name(secret)
        with plain_errors():
            pipe = self.store.redis.pipeline(transaction=True)
            pipe.hset(name, mapping={"key": key.id, "until": round(until)})
            pipe.pexpire(name, round(min(self.idle, self.longest) * 1000))
            pipe.execute()
        return secret

    def find(self, secret: str, *, active: bool = True) -> Visitor | None:
        """Return whose session it is, or None: there is none, it is over, or its key is.

        Only what a person does, `active`, keeps it from ending idle.
        """
        name, now = self._name(secret), self.store.now()
        with plain_errors():
            record: Any = self.store.redis.hgetall(name)
        left = float(record.get(b"until", 0)) - now
        if left <= 0:
            return None
        key = self._key(record[b"key"].decode(), now)
        if key is None:
            self.close(secret)
            return None
        if active:
            with plain_errors():
                self.store.redis.pexpire(name, max(1, round(min(self.idle * 1000, left))))
        return Visitor(key, _csrf(secret))

    def close(self, secret: str) -> None:
        """End a session."""
        with plain_errors():
            self.store.redis.delete(self._name(secret))

    def _key(self, id_: str, now: float) -> ApiKey | None:
        try:
            key = self.keys.get(id_)
        except UnknownKey:
            return None
        return key if key.live(datetime.fromtimestamp(now / 1000, UTC)) else None

    def _name(self, secret: str) -> str:
        hashed = hashlib.sha256(secret.encode()).hexdigest()
        return self.store.key("console", "session", hashed)


def _csrf(secret: str) -> str:
    """Return the token of a session's forms: who has the one cannot work out the other."""
    return hashlib.blake2b(secret.encode(), digest_size=16, person=b"console csrf").hexdigest()
