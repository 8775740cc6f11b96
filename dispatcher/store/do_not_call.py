"""The do-not-call list: numbers that are looked at when a job is enqueued and when it is claimed.

Each stands under its keyed hash, so that one whose number is not kept is found as well, and a list
of hashes tells nobody's number to whoever has not the key. The key is made with the first entry.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NamedTuple

from dispatcher.model.do_not_call import (
    Entry,
    InvalidEntry,
    KeyedHash,
    KeyInUse,
    OtherKey,
    Who,
    Wish,
)
from dispatcher.store.codec import moment
from dispatcher.store.connection import Connection, Repository
from dispatcher.store.errors import plain_errors
from dispatcher.store.replicas import Replicas
from dispatcher.store.schema import DO_NOT_CALL_KEY
from dispatcher.values.counts import counted
from dispatcher.values.durations import moment as moment_of
from dispatcher.values.masking import mask_number, mask_text
from dispatcher.values.mentions import Mentions

KEPT = 7 * 86_400
"""Seconds for which an entry that has ended is kept: it stands again when a clock is set right."""
ASKED = ("enqueue", "claim")
"""When the list is asked, as counters say: of a new request, and of a job before its dial."""
_KEY = re.compile(r"[0-9a-f]{40}", re.ASCII)
AT_ONCE = 100
"""Entries changed in one atomic step."""
PAGE = 500


class Added(NamedTuple):
    """What became of entries: for each `new`, `longer` or `known`; and the ids of jobs whose claim
    came before, so that they may be calling one of these numbers now.
    """

    answers: list[str]
    calling: list[str]


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, in no order; `cursor` asks for the next ones, None: there are no more."""

    entries: list[Entry]
    cursor: str | None


