"""Which column of a file is which field of a request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from dispatcher.errors import UsageError
from dispatcher.model.request import JobRequest
from dispatcher.rows import opt_outs
from dispatcher.values.masking import mask_text
from dispatcher.values.meta import COLUMN, own_field

SYNONYMS = {
    "recipient": (
        "phone, phone number, phone no, mobile, mobile number, mobile phone, cell, cell phone,"
        " number, msisdn, tel, telephone, telephone number, to, e164,"
        " 電話番号, 携帯電話番号, 携帯電話, 携帯番号, 電話,"
        " Telefonnummer, Telefon, Mobilnummer, Mobiltelefon, Mobil, Handynummer, Handy, Rufnummer,"
        " téléphone, numéro de téléphone, portable, mobile phone number, teléfono, móvil, celular,"
        " telefono, cellulare, telefone, 手机, 手机号, 手机号码, 电话, 电话号码, 전화번호, 휴대폰"
    ),
    "say": "message, text, msg, body, tts message, メッセージ, 本文, Nachricht",
    "play": "recording, recording url, audio, audio url, mp3",
    "lang": "language, tts lang, 言語",
    "caller": "caller id, 発信者番号",
    "tags": "tag, タグ",
    "key": "idempotency key",
    "priority": "prio",
    "at": "send at, scheduled at",
}
"""Other names for fields, as headers have them; case, blanks and punctuation do not matter."""

EVERYDAY = {
    "caller": "from, sender",
    "tags": "labels",
    "expires": "deadline, valid until",
}
"""Names that may be a field's, and that businesses give to columns of their own: nobody guesses."""
MOMENTS = ("at", "expires")
"""Fields that are dates."""
_LIKE_PHONES = ("phone", "mobile", "telef", "tél", "handy", "cell", "電話", "携帯", "电话", "手机")


class InvalidColumns(UsageError, ValueError):
    """The columns cannot be told to be fields; the message names the option that helps."""


def _plain(name: str) -> str:
    return "".join(each for each in name.casefold() if each.isalnum())


BUSINESS = frozenset({"code", "region"})
"""Fields whose names mean something else in files that people have: `--map` alone gives them."""
_FIELDS = {_plain(field): field for field in JobRequest.model_fields} | {
    _plain(name): field for field, names in SYNONYMS.items() for name in names.split(", ")
}
_EVERYDAY = {_plain(name): field for field, names in EVERYDAY.items() for name in names.split(", ")}

_BY_NAME = {name: field for name, field in _FIELDS.items() if field not in BUSINESS}


