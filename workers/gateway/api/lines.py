"""A stream of bytes cut into numbered lines, however it comes in pieces."""

from __future__ import annotations

from typing import NamedTuple

LONGEST = 64 << 10
"""Bytes of a line: a job's longest text takes a third of it."""
_BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """A line, numbered from 1; None: it was too long, and not kept."""

    number: int
    text: bytes | None


class Lines:
    """Cuts; lines of blanks count, and are left out. No more than one unfinished line is kept."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._number = 0
        self._begun = b""
        self._too_long = False

    def feed(self, piece: bytes) -> list[Line]:
        """Return the lines that a piece completes."""
        *whole, rest = piece.split(b"\n")
        found = [line for text in whole if (line := self._end(text)) is not None]
        self._add(rest)
        return found

    def rest(self) -> list[Line]:
        """Return the last line, where nothing stood at its end."""
        last = self._end(b"") if self._begun or self._too_long else None
        return [last] if last else []

    def _add(self, text: bytes) -> None:
        self._begun += b"" if self._too_long else text
        if len(self._begun) > self._longest:
            self._begun, self._too_long = b"", True

    def _end(self, text: bytes) -> Line | None:
        self._add(text)
        self._number += 1
        whole, too_long = self._begun, self._too_long
        self._begun, self._too_long = b"", False
        if too_long:
            return Line(self._number, None)
        if self._number == 1:
            whole = whole.removeprefix(_BOM)
        whole = whole.strip(b" \t\r")
        return Line(self._number, whole) if whole else None
