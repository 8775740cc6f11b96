"""How many there are of what has a cap: in this process, or in all processes of a gateway."""

from __future__ import annotations

import hashlib
import mmap
from functools import lru_cache
from pathlib import Path
from typing import Final

SALT: Final = 16
"""Bytes with which names are hashed: nobody can choose a name that shares its cells."""
CELLS: Final = 1 << 16
"""Counts in a row. Each name has two of them; where it shares one, the other is right."""
_CELL: Final = 4  # bytes


class Counts:
    """Counts by name, of this process alone."""

    def __init__(self) -> None:
        self._own: dict[str, int] = {}

    def __getitem__(self, name: str) -> int:
        return self._own.get(name, 0)

    def add(self, name: str, many: int) -> None:
        """Count so many more, or fewer."""
        if counted := self._own.get(name, 0) + many:
            self._own[name] = counted
        else:
            self._own.pop(name, None)

    def take(self, name: str, most: int) -> int | None:
        """Count one more; where there are `most` already, return how many there are instead."""
        self.add(name, 1)  # first, so that two processes never both take the last place
        others = self[name] - 1
        if others < most:
            return None
        self.add(name, -1)
        return others


class SharedCounts(Counts):
    """Counts of all processes of a gateway, in a file that they share as memory.

    Each has a row, which it alone writes; what counts is the sum of all rows. A process begins with
    an empty row: what one counted that was killed goes with the next in its place.
    """

    def __init__(self, file: Path, row: int, rows: int) -> None:
        super().__init__()
        with file.open("r+b") as opened:
            self._salt = opened.read(SALT)
            whole = memoryview(mmap.mmap(opened.fileno(), _size(rows)))
        table = whole[SALT:].cast("I")
        self._rows = [table[n * CELLS : (n + 1) * CELLS] for n in range(rows)]
        self._row = self._rows[row]
        self._row[:] = memoryview(bytes(CELLS * _CELL)).cast("I")
        self._cells = lru_cache(maxsize=1024)(self._find)

    def __getitem__(self, name: str) -> int:
        cells = self._cells(name)
        return min([sum([row[cell] for row in self._rows]) for cell in cells])

    def add(self, name: str, many: int) -> None:
        for cell in self._cells(name):
            self._row[cell] += many

    def _find(self, name: str) -> tuple[int, int]:
        hashed = hashlib.blake2b(name.encode(), digest_size=4, key=self._salt).digest()
        one, other = (int.from_bytes(half) for half in (hashed[:2], hashed[2:]))
        return one, other if other != one else (one + 1) % CELLS


def make(file: Path, rows: int, salt: bytes) -> None:
    """Make the file that so many processes share."""
    with file.open("xb") as new:
        new.write(salt)
        new.truncate(_size(rows))


def _size(rows: int) -> int:
    return SALT + rows * CELLS * _CELL
