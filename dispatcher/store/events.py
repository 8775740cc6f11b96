"""What happened to the account: gates that closed and opened, credit that ran low."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dispatcher.store.redis_url import plain_errors
from dispatcher.store.store import Store

PAGE = 100


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """One event: its cursor, a dotted kind such as `gate.closed`, and facts as JSON knows them.

    Every notice has `at`, in ms since the epoch, among its facts.
    """

    cursor: str
    kind: str
    facts: dict[str, Any]


def notices(store: Store, after: str = "") -> Iterator[AccountEvent]:
    """Yield what happened after a cursor, the oldest first; without one, all that is kept.

    About the latest 1,000 are.
    """
    low = f"({after}" if after else "-"
    while True:
        with plain_errors():
            page: Any = store.redis.xrange(store.key("notices"), min=low, count=PAGE)
        for cursor, fields in page:
            yield notice(cursor, fields)
        if len(page) < PAGE:
            return
        low = f"({page[-1][0].decode()}"


def notice(cursor: bytes, fields: dict[bytes, bytes]) -> AccountEvent:
    """Return the notice of an entry of the stream."""
    return AccountEvent(cursor.decode(), fields[b"kind"].decode(), json.loads(fields[b"facts"]))
