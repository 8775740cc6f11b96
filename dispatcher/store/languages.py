"""The languages of texts: the account's own, and those that the provider has refused."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from dispatcher.model.request_limits import DEFAULT_LANGUAGE
from dispatcher.store.connection import Repository
from dispatcher.store.errors import plain_errors
from dispatcher.store.schema import REFUSED_LANGUAGE_KEPT, Config


class Languages(Repository):
    """Which language is spoken where a request names none, and which are not spoken at all."""

    def default(self) -> str:
        """Return the language of texts whose requests name none."""
        with plain_errors():
            found: bytes | None = self._redis.hget(self._key("config"), Config.LANGUAGE)  # type: ignore[assignment]
        return found.decode() if found else DEFAULT_LANGUAGE

    def refused(self) -> dict[str, datetime]:
        """Return what the provider refused of late, and when (UTC); it is refused at once."""
        with plain_errors():
            found: dict[bytes, bytes] = self._redis.hgetall(self._key("refused_languages"))  # type: ignore[assignment]
        now = self._connection.now()
        return {
            name.decode(): datetime.fromtimestamp(float(at) / 1000, UTC)
            for name, at in sorted(found.items())
            if 0 <= now - float(at) < REFUSED_LANGUAGE_KEPT
        }

    def forget(self, languages: Sequence[str] = (), *, actor: str, note: str = "") -> list[str]:
        """Forget refusals, all unless told which; return what was forgotten."""
        meant = json.dumps(list(languages)) if languages else "[]"
        gone = self._run("forget_languages", languages=meant, actor=actor, note=note)
        return [name.decode() for name in gone]