class DoNotCallList(Repository):
    """The list of the account. What it answers to `add` holds for every claim that comes after."""

    def __init__(self, connection: Connection, replicas: Replicas) -> None:
        super().__init__(connection)
        self._replicas = replicas

    def add(self, wishes: Iterable[Wish], *, actor: str) -> Added:
        """Put numbers on the list, a step for every AT_ONCE of them. What is there already stays,
        or is made longer; it is never made shorter.

        Raises OtherKey (nothing of that step is written), StoreUnavailable, and TooFewReplicas
        where replicas must have claims and have not got this: it may be repeated.
        """
        done = Added([], [])
        all_ = iter(wishes)
        while some := list(islice(all_, AT_ONCE)):
            answers, ids = self._add(some, actor)
            done.answers.extend(map(bytes.decode, answers))
            done.calling.extend(map(bytes.decode, ids))
        return Added(done.answers, sorted(set(done.calling)))

    def _add(self, some: Sequence[Wish], actor: str) -> Any:
        known = self._known_key() if any(_is_hash(wish.who) for wish in some) else ""
        rows = [self._row(wish.who, known) | _wished(wish) for wish in some]
        alone = some[0] if len(some) == 1 else None
        until = None if alone is None or alone.until is None else str(alone.until)
        facts = {"tag": mask_text(alone.tag or "all"), "until": until} if alone else {}
        return self._run(
            "add_do_not_call",
            replicas=self._replicas.needed(),
            actor=actor,
            key=secrets.token_hex(20),
            entries=rows,
            target=_target([wish.who for wish in some]),
            note=mask_text(alone.reason) if alone else "",
            facts=facts,
        )

    def remove(
        self, whom: Sequence[Who], *, actor: str, tag: str | None = None, note: str = ""
    ) -> list[int]:
        """Take numbers off the list, or of each the entry for one tag; return how many entries of
        each are gone. Raises OtherKey, StoreUnavailable.
        """
        key = self._known_key()
        scope = {} if tag is None else {"scope": tag}
        if not whom or not key:
            return [0] * len(whom)
        gone = self._run(
            "remove_do_not_call",
            actor=actor,
            entries=[self._row(who, key) | scope for who in whom],
            target=_target(whom),
            note=mask_text(note),
            facts={} if tag is None else {"tag": mask_text(tag)},
        )
        return [int(many) for many in gone]

    def check(self, who: Who) -> list[Entry]:
        """Return the entries of a number that stand now, that for all jobs first.

        Raises OtherKey, StoreUnavailable.
        """
        key = self._known_key()
        if not key:
            return []
        flat = iter(self._run("check_do_not_call", **self._row(who, key)))
        id_ = _key_id(key)
        return [entry for pair in zip(flat, flat, strict=True) for entry in self._read(id_, *pair)]

    def refuses(self, id_: str) -> str | None:
        """Return the number of a job that keeps it from being called, None where none does."""
        digits: bytes = self._run("job_do_not_call", id=id_)
        return f"+{digits.decode()}" if digits else None

    def size(self) -> int:
        """Return how many numbers are on the list."""
        with plain_errors():
            found: Any = self._redis.hlen(self._key("do_not_call"))
        return max(0, int(found) - 1)

    def page(self, cursor: str | None = None, many: int = PAGE, *, ended: bool = False) -> Page:
        """Return some entries that stand, about so many, and where to go on; with `ended` those
        that are kept, too. One that comes or goes meanwhile may be left out. Raises ValueError for
        what is no cursor.
        """
        key = self._known_key()
        if not key:
            return Page([], None)
        place = int(cursor or 0)
        with plain_errors():
            answer: Any = self._redis.hscan(self._key("do_not_call"), place, count=many)
        after, found = answer
        found.pop(DO_NOT_CALL_KEY.encode(), None)
        id_ = _key_id(key)
        entries = [entry for pair in found.items() for entry in self._read(id_, *pair, ended=ended)]
        return Page(entries, str(after) if after else None)

    def all(self, *, ended: bool = False) -> Iterator[Entry]:
        """Yield the entries that stand, with `ended` all that are kept, in no order, each once."""
        seen: set[tuple[str, str | None]] = set()
        cursor: str | None = None
        while True:
            page = self.page(cursor, ended=ended)
            for entry in page.entries:
                if (name := (entry.hash, entry.tag)) not in seen:  # a growing hash tells some twice
                    seen.add(name)
                    yield entry
            if (cursor := page.cursor) is None:
                return

    def hide(self, mentions: Mentions) -> int:
        """Mask a number in the reasons of entries; return in how many it stood."""
        changed = (entry for entry in self.all(ended=True) if mentions.stand_in(entry.reason))
        return sum(int(self._hide(entry, mentions.hide(entry.reason))) for entry in changed)

    def _hide(self, entry: Entry, reason: str) -> Any:
        hash_ = entry.hash.rpartition(":")[2]
        scope, known = entry.tag or "", entry.reason
        return self._run("redact_do_not_call", hash=hash_, scope=scope, known=known, reason=reason)

    def end_due(self) -> int:
        """Forget entries that ended KEPT ago or before; return how many."""
        gone: int = 0
        while True:
            looked, ended = self._run("end_do_not_call", limit=AT_ONCE, kept=KEPT * 1000)
            gone += ended
            if looked < AT_ONCE:
                return gone

    def key(self, *, actor: str) -> str:
        """Return the secret that hashes are keyed with, which is made if there is none yet."""
        return bytes(
            self._run("use_do_not_call_key", actor=actor, key=secrets.token_hex(20))
        ).decode()

    def set_key(self, key: str, *, actor: str) -> None:
        """Have hashes keyed with that of another list, 40 hex digits. Raises InvalidEntry, and
        KeyInUse where somebody is on the list.
        """
        if not _KEY.fullmatch(key):
            raise InvalidEntry("key", "it is not 40 hex digits, as `dnc key` prints them")
        if bytes(self._run("use_do_not_call_key", actor=actor, key=key, set=True)).decode() != key:
            raise KeyInUse

    def key_id(self) -> str:
        """Return 8 digits that tell the list's key from others; '' while there is none."""
        return _key_id(self._known_key())

    def _known_key(self) -> str:
        with plain_errors():
            found: Any = self._redis.hget(self._key("do_not_call"), DO_NOT_CALL_KEY)
        return found.decode() if found else ""

    def _row(self, who: Who, key: str) -> dict[str, Any]:
        """Return how the operations take a number or a hash. Raises OtherKey."""
        if not isinstance(who, KeyedHash):
            return {"to": who.removeprefix("+")}
        if who.key != _key_id(key):
            ours = f"this list's is {_key_id(key)}" if key else "this list has none yet"
            raise OtherKey(
                f"the hash {str(who)[:17]}… was made with another key ({ours}): it would match"
                " nobody. Give the number itself, or a hash that this list exported"
            )
        return {"hash": who.digits}

    def _read(self, key_id: str, hash_: bytes, text: bytes, *, ended: bool = False) -> list[Entry]:
        facts, now = json.loads(text), self._now()
        number = f"+{facts['to']}" if "to" in facts else None
        entries = facts["entries"].items()
        return [
            Entry(
                hash=f"{key_id}:{hash_.decode()}",
                number=number,
                tag=scope or None,
                reason=each["reason"],
                added_by=each["by"],
                added_at=_time(each["at"]),
                until=_time(each["ends"]) if "ends" in each else None,
            )
            for scope, each in sorted(entries)
            if ended or each.get("ends", now + 1) > now
        ]


def hash_of(key: str, number: str) -> str:
    """Return the 40 digits of a number's hash, as lua/lib/do_not_call.lua makes it: HMAC-SHA1."""
    return hmac.new(key.encode(), number.encode(), hashlib.sha1).hexdigest()


def _key_id(key: str) -> str:
    """Return what tells a key from others and says nothing of it."""
    return hash_of(key, "")[:8] if key else ""


def _is_hash(who: Who) -> bool:
    return isinstance(who, KeyedHash)


def _wished(wish: Wish) -> dict[str, Any]:
    ends = None if wish.until is None else moment(moment_of(wish.until))
    found = {"scope": wish.tag or "", "reason": wish.reason, "keep": wish.keep, "ends": ends}
    return {name: value for name, value in found.items() if value is not None}


def _target(whom: Sequence[Who]) -> str:
    """Return whom the audit log names."""
    if len(whom) != 1:
        return counted(len(whom), "number")
    (who,) = whom
    return f"hash:{who}" if isinstance(who, KeyedHash) else f"recipient:{mask_number(who)}"


def _time(milliseconds: float) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
