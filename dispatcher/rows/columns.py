"""Which column of a file is which field of a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from dispatcher.errors import UsageError
from dispatcher.model.request import JobRequest
from dispatcher.values.masking import mask_text

SYNONYMS = {
    "recipient": (
        "phone, phone number, phone no, mobile, mobile number, mobile phone, cell, cell phone,"
        " number, msisdn, tel, telephone, telephone number, to, e164,"
        " 電話番号, 携帯電話番号, 携帯電話, 携帯番号"
    ),
    "say": "message, text, msg, body, tts message, メッセージ, 本文",
    "play": "recording, recording url, audio, audio url, mp3",
    "lang": "language, tts lang, 言語",
    "caller": "from, caller id, sender, 発信者番号",
    "tags": "tag, labels, タグ",
    "key": "idempotency key",
    "priority": "prio",
    "at": "send at, scheduled at",
    "expires": "deadline, valid until",
}
"""Other names for fields, as headers have them; case, blanks and punctuation do not matter."""


class InvalidColumns(UsageError, ValueError):
    """The columns cannot be told to be fields; the message names the option that helps."""


def _plain(name: str) -> str:
    return "".join(each for each in name.casefold() if each.isalnum())


BUSINESS = frozenset({"code", "region"})
"""Fields whose names mean something else in files that people have: `--map` alone gives them."""
_FIELDS = {_plain(field): field for field in JobRequest.model_fields} | {
    _plain(name): field for field, names in SYNONYMS.items() for name in names.split(", ")
}

_BY_NAME = {name: field for name, field in _FIELDS.items() if field not in BUSINESS}


@dataclass(frozen=True, slots=True)
class Columns:
    """`fields` says which field a column is; '' leaves it out. `given` was said by hand.

    `named` are all columns of the file, None where each row has its own: then a column that
    `fields` does not know is the field of its name.
    """

    fields: Mapping[str, str]
    named: Sequence[str] | None = None

    @classmethod
    def of(cls, header: Sequence[str] | None, given: Mapping[str, str]) -> Self:
        """Return how the columns of a header are meant, `given` first. Raises InvalidColumns."""
        for wrong in set(given.values()) - {""} - set(JobRequest.model_fields):
            raise InvalidColumns(
                f"--map: {wrong!r} is not a field of a job: {', '.join(JobRequest.model_fields)}"
            )
        if header is None:
            return cls(dict(given))
        known = _known(header, given)
        fields = {name: field for name in header if (field := known.get(name))}
        _refuse_doubles(header, fields)
        return cls(fields, tuple(header))

    def unused(self, gaps: Iterable[str]) -> list[str]:
        """Return the columns that are neither a field nor wanted by a template's gaps."""
        wanted = set(gaps)
        return [
            name
            for name in dict.fromkeys(self.named or ())
            if name and name not in self.fields and name.casefold() not in wanted
        ]

    def require(self, gaps: Iterable[str]) -> None:
        """Raise InvalidColumns where a template's gap is no column, or several."""
        if self.named is None:
            return
        names = [name.casefold() for name in self.named]
        for gap in gaps:
            if gap not in names:
                raise InvalidColumns(f"--say: no column is named {gap!r}; {_there_are(self.named)}")
            if names.count(gap) > 1:
                raise InvalidColumns(f"--say: several columns are named {gap!r}: rename one")


def _known(header: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    by_hand = {_plain(name): field for name, field in given.items()}
    missing = [name for name in given if _plain(name) not in {_plain(each) for each in header}]
    if missing:
        raise InvalidColumns(f"--map: there is no column {missing[0]!r}; {_there_are(header)}")
    taken = set(by_hand.values())
    found = {}
    for name in header:
        field = by_hand.get(_plain(name), _BY_NAME.get(_plain(name), ""))
        if _plain(name) in by_hand or field not in taken:  # what was said by hand stands alone
            found[name] = field
    return found


def _refuse_doubles(header: Sequence[str], fields: Mapping[str, str]) -> None:
    seen: dict[str, str] = {}
    for name in header:
        field = fields.get(name)
        if field and field in seen:
            raise InvalidColumns(
                f"columns {seen[field]!r} and {name!r} are both {field}:"
                f" choose one with --map {name!r}={field}"
                if seen[field] != name
                else f"two columns are named {name!r}, which is {field}: rename or remove one"
            )
        if field:
            seen[field] = name


def _there_are(header: Sequence[str]) -> str:
    shown = ", ".join(repr(mask_text(name)[:40]) for name in header[:20] if name)
    return f"there are {shown}{' and more' if len(header) > 20 else ''}"  # noqa: PLR2004
