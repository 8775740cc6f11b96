"""The rows of a workbook's sheet as those of any other file."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

from dispatcher.rows.places import letters
from dispatcher.rows.records import LINE, WHY, Format, Record
from dispatcher.rows.sheet import Row, merged, rows
from dispatcher.rows.text import UnusableInput
from dispatcher.rows.workbook import Sheet, Workbook

_WIDEST = 1000  # columns of a sheet that are told to be merged
_HIDDEN = "the row is hidden in the sheet, perhaps by a filter: show it, or delete it"


class SheetRecords:
    """The rows of the one sheet that people see, or of the one that is named.

    The first row with a value names the columns; what stands under no name is not read. A refused
    row goes to a file of CSV. Raises UnusableInput, in the beginning and on the way.
    """

    def __init__(self, file: BinaryIO, sheet: str | None = None) -> None:
        self._file = file
        self._book = Workbook(file)
        part = self._chosen(sheet).part
        self._merged = deque(merged(self._book, part))
        self._open: list[tuple[int, int, int, int]] = []
        self._rows = rows(self._book, part)
        self.format: Format = "csv"
        self.delimiter = ","
        head = next(self._rows, None)
        if head is None:
            raise UnusableInput(0, "the sheet is empty: its first row names the columns")
        cells = _line(head, max(head.cells, default=-1) + 1)
        names = [name.strip() for name in cells]
        self._lead = 2 if names[:2] == [WHY, LINE] else 0
        self.columns: list[str] | None = names[self._lead :]

    @property
    def position(self) -> int:
        """Where the file is read."""
        return self._file.tell()

    def __iter__(self) -> Iterator[Record]:
        for row in self._rows:
            if record := self._record(row, self.columns or []):
                yield record

    def _record(self, row: Row, columns: list[str]) -> Record | None:
        cells = _line(row, self._lead + len(columns))[self._lead :]
        spoilt = {**row.spoilt, **self._covered(row)}
        why = {name: spoilt[n] for n, name in enumerate(columns, self._lead) if n in spoilt}
        if not any(cells) and not (why and row.spoilt):
            return None
        values = dict(zip(columns, cells, strict=True))
        fault = _HIDDEN if row.hidden else None
        return Record(row.number, values, cells, fault, row.number, 0, why, lettered=True)

    def _covered(self, row: Row) -> dict[int, str]:
        """Return the columns whose cell is hidden under one that was merged with it."""
        while self._merged and self._merged[0][0] <= row.number:
            self._open.append(self._merged.popleft())
        self._open = [each for each in self._open if each[1] >= row.number]
        found = {}
        for top, _, left, right in self._open:
            why = f"its cell is merged with {letters(left)}{top}: split the cells, and fill each"
            for column in range(left, min(right, _WIDEST) + 1):
                if (top, left) != (row.number, column):
                    found[column] = why
        return found

    def _chosen(self, name: str | None) -> Sheet:
        sheets = self._book.sheets
        if name is not None:
            found = next((each for each in sheets if each.name == name), None)
            if found is None:
                raise UnusableInput(0, f"there is no sheet {name!r}: there are {_listed(sheets)}")
            return found
        seen = [each for each in sheets if not each.hidden]
        filled = seen if len(seen) == 1 else [each for each in seen if self._has_rows(each)]
        if len(filled) != 1:
            what = f"several sheets: choose one with --sheet, of {_listed(filled)}"
            raise UnusableInput(0, f"it has {what}" if filled else "no sheet in it has a row")
        return filled[0]

    def _has_rows(self, sheet: Sheet) -> bool:
        return next(rows(self._book, sheet.part), None) is not None


def _line(row: Row, width: int) -> list[str]:
    return [row.cells.get(column, "") for column in range(width)]


def _listed(sheets: list[Sheet]) -> str:
    return ", ".join(repr(each.name) for each in sheets) or "none"
