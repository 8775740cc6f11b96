"""The rows of one sheet of a workbook, as they stand in its XML, a row at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from dispatcher.rows.cell_formats import CellFormat, shown
from dispatcher.rows.text import LONGEST, UnusableInput
from dispatcher.rows.workbook import Workbook
from dispatcher.rows.xml_parts import CHUNK, steps, unescaped

_REFERENCE = re.compile(r"([A-Z]{1,3})(\d{1,7})")
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3}\d{1,7}):([A-Z]{1,3}\d{1,7})"')
_LONGEST_MERGED = 200  # bytes of such an element
_NOT_WORKED_OUT = (
    "it is a formula without a result: open the workbook in a spreadsheet program and save it"
)


@dataclass
class Row:
    """A row: its number, its cells by column from 0, and why a cell cannot be read."""

    number: int
    hidden: bool = False
    cells: dict[int, str] = field(default_factory=dict)
    spoilt: dict[int, str] = field(default_factory=dict)


def rows(book: Workbook, part: str) -> Iterator[Row]:
    """Yield the rows that have a value or a formula. Raises UnusableInput."""
    reader = _Reader(book)
    with book.open(part) as stream:
        for _ in steps(stream, reader.start, reader.end, reader.text):
            yield from reader.found
            reader.found.clear()


def merged(book: Workbook, part: str) -> list[tuple[int, int, int, int]]:
    """Return where cells are merged: first row, last row, first column, last column; sorted."""
    found = set()
    with book.open(part) as stream:
        before = b""
        while chunk := stream.read(CHUNK):
            text = before + chunk
            for one, other in _MERGED.findall(text):
                (left, top), (right, bottom) = _place(one.decode()), _place(other.decode())
                found.add((top, bottom, left, right))
            before = text[-_LONGEST_MERGED:]
    return sorted(found)


class _Reader:
    """Turns the elements of a sheet into rows."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self.found: list[Row] = []
        self._row = Row(0)
        self._column = -1
        self._kind = ""
        self._format: CellFormat | None = None
        self._pieces: list[str] = []
        self._size = 0
        self._takes = self._reading = self._has_formula = False

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name == "c":
            self._begin_cell(attributes)
        elif name == "v" or (name == "t" and not self._reading):
            self._takes = True
        elif name == "rPh":
            self._reading = True
        elif name == "f":
            self._has_formula = True
        elif name == "row":
            number = int(attributes.get("r") or self._row.number + 1)
            self._row = Row(number, attributes.get("hidden") in {"1", "true"})
            self._column, self._size = -1, 0

    def text(self, data: str) -> None:
        if self._takes:
            self._pieces.append(data)
            self._size += len(data)
            if self._size > LONGEST:
                raise UnusableInput(
                    self._row.number, f"the row has more than {LONGEST:,} characters"
                )

    def end(self, name: str) -> None:
        if name in {"v", "t"}:
            self._takes = False
        elif name == "rPh":
            self._reading = False
        elif name == "c":
            self._end_cell()
        elif name == "row" and (self._row.cells or self._row.spoilt):
            self.found.append(self._row)

    def _begin_cell(self, attributes: Mapping[str, str]) -> None:
        place = _REFERENCE.fullmatch(attributes.get("r", ""))
        self._column = _index(place[1]) if place else self._column + 1
        self._kind = attributes.get("t", "n")
        formats, style = self._book.formats, int(attributes.get("s", 0))
        self._format = formats[style] if style < len(formats) else None
        self._pieces.clear()
        self._has_formula = False

    def _end_cell(self) -> None:
        raw = "".join(self._pieces)
        if self._has_formula and not raw and self._kind != "str":  # which is an empty text
            self._row.spoilt[self._column] = _NOT_WORKED_OUT
        if not raw:
            return
        try:
            self._row.cells[self._column] = self._said(raw)
        except (ValueError, IndexError) as error:
            self._row.spoilt[self._column] = str(error)
        if self._kind == "e":
            self._row.spoilt[self._column] = f"its cell shows the error {raw[:20]}"

    def _said(self, raw: str) -> str:
        match self._kind:
            case "s":
                return self._book.texts[int(raw)]
            case "n":
                return shown(raw, self._format or CellFormat(), later=self._book.later)
            case "b":
                return "TRUE" if raw == "1" else "FALSE"
            case "d":
                return raw.replace("T", " ")
            case _:
                return unescaped(raw)


def _place(reference: str) -> tuple[int, int]:
    found = _REFERENCE.fullmatch(reference)
    return (_index(found[1]), int(found[2])) if found else (0, 0)


def _index(letters: str) -> int:
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
