"""The lines of a security log, read from its end: a page takes as long however large it is."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final

BLOCK: Final = 64 * 1024
MOST_READ: Final = 12 * BLOCK
"""Bytes that are looked through for one page."""
LONGEST_LINE: Final = 8 * 1024
"""Bytes of a line: ours have 2 KB at most."""


@dataclass(frozen=True, slots=True)
class Line:
    """An event: when (aware), what, and the other fields of its line. `place`: where it begins in
    the file.
    """

    at: datetime
    event: str
    facts: dict[str, Any]
    place: int

    @property
    def who(self) -> str:
        """Who did it, or to which process it happened; '' where that is not told."""
        told = (self.facts.get(name) for name in ("name", "actor", "key", "claimed", "process"))
        return str(next(filter(None, told), ""))

    @property
    def text(self) -> str:
        """All of it in which something may be looked for."""
        return " ".join((self.event, *map(str, self.facts.values())))


@dataclass(frozen=True, slots=True)
class LineFilter:
    """Which lines are wanted: those of an event, and with this in a field, in capitals or not; from
    `since` on, and before `until` (aware).
    """

    event: str = ""
    has: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def fits(self, line: Line) -> bool:
        """Whether a line is wanted."""
        return (
            self.event in {"", line.event}
            and self.has.casefold() in line.text.casefold()
            and (self.since is None or line.at >= self.since)
            and (self.until is None or line.at < self.until)
        )


def latest(
    path: Path, most: int, wanted: LineFilter, before: int | None = None
) -> tuple[list[Line], int | None]:
    """Return the lines that are wanted, the latest first, and before which place to go on (None:
    that is all). `before` is such a place. Raises OSError.
    """
    if not path.is_file():  # a pipe would have us wait
        raise FileNotFoundError(errno.ENOENT, "there is no such file yet, or it is a pipe")
    found: list[Line] = []
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        end = place = size if before is None else min(size, before)
        floor = max(0, end - MOST_READ)
        for start, raw in backwards(file, end, floor):
            if len(found) == most:
                return found, place
            place = start
            line = parsed(raw, start)
            if line and wanted.fits(line):
                found.append(line)
    if not floor:
        return found, None
    return found, place if place < end else floor


def backwards(file: BinaryIO, end: int, floor: int) -> Iterator[tuple[int, bytes]]:
    """Yield the lines between two places, the last first, each with where it begins; not one that
    begins before `floor`.
    """
    rest = b""
    while end > floor:
        start = max(floor, end - BLOCK)
        file.seek(start)
        text = file.read(end - start) + rest
        first, *lines = text.split(b"\n")
        at = start + len(text)
        for line in reversed(lines):
            at -= len(line)
            yield at, line
            at -= 1
        rest, end = first[: LONGEST_LINE + 1], start
    if not floor:
        yield 0, rest


def parsed(raw: bytes, place: int) -> Line | None:
    """Return the event of a line; None where it holds none: others may write into the file, too."""
    if not 0 < len(raw) <= LONGEST_LINE:
        return None
    try:
        facts = json.loads(raw)
        at, event = datetime.fromisoformat(facts.pop("at")), facts.pop("event")
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None
    if at.tzinfo is None or not isinstance(event, str):
        return None
    return Line(at, event, facts, place)
