"""Where a refused row stands, as the program shows it in which the file was made."""

from __future__ import annotations

from dispatcher.model.invalid_job import InvalidJob
from dispatcher.rows.columns import Columns
from dispatcher.rows.records import Record
from dispatcher.rows.refused import RowConflict


def told(record: Record, error: InvalidJob | RowConflict, columns: Columns) -> str:
    """Return why a row is refused, with its row where that is not its line, and its column."""
    row = f"row {record.row}: " if record.row and record.row != record.line else ""
    if isinstance(error, RowConflict):
        return f"{row}{error}"
    return row + "; ".join(
        f"{field}: {why}{_column(field, record, columns)}" for field, why in error.problems
    )


def _column(field: str, record: Record, columns: Columns) -> str:
    """Return where a field stands; a gap of the text, {name}, has the name of its column."""
    name = columns.of_field(field, record.values)
    told = [f"column {name!r}"] if name and name.casefold() != field else []
    if record.lettered and (place := _index(name or field[1:-1], columns)) is not None:
        told.append(f"cell {letters(place)}{record.row}")
    return f" ({', '.join(told)})" if told else ""


def _index(name: str, columns: Columns) -> int | None:
    names = [each.casefold() for each in columns.named or ()]
    return names.index(name.casefold()) if name.casefold() in names else None


def letters(index: int) -> str:
    """Return how a spreadsheet calls a column, counted from 0: A, B, …, Z, AA."""
    text = ""
    while index >= 0:
        index, place = divmod(index, 26)
        text = chr(ord("A") + place) + text
        index -= 1
    return text
