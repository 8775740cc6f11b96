"""What happened to the account: holds that started and ended, credit that ran low."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dispatcher.store.connection import Repository
from dispatcher.store.errors import plain_errors

PAGE = 100


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """One event: a dotted kind such as `hold.started`, facts as JSON knows them, and its cursor.

    Every event has `at`, in ms since the epoch, among its facts. The cursor is empty where an
    operation answers with what it just caused.
    """

    kind: str
    facts: dict[str, Any]
    cursor: str = ""


class Events(Repository):
    """The account's events; about the latest 1,000 are kept."""

    def after(self, cursor: str = "") -> Iterator[AccountEvent]:
        """Yield what happened after a cursor, the oldest first; without one, all that is kept."""
        low = f"({cursor}" if cursor else "-"
        while True:
            with plain_errors():
                page: Any = self._redis.xrange(self._key("events"), min=low, count=PAGE)
            for entry, fields in page:
                yield _event(entry, fields)
            if len(page) < PAGE:
                return
            low = f"({page[-1][0].decode()}"


def caused(flat: list[bytes]) -> list[AccountEvent]:
    """Return the events that an operation answered with: kind, facts, kind, facts, …"""
    rows = zip(flat[::2], flat[1::2], strict=True)
    return [AccountEvent(kind.decode(), json.loads(facts)) for kind, facts in rows]


def _event(cursor: bytes, fields: dict[bytes, bytes]) -> AccountEvent:
    kind, facts = fields[b"kind"].decode(), json.loads(fields[b"facts"])
    return AccountEvent(kind, facts, cursor.decode())
