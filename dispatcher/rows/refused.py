"""The rows that were refused, in a file that can be mended and imported again."""

from __future__ import annotations

import csv
import json
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, TextIO

from dispatcher.model.invalid_job import InvalidJob
from dispatcher.rows.records import LINE, RAW, WHY, Format, Record
from dispatcher.rows.spreadsheets import NO_CODE, shield
from dispatcher.store.values import KeyConflict

MOST_REASONS = 50
OTHERS = "others"
_VARIES = re.compile(r"""'[^']*' | "[^"]*" | (?<![\w.])\+?\d[\d.,]*""", re.VERBOSE)
"""What was given, and numbers."""

OTHER_REQUEST = "its key belongs to another request", "use a new key"
OTHER_ROW = (
    "this row was imported before with another text or --set",
    "cancel that job, or give the import another --id to call once more",
)


class RowConflict(KeyConflict):
    """A row's key belongs to a job that another request made; `reason` names no job."""

    def __init__(self, what: str, remedy: str, job: str) -> None:
        self.reason = f"{what}: {remedy}"
        super().__init__(f"{what} (job {job}): {remedy}")


class RefusedFile:
    """Writes refused rows beside their reason; there is no file until there is a row.

    Whole numbers stand in it, so that only its owner may read it.
    """

    def __init__(
        self, path: Path, format_: Format, columns: Sequence[str] | None, delimiter: str = ","
    ) -> None:
        self.path = path
        self._format = format_
        self._columns = columns or ()
        self._delimiter = delimiter
        self._file: TextIO | None = None

    def add(self, record: Record, why: str) -> None:
        """Write a row. Raises OSError."""
        file = self._file = self._file or self._open()
        if self._format == "jsonl":
            file.write(json.dumps(_with_reason(record, why), ensure_ascii=False) + "\n")
        else:
            self._writer.writerow([shield(why), record.line, *map(shield, record.cells)])

    def close(self) -> None:
        """Finish the file, if there is one."""
        if self._file:
            self._file.close()

    @property
    def written(self) -> bool:
        """Whether there is a file."""
        return self._file is not None

    def _open(self) -> TextIO:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        if stat.S_ISREG(os.fstat(descriptor).st_mode):  # and not where it goes to a pipe
            os.fchmod(descriptor, 0o600)  # one that stood there already
        marked = "utf-8" if self._format == "jsonl" else "utf-8-sig"  # spreadsheets want the mark
        file = os.fdopen(descriptor, "w", encoding=marked, newline="", errors="surrogatepass")
        if self._format == "csv":
            self._writer = csv.writer(file, delimiter=self._delimiter)
            self._writer.writerow([WHY, LINE, *map(shield, self._columns)])
        return file


def _with_reason(record: Record, why: str) -> dict[str, Any]:
    own = {RAW: record.cells[0]} if record.fault else record.values
    return {WHY: why, LINE: record.line, **own}


def free_name(source: Path, format_: Format) -> Path:
    """Return a name beside a file for its refused rows that nothing has yet.

    A file that somebody may be mending is never written over.
    """
    stem = re.sub(r"\.refused(-\d+)?$", "", source.stem)
    for number in count(1):
        path = source.with_name(f"{stem}.refused{f'-{number}' if number > 1 else ''}.{format_}")
        if not path.exists():
            return path
    raise AssertionError


@dataclass
class Reasons:
    """How often each reason was given, without what varies from row to row; bounded.

    `without_code` of the errors are numbers whose country nobody said.
    """

    counts: Counter[str] = field(default_factory=Counter)
    without_code: int = 0

    def add(self, error: InvalidJob | RowConflict) -> None:
        """Count an error once for each of its problems."""
        self.without_code += NO_CODE in str(error)
        for text in _problems(error):
            known = text in self.counts or len(self.counts) < MOST_REASONS
            self.counts[text if known else OTHERS] += 1


def _problems(error: InvalidJob | RowConflict) -> Iterator[str]:
    if isinstance(error, RowConflict):
        yield error.reason
        return
    for name, message in error.problems:
        text = _VARIES.sub("…", message).removeprefix("…: ").split(";")[0]
        yield f"{name}: {text}"
