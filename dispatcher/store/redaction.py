"""Masks one telephone number where people or programs wrote it beside the jobs: in notes, tags,
names and alerts.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dispatcher.store.connection import Connection, Repository
from dispatcher.store.do_not_call import DoNotCallList
from dispatcher.store.errors import plain_errors
from dispatcher.store.schema import SPENDING_DAY, ApiKeyField, BulkField
from dispatcher.values.masking import mask_text
from dispatcher.values.mentions import Mentions

PAGE = 500
STREAMS = ("audit", "events")
RECORDS = (
    ("bulk_actions", "bulk_action", (BulkField.SELECTION, BulkField.NOTE, BulkField.ACTOR)),
    ("api_keys", "api_key", (ApiKeyField.NOTE,)),
)
"""The index of a kind of record, its key, and its fields in which people write."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """How many texts were masked, and what still holds the number, itself masked: names that
    something goes by, such as the tag of a pause.
    """

    audit: int = 0
    events: int = 0
    records: int = 0
    left: tuple[str, ...] = ()


class Redaction(Repository):
    """Not one atomic step, but each may be repeated."""

    def __init__(self, connection: Connection, do_not_call: DoNotCallList) -> None:
        super().__init__(connection)
        self._do_not_call = do_not_call

    def redact(self, mentions: Mentions) -> Redacted:
        """Mask the number in the audit log, account events, bulk actions and alerts, and in the
        notes of API keys and pauses, and in reasons of the do-not-call list.
        """
        audit, events = (self._stream(name, mentions) for name in STREAMS)
        records = sum(self._records(which, mentions) for which in RECORDS)
        records += self._holds(mentions) + self._do_not_call.hide(mentions)
        records += self._alerts(mentions)
        left = tuple(mask_text(name) for name in self._names() if mentions.stand_in(name))
        return Redacted(audit, events, records, left)

    def count(self, mentions: Mentions) -> int:
        """Return in how many audit entries and account events the number stands."""
        return sum(len(self._changed(name, mentions)) for name in STREAMS)

    def _stream(self, name: str, mentions: Mentions) -> int:
        entries = self._changed(name, mentions)
        if not entries:
            return 0
        return int(self._run("redact_stream", stream=name, entries=entries))

    def _changed(self, name: str, mentions: Mentions) -> dict[str, dict[str, str]]:
        """Return the entries in which the number stands, by id, without it."""
        found = {}
        for id_, fields in self._entries(name):
            hidden = {field: _hidden(text, mentions) for field, text in fields.items()}
            if hidden != fields:
                found[id_] = hidden
        return found

    def _entries(self, name: str) -> Iterator[tuple[str, dict[str, str]]]:
        low = "-"
        while True:
            with plain_errors():
                page: Any = self._redis.xrange(self._key(name), min=low, count=PAGE)
            for id_, raw in page:
                yield id_.decode(), {_text(name): _text(value) for name, value in raw.items()}
            if len(page) < PAGE:
                return
            low = f"({page[-1][0].decode()}"

    def _records(self, which: tuple[str, str, tuple[str, ...]], mentions: Mentions) -> int:
        index, kind, fields = which
        with plain_errors():
            ids: Any = self._redis.zrange(self._key(index), 0, -1)
        return sum(self._record(kind, id_.decode(), fields, mentions) for id_ in ids)

    def _record(self, kind: str, id_: str, fields: tuple[str, ...], mentions: Mentions) -> bool:
        with plain_errors():
            texts: Any = self._redis.hmget(self._key(kind, id_), list(fields))
        known = {f: _text(t) for f, t in zip(fields, texts, strict=True) if t}
        hidden = {field: mentions.hide(text) for field, text in known.items()}
        if hidden == known:
            return False
        return bool(self._run("redact_fields", kind=kind, id=id_, fields=hidden))

    def _alerts(self, mentions: Mentions) -> int:
        """Mask the number in all that monitoring and people said of alerts; return in how many."""
        with plain_errors():
            ids: Any = self._redis.zrange(self._key("alerts"), 0, -1)
        return sum(self._alert(id_.decode(), mentions) for id_ in ids)

    def _alert(self, id_: str, mentions: Mentions) -> bool:
        with plain_errors():
            found: Any = self._redis.hgetall(self._key("alert", id_))
        known = {_text(name): _text(value) for name, value in found.items()}
        hidden = {name: _hidden(text, mentions) for name, text in known.items()}
        changed = {name: text for name, text in hidden.items() if text != known[name]}
        return bool(changed and self._run("redact_fields", kind="alert", id=id_, fields=changed))

    def _holds(self, mentions: Mentions) -> int:
        """Mask the number in what was said when holds were started; return in how many."""
        with plain_errors():
            found: Any = self._redis.hgetall(self._key("holds"))
        known = {name.decode(): json.loads(text)["why"] for name, text in found.items()}
        changed = {name: why for name, why in known.items() if mentions.stand_in(why)}
        return sum(
            int(self._run("redact_hold", name=name, known=why, why=mentions.hide(why)))
            for name, why in changed.items()
        )

    def _names(self) -> Iterator[str]:
        with plain_errors():
            pipe = self._pipeline()
            pipe.hkeys(self._key("holds"))
            pipe.hkeys(self._key("spending_limits"))
            pipe.zrange(self._key("campaigns"), 0, -1)
            holds, limits, campaigns = pipe.execute()
        yield from (f"the hold {name.decode()}" for name in holds)
        scopes = [name.decode() for name in limits]
        yield from (f"the spending limit {name}" for name in scopes if name != SPENDING_DAY)
        yield from (f"the campaign {name.decode()}" for name in campaigns)
        tags = {entry.tag for entry in self._do_not_call.all(ended=True) if entry.tag}
        yield from (f"the tag {tag} of the do-not-call list" for tag in sorted(tags))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _hidden(text: str, mentions: Mentions) -> str:
    """Return a field without the number; one in JSON stays JSON."""
    if not text.startswith("{"):
        return str(mentions.hide(text))
    try:
        facts = json.loads(text)
    except ValueError:
        return str(mentions.hide(text))
    hidden = mentions.hide(facts)
    return text if hidden == facts else json.dumps(hidden, ensure_ascii=False)