@dataclass(frozen=True, slots=True)
class Columns:
    """`fields` says which field a column is; '' leaves it out. `given` was said by hand.

    `opted_out` say who is not to be called. Of several columns that are the recipient, the first in
    `fields` that a row fills is it.

    `named` are all columns of the file, None where each row has its own: then a column that
    `fields` does not know is the field of its name.
    """

    fields: Mapping[str, str]
    named: Sequence[str] | None = None
    opted_out: Sequence[str] = ()

    @classmethod
    def of(
        cls, header: Sequence[str] | None, given: Mapping[str, str], gaps: Iterable[str] = ()
    ) -> Self:
        """Return how the columns of a header are meant, `given` first. Raises InvalidColumns.

        `gaps` are the columns that a template wants.
        """
        for wrong in set(given.values()) - {""} - set(JobRequest.model_fields):
            if own_field(wrong) is None:
                fields_ = ", ".join([*JobRequest.model_fields, f"{COLUMN}NAME"])
                raise InvalidColumns(f"--map: {wrong!r} is not a field of a job: {fields_}")
        if header is None:
            return cls(dict(given))
        known = _known(header, given)
        numbers = _numbers(header, given)
        fields = dict.fromkeys(numbers, "recipient")
        fields |= {name: field for name in header if (field := known.get(name))}
        _refuse_doubles(header, fields, numbers)
        _refuse_everyday(header, given, {*fields.values()}, {*gaps})
        return cls(fields, tuple(header), opt_outs.named(header, given))

    def unused(self, gaps: Iterable[str]) -> list[str]:
        """Return the columns that are neither a field nor wanted by a template's gaps."""
        wanted, used = set(gaps), {*self.fields, *self.opted_out}
        return [
            name
            for name in dict.fromkeys(self.named or ())
            if name and name not in used and name.casefold() not in wanted
        ]

    def of_field(self, field: str, row: Mapping[str, Any] | None = None) -> str | None:
        """Return the column that a field is read from (in a row), None where there is none."""
        names = [name for name, its in self.fields.items() if its == field]
        filled = (name for name in names if row and row.get(name))
        return next(filled, names[0] if names else None)

    def described(self, gaps: Iterable[str], dates: str = "") -> list[str]:
        """Return how each column is read that is, a phrase each: `'Phone' as recipient`.

        `dates`: how dates are read.
        """
        wanted = {gap.casefold() for gap in gaps}
        said = []
        for name in dict.fromkeys(self.named or ()):
            field = self.fields.get(name, "")
            ways = [f"{field} ({dates})" if dates and field in MOMENTS else field] if field else []
            ways += [f"{{{name.casefold()}}}"] if name.casefold() in wanted else []
            ways += ["who is not to be called"] if name in self.opted_out else []
            if ways:
                said.append(f"{shown(name)} as {' and '.join(ways)}")
        return said

    def like_phones(self) -> list[str]:
        """Return the columns that may hold numbers by their names, and are not read."""
        return [
            name
            for name in dict.fromkeys(self.named or ())
            if name not in self.fields and any(each in name.casefold() for each in _LIKE_PHONES)
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
        field = by_hand.get(_plain(name), _field(name))
        if _plain(name) in by_hand or field not in taken:  # what was said by hand stands alone
            found[name] = field
    return found


def _field(name: str) -> str:
    """Return the field that a column is by its name, '' where it is none."""
    own = own_field(name)
    return _BY_NAME.get(_plain(name), "") if own is None else f"{COLUMN}{own}"


def _numbers(header: Sequence[str], given: Mapping[str, str]) -> list[str]:
    """Return the columns that were said to be the recipient, in the order in which that was."""
    wanted = [_plain(name) for name, field in given.items() if field == "recipient"]
    return [name for each in wanted for name in header if _plain(name) == each]


def _refuse_doubles(
    header: Sequence[str], fields: Mapping[str, str], numbers: Sequence[str]
) -> None:
    seen: dict[str, str] = {}
    for name in header:
        field = fields.get(name)
        if field and field in seen and name != seen[field] and name in numbers:
            continue  # each was named by hand
        if field and field in seen:
            raise InvalidColumns(
                f"columns {seen[field]!r} and {name!r} are both {field}:"
                f" choose one with --map {name!r}={field}{_or_both(field)}"
                if seen[field] != name
                else f"two columns are named {name!r}, which is {field}: rename or remove one"
            )
        if field:
            seen[field] = name


def _or_both(field: str) -> str:
    return ", or name several: the first that a row fills counts" if field == "recipient" else ""


def _refuse_everyday(
    header: Sequence[str], given: Mapping[str, str], taken: set[str], gaps: set[str]
) -> None:
    by_hand = {_plain(name) for name in given}
    for name in header:
        field = _EVERYDAY.get(_plain(name))
        if field and field not in taken and _plain(name) not in by_hand:
            if name.casefold() in gaps:
                continue
            raise InvalidColumns(
                f"column {shown(name)} may be the {field} of a call or a column of your own: say"
                f" --map {name!r}={field}, or --map {name!r}= to ignore it"
            )


def shown(name: str) -> str:
    """Return a column's name as people see it, without what may be a number."""
    return repr(mask_text(name)[:40])


def _there_are(header: Sequence[str]) -> str:
    names = ", ".join(shown(name) for name in header[:20] if name)
    return f"there are {names}{' and more' if len(header) > 20 else ''}"  # noqa: PLR2004
