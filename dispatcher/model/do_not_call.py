"""The do-not-call list: who is not to be called, why, who says so, and until when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Self, cast

from dispatcher.errors import DispatcherError, UsageError
from dispatcher.model.job import iso
from dispatcher.model.tags import tag as checked_tag
from dispatcher.values.durations import MomentLike, moment
from dispatcher.values.masking import mask_number, mask_text
from dispatcher.values.national import read
from dispatcher.values.regions import parse_region

LONGEST_REASON = 200
"""Characters of why a number is on the list."""
_HASH = re.compile(r"([0-9a-f]{8}):([0-9a-f]{40})", re.ASCII)


class InvalidEntry(UsageError, ValueError):
    """What was given cannot be on the do-not-call list; the message says what is wrong.

    `field` is what it was given as: `number`, `region`, `reason`, `until`, `tag` or
    `key`.
    """

    def __init__(self, field: str, problem: str) -> None:
        self.field, self.problem = field, problem
        super().__init__(f"{field}: {problem}")


class OtherKey(UsageError, ValueError):
    """A keyed hash was made with another key than this list's, so that it would match nobody."""


class KeyInUse(DispatcherError):
    """The list has entries, whose hashes another key would not match."""

    def __init__(self) -> None:
        super().__init__(
            "there are numbers on the list, and their hashes have its key: export the list, remove"
            " what is on it, set the key, and import it again"
        )


@dataclass(frozen=True, slots=True)
class KeyedHash:
    """A number's hash alone: `key` tells which key it was made with, `digits` are its 40 digits."""

    key: str
    digits: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Return the hash that a text is; None where it is none."""
        found = _HASH.fullmatch(text.strip().lower())
        return cls(found[1], found[2]) if found else None

    def __str__(self) -> str:
        return f"{self.key}:{self.digits}"


Who = str | KeyedHash
"""A number in E.164, or the hash of one."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be on the list.

    `keep`: whether the number is kept beside its hash. `tag`: for jobs with this tag only; None:
    for all. `until`: an aware datetime, a timedelta from now by Redis' clock, or None for good.
    """

    who: Who
    reason: str = ""
    until: MomentLike | None = None
    tag: str | None = None
    keep: bool = True

    @classmethod
    def of(
        cls,
        who: str,
        *,
        region: str | None = None,
        reason: str = "",
        until: MomentLike | None = None,
        tag: str | None = None,
        keep: bool = True,
    ) -> Self:
        """Return what was asked for, checked; `region` is as of `whom`. Raises InvalidEntry."""
        return cls(whom(who, region), reason_of(reason), end_of(until), scope_of(tag), keep)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the list; `number` is None where only its hash is known."""

    hash: str
    number: str | None
    tag: str | None
    reason: str
    added_by: str
    added_at: datetime
    until: datetime | None

    def to_dict(self, *, mask: bool = True) -> dict[str, Any]:
        """Return it as JSON knows it, with numbers masked unless told otherwise."""
        number = mask_number(self.number) if self.number and mask else self.number
        return {
            "number": number,
            "hash": self.hash,
            "tag": mask_text(self.tag) if mask and self.tag else self.tag,
            "reason": mask_text(self.reason) if mask else self.reason,
            "added_by": self.added_by,
            "added_at": iso(self.added_at),
            "until": iso(self.until),
        }


def whom(text: str, region: str | None = None) -> Who:
    """Return a number in E.164, or a keyed hash. Raises InvalidEntry.

    `region` (ISO 3166): the number is as people there write it.
    """
    found = KeyedHash.parse(text)
    where = _checked("region", parse_region, region) if region else None
    return found or str(_checked("number", partial(read, region=where), text.strip()))


def scope_of(tag: str | None) -> str | None:
    """Return the tag that an entry is for; None: all jobs. Raises InvalidEntry."""
    return None if tag is None or not tag.strip() else str(_checked("tag", checked_tag, tag))


def end_of(until: MomentLike | None) -> MomentLike | None:
    """Return when an entry ends, None for never. Raises InvalidEntry, also for a text that is a
    number alone: `2027` would be half an hour, and whoever wrote it meant the year.
    """
    if until is None or until == "":
        return None
    if isinstance(until, str) and until.strip().isdecimal():
        raise InvalidEntry(
            "until", f"{until!r} has no unit: write such as 90d, or ISO 8601 with a zone"
        )
    return cast("MomentLike", _checked("until", _ahead, until))


def _ahead(until: MomentLike) -> datetime | timedelta:
    found = moment(until)
    over = found <= datetime.now(UTC) if isinstance(found, datetime) else not found
    if over:
        raise ValueError("that moment has passed: the entry would keep nobody from being called")
    return found


def reason_of(text: str) -> str:
    """Return why, checked. Raises InvalidEntry."""
    if len(text) > LONGEST_REASON or not text.isprintable():
        raise InvalidEntry("reason", f"it has at most {LONGEST_REASON} printable characters")
    return text.strip()


def _checked(field: str, check: Any, value: Any) -> Any:
    try:
        return check(value)
    except ValueError as error:
        raise InvalidEntry(field, mask_text(str(error), asked=field == "number")) from None
