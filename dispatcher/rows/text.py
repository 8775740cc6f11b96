"""Lines of text out of bytes that nobody has looked at: bounded, decoded, counted."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from dispatcher.errors import UsageError
from dispatcher.rows.encodings import likely, likely_utf_16
from dispatcher.rows.no_tables import HEAD, PACKED, ZIP, told

LONGEST = 1 << 20
"""Characters of one row at most. A longer one is no row: something binary, or a quotation mark
that is never closed, and must not fill the memory."""
UTF_8 = "utf-8"

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_ESCAPED = re.compile("[\udc80-\udcff]")


class UnusableInput(UsageError, ValueError):
    """The input cannot be read on from here, as it was said to be read: mend it, or say otherwise.

    `line` is where, from 1; 0 for the whole of it.
    """

    def __init__(self, line: int, why: str) -> None:
        self.line = line
        super().__init__(why)


class Lines:
    """The lines of a binary stream with their ends, whichever of the three kinds these are.

    A byte order mark decides the encoding where none is given; without one it is UTF-8.
    Raises UnusableInput for what is no text, and LookupError for an encoding nobody knows.
    """

    def __init__(self, stream: BinaryIO, encoding: str | None = None) -> None:
        self._bytes = io.BufferedReader(stream)  # type: ignore[type-var]
        self._likely = "utf-16"
        self._encoding = codecs.lookup(encoding).name if encoding else self._marked()
        # What cannot be decoded is kept apart and complained of where its line is known.
        self._text = io.TextIOWrapper(
            self._bytes, self._encoding, errors="surrogateescape", newline=""
        )
        self.number = 0
        self._row: list[str] = []
        self._size = 0

    @property
    def position(self) -> int:
        """How many bytes were taken from the stream, those that were read ahead included."""
        return self._bytes.tell()

    @property
    def row(self) -> str:
        """What was read since `begin_row`."""
        return "".join(self._row)

    def begin_row(self) -> int:
        """Begin to count anew against LONGEST; return the number of the line that comes next."""
        self._row.clear()
        self._size = 0
        return self.number + 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.number += 1
        line = self._line()
        if not line:
            self.number -= 1
            raise StopIteration
        self._size += len(line)
        if self._size > LONGEST:
            raise UnusableInput(self.number, self._too_long())
        if "\0" in line:
            raise UnusableInput(self.number, self._with_nul())
        if not line.isascii() and (found := _ESCAPED.search(line)):
            raise UnusableInput(self.number, self._undecoded(line, found.start()))
        self._row.append(line)
        return line

    def _line(self) -> str:
        try:
            return self._text.readline(LONGEST + 1)
        except UnicodeError as error:
            raise UnusableInput(
                self.number, f"near here is something that is not {self._name}"
            ) from error

    def _marked(self) -> str:
        head = self._bytes.peek(HEAD)[:HEAD]
        zipped = f"{PACKED}: save the sheet as CSV in UTF-8, or name the file instead of a pipe"
        what = zipped if head.startswith(ZIP) else told(head)
        if what:
            raise UnusableInput(0, f"it is not text, but {what}")
        self._likely = likely_utf_16(head) or "utf-16"
        return next((name for mark, name in _MARKS.items() if head.startswith(mark)), UTF_8)

    @property
    def _name(self) -> str:
        return self._encoding.removesuffix("-sig").upper()

    def _undecoded(self, line: str, place: int) -> str:
        whole = line.encode(self._encoding.removesuffix("-sig"), "surrogateescape")
        before = len(line[:place].encode(self._encoding.removesuffix("-sig"), "surrogateescape"))
        guess = likely(whole) if self._encoding == UTF_8 else None
        return (
            f"byte {before + 1} of the line, 0x{whole[before]:02x}, is not {self._name}:"
            f" save it as UTF-8, or give its {guess or '--encoding, such as cp932 or cp1252'}"
        )

    def _with_nul(self) -> str:
        return f"it has a NUL byte: it is not text, or give its --encoding {self._likely}"

    def _too_long(self) -> str:
        if self._row:
            return (
                f"the row that begins in line {self.number - len(self._row)} has not ended after"
                f" {LONGEST:,} characters: is a quotation mark never closed?"
            )
        return f"the line has more than {LONGEST:,} characters: it is not a list of jobs"
