"""Where a refused row stands, as the program shows it in which the file was made."""

from __future__ import annotations

from dispatcher.model.request import InvalidJob
from dispatcher.rows.columns import Columns
from dispatcher.rows.records import Record
from dispatcher.rows.refused import RowConflict


def told(record: Record, error: InvalidJob | RowConflict, columns: Columns) -> str:
    """Return why a row is refused, with its row where that is not its line, and its column."""
    row = f"row {record.row}: " if record.row and record.row != record.line else ""
    if isinstance(error, RowConflict):
        return f"{row}{error}"
    return row + "; ".join(
        f"{field}: {why}{_column(field, columns)}" for field, why in error.problems
    )


def _column(field: str, columns: Columns) -> str:
    name = columns.of_field(field)
    return f" (column {name!r})" if name and name.casefold() != field else ""


def letters(index: int) -> str:
    """Return how a spreadsheet calls a column, counted from 0: A, B, …, Z, AA."""
    text = ""
    while index >= 0:
        index, place = divmod(index, 26)
        text = chr(ord("A") + place) + text
        index -= 1
    return text
