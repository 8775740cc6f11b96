"""Jobs as the text of a CSV file."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO

from dispatcher.model.job import Job
from dispatcher.rows.exporting import COLUMNS, Cell, rows, shielded

BOM = "\ufeff"
"""Spreadsheets take CSV without it for the machine's own encoding."""


class CsvText:
    """The text of a file, piece by piece; `mask` as `rows` has it.

    `raw`: for programs, without the byte order mark and the apostrophes that spreadsheets need.
    """

    def __init__(self, *, mask: bool, raw: bool = False) -> None:
        self._mask, self._raw = mask, raw

    @property
    def head(self) -> str:
        """The beginning of the file."""
        return ("" if self._raw else BOM) + self._lines([COLUMNS])

    def of(self, job: Job) -> str:
        """Return the lines of a job."""
        cells = rows(job, mask=self._mask)
        return self._lines(cells if self._raw else map(shielded, cells))

    def _lines(self, each: Iterable[Iterable[Cell]]) -> str:
        text = StringIO(newline="")
        csv.writer(text, lineterminator="\n" if self._raw else "\r\n").writerows(each)
        return text.getvalue()
