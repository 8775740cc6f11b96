"""Who is logged in to the console: the session of a cookie's secret, and the key behind it.

Both are looked up at every request, so that logging out ends a session, and so does revoking the
key.
"""

from __future__ import annotations

import hashlib
import hmac
from contextlib import suppress
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from dispatcher.model.api_key import ApiKey, Scope, UnknownKey
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable
from workers.gateway.console.times import NO_ZONE


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who is logged in. `csrf` is what each form must bring along, `zone` the time zone
    that their browser keeps.
    """

    key: ApiKey
    csrf: str
    zone: ZoneInfo = NO_ZONE

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

    def shows(self, token: str) -> bool:
        """Whether a form comes from a page of this session."""
        return hmac.compare_digest(self.csrf.encode(), token.encode())


@dataclass(frozen=True)
class Sessions:
    """The sessions. `idle` and `longest` are in seconds. Operations raise StoreUnavailable."""

    store: Store
    idle: float
    longest: float

    def open(self, key: ApiKey) -> str:
        """Begin a session; return its secret, which is kept nowhere."""
        return self.store.sessions.open(key.id, idle=self.idle, longest=self.longest)

    def find(self, secret: str, *, active: bool = True) -> Visitor | None:
        """Return whose session it is, or None: there is none, it is over, or its key is.

        Only what a person does, `active`, keeps it from ending idle.
        """
        session = self.store.sessions.find(secret)
        if session is None:
            return None
        key = self._live_key(session.key_id)
        if key is None:
            self.close(secret)
            return None
        if active:  # where Redis takes no writes, the console must show that
            with suppress(StoreUnavailable):
                self.store.sessions.touch(secret, min(self.idle, session.left))
        return Visitor(key, _csrf(secret))

    def close(self, secret: str) -> None:
        """End a session."""
        self.store.sessions.close(secret)

    def _live_key(self, id_: str) -> ApiKey | None:
        try:
            key = self.store.api_keys.get(id_)
        except UnknownKey:
            return None
        now = self.store.moment()
        return key if key.live(now) else None


def _csrf(secret: str) -> str:
    """Return the token of a session's forms: who has the one cannot work out the other."""
    return hashlib.blake2b(secret.encode(), digest_size=16, person=b"console csrf").hexdigest()
