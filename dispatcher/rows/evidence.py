"""What the first rows of a file say of its columns, before any row becomes a job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any

from dispatcher.rows.columns import MOMENTS, Columns, InvalidColumns, shown
from dispatcher.rows.dates import Order, order_of
from dispatcher.rows.filters import DATES
from dispatcher.rows.form import Form
from dispatcher.rows.records import Record
from dispatcher.rows.template import Template
from dispatcher.rows.text import UnusableInput
from dispatcher.values.meta import own_field

SAMPLE = 500
"""Rows that are looked at."""
_SECRET = {"code"}
"""Fields of which no value is shown."""
_CONTENT = {"recipient", "participants", "say", "play", "key", "tags", "dnc", *MOMENTS}
"""Fields that any text may be, or whose faults are those of a row."""


class Sampled:
    """Rows of which the first are read ahead; iterated once, it yields them all."""

    def __init__(self, records: Iterable[Record]) -> None:
        self._rest = iter(records)
        self.first: list[Record] = []
        self._fault: UnusableInput | None = None
        try:
            self.first.extend(islice(self._rest, SAMPLE))
        except UnusableInput as error:
            self._fault = error  # it is told where the row is asked for

    def __iter__(self) -> Iterator[Record]:
        yield from self.first
        if self._fault:
            raise self._fault
        yield from self._rest


def order(columns: Columns, rows: Iterable[Record], say: Template | None = None) -> Order | None:
    """Return whether days or months come first in the dates of these rows, where they say so.

    Dates are `at`, `expires`, and what a filter of the text says as one.
    """
    names = [name for name, field in columns.fields.items() if field in MOMENTS]
    said = {gap.column for _, gap in say.parts if gap and gap.filter in DATES} if say else set()
    names += [name for name in columns.named or () if name.casefold() in said]
    values = chain.from_iterable(([row.values.get(name) for name in names]) for row in rows)
    return order_of(value for value in values if isinstance(value, str))


def refuse_strangers(form: Form, rows: Iterable[Record]) -> None:
    """Raise InvalidColumns where a column has the name of an option, and is another thing.

    That is one whose values mostly cannot be that option; of a key, one that many rows share.
    """
    if form.columns.named is None:
        return
    values = [row.values for row in rows if not row.fault]
    for name, field in form.columns.fields.items():
        cells = [str(row[name]).strip() for row in values if str(row.get(name) or "").strip()]
        if field == "key":
            _refuse_shared(form, name, values)
        elif field and field not in _CONTENT and own_field(field) is None:
            wrong = [cell for cell in cells if not form.fits(field, cell)]
            if 2 * len(wrong) > len(cells):
                says = "not shown" if field in _SECRET else f"it says {shown(wrong[0])}"
                raise InvalidColumns(_stranger(name, field, says))


def _refuse_shared(form: Form, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    number = form.columns.of_field("recipient")
    pairs = {(row[name], row.get(number or "")) for row in rows if row.get(name)}
    keys = {key for key, _ in pairs}
    if 2 * len(keys) <= len(pairs) and len(pairs) > 1:
        raise InvalidColumns(_stranger(name, "key", "several people have the same one"))


def _stranger(name: str, field: str, why: str) -> str:
    return (
        f"column {shown(name)} does not look like the {field} of a call ({why}). If it is a column"
        f" of your own, ignore it with --map {name!r}=; else correct it"
    )
