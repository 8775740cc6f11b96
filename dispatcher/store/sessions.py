"""The console's sessions and failed log-ins: who is logged in, and where too many tried.

A session stands in Redis by the hash of its secret, not in a signed cookie, so that logging out
ends it.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any

from dispatcher.store.connection import Repository, milliseconds
from dispatcher.store.errors import plain_errors

SECRET_BYTES = 32
MOST_FAILED = 10
FAILED_WITHIN = 60
"""Seconds in which so many failed log-ins from one address shut it out, for as long at most."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is not over: the id of the key behind it, and the seconds it has left."""

    key_id: str
    left: float


class Sessions(Repository):
    """The sessions of the console. Durations in seconds."""

    def open(self, key_id: str, *, idle: float, longest: float) -> str:
        """Begin a session; return its secret, which is kept nowhere.

        It ends when nobody touches it for `idle`, and after `longest` in any case.
        """
        secret = secrets.token_urlsafe(SECRET_BYTES)
        name, until = self._name(secret), self._now() + milliseconds(longest)
        with plain_errors():
            pipe = self._pipeline(atomic=True)
            pipe.hset(name, mapping={"key": key_id, "until": round(until)})
            pipe.pexpire(name, milliseconds(min(idle, longest)))
            pipe.execute()
        return secret

    def find(self, secret: str) -> Session | None:
        """Return the session of a secret; None: there is none, or it is over."""
        with plain_errors():
            record: Any = self._redis.hgetall(self._name(secret))
        left = (float(record.get(b"until", 0)) - self._now()) / 1000
        return Session(record[b"key"].decode(), left) if left > 0 else None

    def touch(self, secret: str, seconds: float) -> None:
        """Let a session stand for so many seconds more unless it is touched again."""
        with plain_errors():
            self._redis.pexpire(self._name(secret), max(1, milliseconds(seconds)))

    def close(self, secret: str) -> None:
        """End a session."""
        with plain_errors():
            self._redis.delete(self._name(secret))

    def _name(self, secret: str) -> str:
        return self._key("session", hashlib.sha256(secret.encode()).hexdigest())


class FailedLogins(Repository):
    """Failed log-ins, by the address they come from.

    Nobody guesses a key of 256 bits; what this stops is the noise, and the work that it makes.
    """

    def wait(self, address: str) -> float:
        """Return in how many seconds somebody may try from there again; 0: now."""
        name = self._name(address)
        with plain_errors():
            pipe = self._pipeline()
            pipe.pexpire(
                name, milliseconds(FAILED_WITHIN), lt=True
            )  # no later by a clock that went back
            pipe.get(name)
            pipe.pttl(name)
            _, count, ttl = pipe.execute()
        failed, left = int(count or 0), int(ttl)
        return max(left, 1) / 1000 if failed >= MOST_FAILED else 0

    def add(self, address: str) -> None:
        """Count one that was not let in."""
        name = self._name(address)
        with plain_errors():
            pipe = self._pipeline(atomic=True)
            pipe.set(name, 0, ex=FAILED_WITHIN, nx=True)
            pipe.incr(name)
            pipe.execute()

    def _name(self, address: str) -> str:
        return self._key("login_failures", address[:64])
