"""Do-not-call files: CSV with a header, or a number on each line; read row by row, and written."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TextIO

from dispatcher.errors import UsageError
from dispatcher.model.do_not_call import Entry, InvalidEntry, KeyedHash, Wish, whom
from dispatcher.model.job import iso
from dispatcher.rows.columns import SYNONYMS
from dispatcher.rows.dates import refuse_serial
from dispatcher.rows.form import Numbers
from dispatcher.rows.records import Record
from dispatcher.rows.spreadsheets import shield
from dispatcher.rows.text import UnusableInput
from dispatcher.values.masking import mask_text

NAMES = {
    "number": f"recipient, {SYNONYMS['recipient']}",
    "hash": "keyed hash",
    "reason": "note, why, 理由",
    "until": "ends, expires, valid until",
    "tag": "scope",
}
"""The columns of such a file, and what else headers call them."""
_COLUMNS = {
    "".join(filter(str.isalnum, name)).casefold(): column
    for column, names in NAMES.items()
    for name in (column, *names.split(","))
}


class NoNumbers(UsageError, ValueError):
    """A file has a header, and none of its columns is one of numbers or of hashes."""


@dataclass(frozen=True, slots=True)
class Usual:
    """What the rows have that do not say else, and how their numbers are written."""

    reason: str = ""
    until: str | None = None
    tag: str | None = None
    keep: bool = True
    numbers: Numbers = field(default_factory=Numbers)


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that was not taken: its line, and why, with numbers masked."""

    line: int
    why: str


def wishes(
    records: Iterable[Record], header: list[str], usual: Usual
) -> Iterator[tuple[int, Wish] | RefusedRow]:
    """Yield what each number of each row asks for, with its line. Raises NoNumbers.

    Where the rest of a file cannot be read, that is the last row, and refused: whoever stands
    before it is put on the list.
    """
    columns = _columns(header)
    if columns is None:  # the first line is a number itself
        yield _read(1, {"number": header[0]}, usual)
    try:
        for record in records:
            yield from _wishes(record, columns, usual)
    except UnusableInput as error:
        yield RefusedRow(error.line, str(error))


def _wishes(
    record: Record, columns: Mapping[str, str] | None, usual: Usual
) -> Iterator[tuple[int, Wish] | RefusedRow]:
    if record.fault:
        yield RefusedRow(record.line, mask_text(record.fault))
    elif columns is None:
        yield _read(record.line, {"number": record.cells[0]}, usual)
    else:
        cells = [(column, str(record.values[name]).strip()) for name, column in columns.items()]
        whose = {column: cell for column, cell in reversed(cells) if cell}  # the first counts
        for who in _people(cells):
            yield _read(record.line, whose | who, usual)


def _people(cells: list[tuple[str, str]]) -> list[dict[str, str]]:
    """Return whom a row names: in all its columns of numbers (phone and mobile), or by a hash."""
    numbers = [{"number": cell} for column, cell in cells if column == "number" and cell]
    return numbers or [{}]


def _columns(names: list[str]) -> Mapping[str, str] | None:
    """Return which column is what; None where the file has no header. Raises NoNumbers."""
    found = {
        name: column
        for name in names
        if (column := _COLUMNS.get("".join(filter(str.isalnum, name)).casefold()))
    }
    if {"number", "hash"} & set(found.values()):
        return found
    if sum(map(bool, map(str.strip, names))) == 1 and any(map(str.isdigit, names[0])):
        return None
    shown = ", ".join(repr(mask_text(name)[:40]) for name in names[:20])
    raise NoNumbers(
        f"no column is named number or hash; there are {shown or 'none'}: name the one that has the"
        " numbers number, in the first line"
    )


def _read(line: int, found: Mapping[str, str], usual: Usual) -> tuple[int, Wish] | RefusedRow:
    number, hash_ = found.get("number", "").strip(), found.get("hash", "").strip()
    try:
        who = _number(number, usual) if number else _hash(hash_)
        wish = Wish.of(
            who,
            reason=found.get("reason") or usual.reason,
            until=_until(found) or usual.until,
            tag=found.get("tag") or usual.tag,
            keep=usual.keep,
        )
        return line, wish
    except InvalidEntry as error:
        return RefusedRow(line, mask_text(str(error)))


def _hash(text: str) -> str:
    if text and not KeyedHash.parse(text):
        raise InvalidEntry("hash", f"{text[:60]!r} is not a keyed hash as `dnc export` writes them")
    return text


def _until(found: Mapping[str, str]) -> str:
    text = found.get("until", "").strip()
    try:
        refuse_serial(text)  # as seconds, it would let the person be called again tonight
    except ValueError as error:
        raise InvalidEntry("until", str(error)) from None
    return text


def _number(text: str, usual: Usual) -> str:
    try:
        whom(text)  # a hash stands in the column of numbers, too
        return text
    except InvalidEntry:
        pass
    try:
        return usual.numbers.read(text)
    except ValueError as error:
        raise InvalidEntry("number", mask_text(str(error), asked=True)) from None


def write(file: TextIO, entries: Iterable[Entry], *, hashed: bool) -> int:
    """Write entries as `wishes` reads them; return how many.

    `hashed`: nobody's number, and no reason, in which somebody may be named.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["hash" if hashed else "number", "reason", "until", "tag"])
    done = 0
    for entry in entries:
        who = entry.hash if hashed or not entry.number else entry.number
        reason = "" if hashed else entry.reason
        cells = (who, reason, iso(entry.until) or "", entry.tag or "")
        writer.writerow(map(shield, cells))
        done += 1
    return done
