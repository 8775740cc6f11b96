"""Rows that end early: the empty cells at their end were left out, or a line break cut a text.

Excel leaves out the delimiters of empty cells at the end of rows, sixteen rows together. But a
program that does not quote a line break makes two rows of one, and nobody may hear half a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dispatcher.rows.columns import Columns
from dispatcher.rows.records import Record

_FAULT = (
    "it ends early, and the next one begins in a text: a line break in a cell needs quotation marks"
)
_DIGITS = 3  # fewer are no telephone number


def whole_rows(records: Iterable[Record], columns: Columns) -> Iterator[Record]:
    """Yield rows; a short one whose text goes on in the next has a fault."""
    numbers = columns.of_field("recipient")
    before: Record | None = None
    for record in records:
        if before:
            yield _judged(before, record, numbers, len(columns.named or ()))
        before = record if record.short else None
        if before is None:
            yield record
    if before:
        yield before


def _judged(row: Record, following: Record, numbers: str | None, width: int) -> Record:
    pieces = row.short + (following.short or len(following.cells))
    text = str(following.values.get(numbers, "")) if numbers else ""
    if text and pieces <= width + 1 and sum(each.isdigit() for each in text) < _DIGITS:
        return row._replace(values={}, fault=_FAULT)
    return row
