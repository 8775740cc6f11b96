"""The audit log: who did what to what, when and why; an entry for each act of a person.

Operations of store/lua that people ask for write theirs in the very step that acts, and only
where something was done (lua/lib/audit.lua).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from dispatcher.model.job import iso
from dispatcher.model.rights_in_words import beyond_safe, right
from dispatcher.store.connection import Repository
from dispatcher.store.errors import plain_errors
from dispatcher.store.schema import ApiKeyField
from dispatcher.values.masking import mask_text

PAGE = 500
LOOKED_AT = 2000
"""Entries that are looked at for one page of some."""
LONGEST_NOTE = 500
"""Characters of why somebody acts, as far as we set its bounds: in forms and over HTTP."""
_CURSOR = re.compile(r"[0-9]{1,15}-[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action of a person.

    `action` is such as `retry` or `pause`; `target` is `job:<id>`, a hold, the scope of a limit,
    or a selection of jobs in words; `facts` is what else is worth knowing, as JSON knows it.
    """

    at: datetime
    actor: str
    action: str
    target: str
    note: str
    facts: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        return {**asdict(self), "at": iso(self.at)}

    @property
    def told(self) -> dict[str, str]:
        """The facts as people read them, by name; the note is one, too, where it is told anyway."""
        facts = [each for each in sorted(self.facts.items()) if each[0] != "note"]
        return {name: _in_words(name, value) for name, value in facts if value is not None}


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted: those with this in who acted, and in what they did to what, in
    capitals or not; from `since` on, and before `until` (aware).
    """

    who: str = ""
    what: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def fits(self, entry: AuditEntry) -> bool:
        """Whether who and what are wanted; by their moments entries are read."""
        what = f"{entry.action} {entry.target}"
        return _in(self.who, entry.actor) and _in(self.what, what)


ANYTHING = AuditFilter()


class Audit(Repository):
    """The audit log of the account."""

    def record(self, actor: str, act: str, target: str, note: str = "", **facts: Any) -> None:
        """Write down an act that no operation of the store writes down by itself."""
        self._run("write_audit", actor=actor, action=act, target=target, note=note, facts=facts)

    def read(
        self, since: datetime | None = None, until: datetime | None = None, *, mask: bool = True
    ) -> Iterator[AuditEntry]:
        """Yield what people did, the oldest first: from `since` on, and before `until`.

        Numbers are masked in what people wrote, unless told otherwise.
        """
        low = "-" if since is None else str(_ms(since))
        high = "+" if until is None else f"({_ms(until)}-0"
        while True:
            with plain_errors():
                page: Any = self._redis.xrange(self._key("audit"), min=low, max=high, count=PAGE)
            for cursor, fields in page:
                yield _entry(cursor, fields, mask_text if mask else str)
            if len(page) < PAGE:
                return
            low = f"({page[-1][0].decode()}"

    def latest(
        self, most: int, before: str = "", wanted: AuditFilter = ANYTHING
    ) -> tuple[list[AuditEntry], str | None]:
        """Return what people did, the latest first and numbers masked, and a cursor to what was
        before that (None: there is nothing).

        `before` is such a cursor; one that is none counts as left out. Looks at LOOKED_AT entries:
        there may be few, and a cursor that leads on nevertheless.
        """
        low = "-" if wanted.since is None else str(_ms(wanted.since))
        high = "+" if wanted.until is None else f"({_ms(wanted.until)}-0"
        place = before if _CURSOR.fullmatch(before) else ""
        many, found = (most + 1 if wanted == ANYTHING else PAGE), list[AuditEntry]()
        for _ in range(LOOKED_AT // PAGE):
            high = f"({place}" if place else high
            with plain_errors():
                page: Any = self._redis.xrevrange(self._key("audit"), high, low, many)
            for cursor, fields in page:
                if len(found) == most:
                    return found, place
                place = cursor.decode()
                if not wanted.fits(_entry(cursor, fields, str)):
                    continue  # masking takes longer than all else
                entry = _entry(cursor, fields, mask_text)
                if wanted.fits(entry):
                    found.append(entry)
            if len(page) < many:
                return found, None
        return found, place

    def trim(self, before: float) -> int:
        """Forget entries older than a moment (ms since the epoch); return how many."""
        oldest = str(round(before))
        with plain_errors():
            gone: Any = self._redis.xtrim(self._key("audit"), minid=oldest, approximate=False)
        return int(gone)


def _in_words(name: str, value: Any) -> str:
    if name == ApiKeyField.RIGHTS:
        return beyond_safe(json.loads(value)) or "the safe ones"
    return right(name, value)


def _in(part: str, text: str) -> bool:
    return part.casefold() in text.casefold()


def _ms(moment: datetime) -> int:
    return max(0, round(moment.timestamp() * 1000))


def _entry(cursor: bytes, fields: dict[bytes, bytes], shown: Callable[[str], str]) -> AuditEntry:
    text = {name.decode(): value.decode("utf-8", "replace") for name, value in fields.items()}
    at = datetime.fromtimestamp(int(cursor.partition(b"-")[0]) / 1000, UTC)
    facts = json.loads(text.pop("facts"))
    return AuditEntry(
        at=at,
        actor=shown(text["actor"]),
        action=shown(text["action"]),
        target=shown(text["target"]),
        note=shown(text["note"]),
        facts={k: shown(v) if isinstance(v, str) else v for k, v in facts.items()},
    )
