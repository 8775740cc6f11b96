"""Rows as they stand in a file, of CSV or of JSON lines, each with its place."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Literal, NamedTuple

from dispatcher.rows.spreadsheets import said
from dispatcher.rows.text import Lines, UnusableInput
from dispatcher.values.counts import counted

Format = Literal["csv", "jsonl"]

DELIMITERS = ",;\t|"
WHY, LINE = "refused_why", "refused_line"
"""What stands before a refused row's own columns; left out when it is imported again."""
RAW = "refused_row"
"""In a refused JSON line: the text that was no JSON object."""


class Record(NamedTuple):
    """One row: the line it begins in, from 1, and what it says by column.

    `cells` is what a file of refused rows repeats. `fault` says why it cannot be read, `spoilt` why
    a cell cannot, by its column. `row` is its number in a spreadsheet, 0 where that is not known,
    and `short` how many cells it has where the last ones are missing, 0 for a whole row. `lettered`
    says that people know its columns by letters as well.
    """

    line: int
    values: dict[str, Any]
    cells: Sequence[str]
    fault: str | None = None
    row: int = 0
    short: int = 0
    spoilt: Mapping[str, str] = {}
    lettered: bool = False


class Records:
    """The rows of a text, read as it goes. `columns` is None where each row has its own.

    `format` and `delimiter` are found out where they are not given. Raises UnusableInput, in
    the beginning and on the way.
    """

    def __init__(
        self, lines: Lines, format_: Format | None = None, delimiter: str | None = None
    ) -> None:
        self.lines = lines
        first = self._first()
        self.format: Format = format_ or ("jsonl" if first.lstrip().startswith("{") else "csv")
        if format_ is None and first.lstrip().startswith("["):
            raise UnusableInput(
                lines.number, "it is a JSON list: write an object on each line (jq -c '.[]')"
            )
        self.columns: list[str] | None = None
        self.delimiter = delimiter or ","
        self._lead = 0
        self._row = lines.number - 1 if first else 0
        self._all = chain([first], lines) if first else iter(())
        if self.format == "csv":
            self._read_header(first, delimiter)

    @property
    def position(self) -> int:
        """How many bytes of the file were taken."""
        return self.lines.position

    def __iter__(self) -> Iterator[Record]:
        return self._json() if self.columns is None else self._csv(self.columns)

    def _first(self) -> str:
        """Return the first line that says something, '' where none does."""
        for line in self.lines:
            if line.strip():
                return line
            self.lines.begin_row()
        return ""

    # -- CSV -------------------------------------------------------------------------------

    def _read_header(self, first: str, delimiter: str | None) -> None:
        if not first:
            raise UnusableInput(0, "it is empty: the first line names the columns")
        if first.rstrip("\r\n").lower() in {f"sep={each}" for each in DELIMITERS}:  # Excel's own
            self.delimiter = delimiter or first[4]
            first = self._first()
            self._all = chain([first], self.lines)
        else:
            self.delimiter = delimiter or _likeliest(first)
        self._reader = csv.reader(self._all, delimiter=self.delimiter, strict=True)
        try:
            header = next(self._reader)
        except (csv.Error, StopIteration) as error:
            raise UnusableInput(
                self.lines.number, f"the first line names no columns ({error})"
            ) from None
        names = [said(name).strip() for name in header]
        self._row += 1
        self._lead = 2 if names[:2] == [WHY, LINE] else 0
        self.columns = names[self._lead :]

    def _csv(self, columns: list[str]) -> Iterator[Record]:
        lines, reader, lead = self.lines, self._reader, self._lead
        while True:
            line = lines.begin_row()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self._row = -1  # nobody knows what a spreadsheet makes of it
                yield self._unreadable(line, error)
                continue
            self._row += self._row >= 0
            if lead:
                cells = cells[lead:]
            if any(cells):
                cells = [said(cell) if cell[:1] in {"'", "="} else cell for cell in cells]
                yield self._record(line, columns, cells)

    def _record(self, line: int, columns: list[str], cells: list[str]) -> Record:
        many, width, row = len(cells), len(columns), max(self._row, 0)
        while len(cells) > width and not cells[-1]:
            cells.pop()
        if len(cells) > width:
            return Record(line, {}, cells, _too_many(many, width), row)
        if many < width and self.lines.row[-1:] not in {"\r", "\n"}:
            return Record(line, {}, cells, _cut_off(many, width), row)
        whole = [*cells, *[""] * (width - many)]
        short = many if many < width else 0
        return Record(line, dict(zip(columns, whole, strict=True)), cells, None, row, short)

    def _unreadable(self, line: int, error: csv.Error) -> Record:
        """Return the row that is quoted wrongly, or give up where nobody knows its end."""
        if "end of data" in str(error) or "field limit" in str(error):
            raise UnusableInput(
                line, "a quotation mark opens here and is never closed: the rest cannot be read"
            )
        last = self.lines.number
        where = f"lines {line} to {last}: " if last > line else ""
        fault = (
            f"{where}a quotation mark closes, and no {_named(self.delimiter)} follows:"
            " write it twice within a quoted cell"
        )
        return Record(line, {}, [self.lines.row.rstrip("\r\n")], fault)

    # -- JSON lines ------------------------------------------------------------------------

    def _json(self) -> Iterator[Record]:
        for text in self._all:
            line = self.lines.number
            self.lines.begin_row()
            if text.strip():
                yield _object(line, text.strip())


def _object(line: int, text: str) -> Record:
    try:
        found = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        return Record(line, {}, [text], f"it is not JSON ({error})")
    if not isinstance(found, dict):
        return Record(line, {}, [text], "it is not a JSON object, such as {…}")
    for name in (WHY, LINE):
        found.pop(name, None)
    if RAW in found:
        return Record(line, {}, [str(found[RAW])], f"write an object instead of its {RAW}")
    return Record(line, found, [text])


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _likeliest(header: str) -> str:
    """Return the delimiter that makes the most columns of a header."""
    return max(DELIMITERS, key=lambda each: len(next(csv.reader([header], delimiter=each))))


def _too_many(cells: int, width: int) -> str:
    many = f"{counted(cells, 'cell')} under {counted(width, 'column')}"
    return f"{many}: a cell with the delimiter or a line break in it needs quotation marks"


def _cut_off(cells: int, width: int) -> str:
    many = f"{counted(cells, 'cell')} under {counted(width, 'column')}"
    return f"{many}, and the file ends in this row: is it cut off?"


def _named(delimiter: str) -> str:
    return {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}.get(delimiter, delimiter)
