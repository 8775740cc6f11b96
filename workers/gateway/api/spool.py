"""Answers that wait for a reader: in memory while they are few, else on disk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from tempfile import SpooledTemporaryFile

IN_MEMORY = 1 << 20
MOST = 64 << 20
"""Bytes that wait at most: some 800,000 answers."""
PIECE = 64 << 10


class Spool:
    """A queue of bytes.

    Many clients send all of a body before they read the first byte of the answer. Were the answers
    written straight to the wire, both sides would wait for each other for ever.
    """

    def __init__(self, most: int = MOST) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - closed by `close`
        self._most = most
        self._written = self._read = 0
        self._ended = False
        self._news, self._room = asyncio.Event(), asyncio.Event()

    async def put(self, data: bytes) -> None:
        """Append; waits while too much waits already."""
        while self.full:
            self._room.clear()
            await self._room.wait()
        self._append(data)

    def end(self, data: bytes) -> None:
        """Append the last of it, at once."""
        self._ended = True
        self._append(data)

    async def complete(self) -> None:
        """Return when all of it is there, or no more is kept."""
        while not self._ended and not self.full:
            self._news.clear()
            await self._news.wait()

    async def pieces(self) -> AsyncIterator[bytes]:
        """Yield what was put, until the end."""
        while piece := await self._piece():
            yield piece

    @property
    def full(self) -> bool:
        """Whether nothing more is taken until something is read."""
        return self._written - self._read >= self._most

    @property
    def ended(self) -> bool:
        """Whether nothing more comes."""
        return self._ended

    def close(self) -> None:
        """Give back the disk's space."""
        self._file.close()

    def _append(self, data: bytes) -> None:
        self._file.seek(self._written)
        self._written += self._file.write(data)
        self._news.set()

    async def _piece(self) -> bytes:
        while self._written == self._read and not self._ended:
            self._news.clear()
            await self._news.wait()
        self._file.seek(self._read)
        piece = self._file.read(PIECE)
        self._read += len(piece)
        if self._read == self._written:
            self._file.seek(0)
            self._file.truncate()
            self._read = self._written = 0
        self._room.set()
        return piece
