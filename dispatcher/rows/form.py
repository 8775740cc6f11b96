"""How a row becomes a request: its own fields, those that all rows share, and its key."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dispatcher.model.invalid_job import InvalidJob
from dispatcher.model.request import JobRequest
from dispatcher.rows import opt_outs
from dispatcher.rows.blank import blank, no_value
from dispatcher.rows.columns import BUSINESS, MOMENTS, Columns, InvalidColumns, shown
from dispatcher.rows.dates import Dates, refuse_fraction
from dispatcher.rows.filters import Voice
from dispatcher.rows.opt_outs import says_no
from dispatcher.rows.spreadsheets import NO_CODE, mangled, typed
from dispatcher.rows.template import Template, Unfilled
from dispatcher.values.meta import own_field
from dispatcher.values.national import read
from dispatcher.values.params import named
from dispatcher.values.regions import parse_region
from dispatcher.values.writings import plain

ROW = "row"
"""The name that keys are made with where none was given."""
LONGEST_NAME = 100
LOST = "\ufffd"
"""What programs put where they could not read a letter."""
LENGTHS = ("redial_after", "evidence_window", "call_deadline", "backoff_longest", "answered_after")
"""Fields that are durations and no moments."""
_SOME: dict[str, Any] = {"recipient": "+818012340001", "say": "x"}
"""A request that is right."""
_INTERNATIONAL = re.compile(r"[1-9]\d{6,14}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Numbers:
    """How numbers without a plus are meant, as somebody who knows them says; nothing is guessed.

    `region` (ISO 3166): as they are dialled within that country. `plus`: whole, with their country
    code, and only the plus is gone.
    """

    region: str | None = None
    plus: bool = False

    def read(self, text: str, region: str | None = None) -> str:
        """Return a number as a request takes it, or raise ValueError that says what to do.

        `region` is the row's own.
        """
        text, region = typed(text), region or self.region
        wrong = mangled(text)
        if wrong and wrong != NO_CODE:
            raise ValueError(f"{text!r}: {wrong}")
        if region:
            return read(text, region)
        if self.plus and not text.startswith("+"):
            return _whole(text)
        if wrong:
            raise ValueError(f"{text!r}: {wrong}")
        return text


def _whole(text: str) -> str:
    digits = plain(text)
    if digits is None or not _INTERNATIONAL.fullmatch(digits):
        raise ValueError(f"{text!r}: with --plus a number begins with its country code")
    return f"+{digits}"


@dataclass(frozen=True)
class Form:
    """Makes requests of rows. `shared` is what all rows have, where a row does not say else; `lang`
    is the language of texts where neither does. `secret` gives bytes that nobody else knows:
    a row's key is shown, and all codes could be tried against it.
    """

    columns: Columns
    shared: Mapping[str, Any] = field(default_factory=dict)
    say: Template | None = None
    numbers: Numbers = field(default_factory=Numbers)
    name: str = ROW
    dates: Dates = field(default_factory=Dates)
    lang: str = "en"
    secret: Callable[[], bytes] | None = None

    def __post_init__(self) -> None:
        """Refuse what no row could make good. Raises InvalidColumns."""
        unknown = set(self.shared) - set(JobRequest.model_fields)
        if unknown:
            raise InvalidColumns(f"--set: {min(unknown)!r} is not a field of a job")
        if "key" in self.shared:
            raise InvalidColumns("--set: all rows would have the same key and be one job")
        gaps = self.say.gaps if self.say else ()
        self.columns.require(gaps)
        has = {*self.columns.fields.values(), *self.shared}
        if self.columns.named is not None and not has & {"recipient", "participants"}:
            raise InvalidColumns(_without_numbers(self.columns))

    def request(self, values: Mapping[str, Any]) -> JobRequest:
        """Return the request that a row makes. Raises InvalidJob."""
        opt_outs.refuse(values, self.columns.opted_out)
        own = self._own(values)
        fields = {**self.shared, **own}
        if isinstance(own.get("meta"), dict) and "meta" in self.shared:
            fields["meta"] = {**self.shared["meta"], **own["meta"]}
        if isinstance(own.get("tags"), tuple | list) and "tags" in self.shared:
            fields["tags"] = (*self.shared["tags"], *own["tags"])
        if self.say and "say" not in own:
            fillers = {column.casefold(): value for column, value in values.items()}
            fields["say"] = _said(self.say, fillers, self._voice(fields))
            own |= {f"{{{gap}}}": fillers[gap] for gap in self.say.gaps}
            _refuse_lost("say", fields["say"])
        if not fields.get("key"):
            fields["key"] = self._key(own)
        return JobRequest.of(fields)

    def _voice(self, fields: Mapping[str, Any]) -> Voice:
        return Voice(str(fields.get("lang") or self.lang), self.dates)

    def of_column(self, column: str) -> str | None:
        """Return what a column is read as: a field, or a gap of the text; None where it is not."""
        if field_ := self.columns.fields.get(column):
            return field_
        gaps = self.say.gaps if self.say else ()
        return f"{{{column.casefold()}}}" if column.casefold() in gaps else None

    def fits(self, name: str, value: Any) -> bool:
        """Whether a value may be that field of some request."""
        try:
            JobRequest.of({**_SOME, name: self._value(name, value, None)})
        except InvalidJob as error:
            return name not in {field_ for field_, _ in error.problems}
        return True

    def has_key(self, values: Mapping[str, Any]) -> bool:
        """Whether a row names its own key."""
        return any(name == "key" and value not in ("", None) for name, value in self._named(values))

    def _own(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the fields that the row itself has, its numbers read as its region writes them."""
        given: dict[str, Any] = {}
        for name, value in self._named(values):
            bare = value.strip() if isinstance(value, str) and name != "say" else value
            if not blank(bare) and not (name == "dnc" and says_no(bare)):
                _refuse_lost(name, bare)
                given.setdefault(name, bare)  # of several columns of numbers the first counts
        region = _region(given.get("region") or self.shared.get("region"))
        if region:  # E.164 says it all: the row's key must not change with the way it was written
            given.pop("region", None)
        return gathered({name: self._value(name, value, region) for name, value in given.items()})

    def _named(self, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        columns = self.columns
        if columns.named is not None:
            return ((name, values[column]) for column, name in columns.fields.items())
        gaps = self.say.gaps if self.say else ()
        names = ((columns.fields.get(column, column), value) for column, value in values.items())
        return (
            (name, value)
            for name, value in names
            if (name in JobRequest.model_fields and not (name in BUSINESS and name in gaps))
            or (name and name.casefold() not in gaps)
        )

    def _value(self, name: str, value: Any, region: str | None) -> Any:
        if name == "say" and (fault := no_value(value)):
            raise InvalidJob([("say", f"it is {fault!r} in this row, which is no text")])
        if name == "recipient" and isinstance(value, str):
            return self._number(name, value, region)
        if name in {"tags", "participants"}:
            parts = split(name, value) if isinstance(value, str) else value
            if name == "participants" and isinstance(parts, list | tuple):
                return tuple(
                    self._number(name, part, region) if isinstance(part, str) else part
                    for part in parts
                )
            return parts
        if name == "params" and isinstance(value, str):
            return params(value)
        if name == "meta" and isinstance(value, str):
            return _meta(value)
        return self._timed(name, value)

    def _timed(self, name: str, value: Any) -> Any:
        try:
            if name in MOMENTS:
                return self.dates.moment(value)
            return refuse_fraction(value) if name in LENGTHS else value
        except ValueError as error:
            raise InvalidJob([(name, str(error))]) from None

    def _number(self, name: str, text: str, region: str | None) -> str:
        try:
            return self.numbers.read(text, region)
        except ValueError as error:
            raise InvalidJob([(name, str(error))]) from None

    def _key(self, own: Mapping[str, Any]) -> str:
        """Return a key of what the row itself says, wherever it stands and whatever all share.

        So a row is one job, in a file that was mended, cut up, renamed or imported with another
        text as well; the last is then told as a conflict, and rings nobody twice.
        """
        text = _written(own)
        secret = self.secret() if self.secret and "code" in own else b""
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=10, key=secret)
        return f"{self.name}:{digest.hexdigest()}"


