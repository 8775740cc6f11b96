"""What the tests of rows share: files in memory, and forms as the command line makes them."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from dispatcher.rows.columns import Columns
from dispatcher.rows.dates import Dates
from dispatcher.rows.form import ROW, Form, Numbers
from dispatcher.rows.records import Record, Records
from dispatcher.rows.template import Template
from dispatcher.rows.text import Lines

NUMBER = "+818011234567"


def records(text: str | bytes, **options: Any) -> Records:
    """Return the rows of a file that says this."""
    encoding = options.pop("encoding", None)
    data = text.encode() if isinstance(text, str) else text
    return Records(Lines(io.BytesIO(data), encoding), **options)


def read(text: str | bytes, **options: Any) -> list[Record]:
    return list(records(text, **options))


def form(
    header: list[str] | None,
    *,
    say: str | None = None,
    map_: Mapping[str, str] | None = None,
    numbers: Numbers | None = None,
    name: str = ROW,
    dates: Dates | None = None,
    **shared: Any,
) -> Form:
    """Return a form for files with this header, None for JSON lines."""
    template = Template.parse(say) if say is not None else None
    columns = Columns.of(header, map_ or {}, template.gaps if template else ())
    return Form(columns, shared, template, numbers or Numbers(), name, dates or Dates())


class Endless(io.RawIOBase):
    """A stream that repeats a few characters without end, and counts what was taken of it."""

    def __init__(self, start: bytes, repeated: bytes) -> None:
        self._bytes = itertools.chain(start, itertools.cycle(repeated))
        self.taken = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        buffer[:] = bytes(itertools.islice(self._bytes, size))
        self.taken += size
        return size


def lines(found: Iterator[Record] | list[Record]) -> list[int]:
    return [record.line for record in found]
