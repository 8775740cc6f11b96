"""What is written to a connection in one turn of the loop goes out at once.

uvicorn writes the head of an answer and then its body, and each would be a packet of its own, which
wakes whoever waits for it: half of what it takes to send a short answer.
"""

from __future__ import annotations

import asyncio
from typing import Any

LARGE = 16 << 10
"""Bytes that wait for nothing more."""


class Gathering:
    """A transport, but for when it writes."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._pieces: list[bytes] = []
        self._size = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Write soon."""
        if not self._pieces:
            self._loop.call_soon(self._flush)
        self._pieces.append(data)
        self._size += len(data)
        if self._size > LARGE:
            self._flush()

    def close(self) -> None:
        """Close when all is written."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close now."""
        self._pieces.clear()
        self._transport.abort()

    def _flush(self) -> None:
        if self._pieces:
            data = b"".join(self._pieces)
            self._pieces, self._size = [], 0
            self._transport.write(data)