_written = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=str).encode


def _region(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        return parse_region(value)
    except ValueError as error:
        raise InvalidJob([("region", str(error))]) from None


def _refuse_lost(name: str, value: Any) -> None:
    if isinstance(value, str) and LOST in value:
        raise InvalidJob(
            [(name, f"it holds {LOST}, where a letter was lost: save the file again as UTF-8")]
        )


def _without_numbers(columns: Columns) -> str:
    why = "no column looks like a telephone number by its name (in the first line):"
    if names := columns.like_phones():
        said = ", ".join(map(shown, names[:5]))
        return f"{why} perhaps {said}: choose one with --map {names[0]!r}=recipient"
    return (
        f"{why} choose it with --map COLUMN=recipient, or remove a title that stands above the"
        " names of the columns"
    )


def _said(say: Template, fillers: Mapping[str, Any], voice: Voice) -> str:
    try:
        return say.fill(fillers, voice)
    except Unfilled as error:
        raise InvalidJob([("say", str(error))]) from None


def params(text: str) -> dict[str, str]:
    """Return the form fields in a cell, `name=value` between commas. Raises InvalidJob."""
    try:
        return named([pair for pair in text.split(",") if pair.strip()])
    except ValueError as error:
        raise InvalidJob([("params", str(error))]) from None


def gathered(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields whose `meta.NAME` are together in `meta`."""
    found = {name: value for name, value in fields.items() if own_field(name) is None}
    own = {own_field(name): value for name, value in fields.items() if name not in found}
    if own and isinstance(found.get("meta", {}), dict):
        found["meta"] = {**found.get("meta", {}), **own}
    return found


def _meta(text: str) -> dict[str, Any]:
    """Return the object in a cell, as an export writes it. Raises InvalidJob."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        why = "a column `meta` holds a JSON object; for single fields name the columns meta.NAME"
        raise InvalidJob([("meta", why)])
    return found


def split(name: str, text: str) -> tuple[str, ...]:
    """Return the values in a cell: tags between commas, numbers between commas or blanks."""
    parts = text.split(",") if name == "tags" else re.split(r"[,;\s]+", text)
    return tuple(part.strip() for part in parts if part.strip())
