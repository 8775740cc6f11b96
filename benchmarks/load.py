"""Asks a server for as much as it gives.

It takes next to nothing itself of the cores that it shares with what it measures: bytes that were
made before, on plain sockets.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections.abc import Iterator, Sequence

WITHIN = 30.0  # seconds in which something must be answered
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


def ask(port: int, requests: Sequence[bytes], at_once: int, expected: bytes) -> list[float]:
    """Ask on so many kept connections; return the seconds that each answer took to its last byte.

    Each answer must begin as `expected`.
    """
    left, waits = iter(requests), list[float]()
    with selectors.DefaultSelector() as selector:
        for _ in range(at_once):
            line = _Line(port)
            selector.register(line.wire, selectors.EVENT_READ, line)
            line.ask(left)
        while len(waits) < len(requests):
            ready = selector.select(WITHIN)
            assert ready, f"no answer within {WITHIN:g} s"
            for key, _ in ready:
                line = key.data
                if line.read(expected):
                    waits.append(time.perf_counter() - line.asked)
                    line.ask(left)
        for key in list(selector.get_map().values()):
            key.data.wire.close()
    return waits


class _Line:
    """A connection, what came on it, and when it was asked."""

    def __init__(self, port: int) -> None:
        self.wire = socket.create_connection(("127.0.0.1", port))
        self.wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.asked, self._came = 0.0, b""

    def ask(self, left: Iterator[bytes]) -> None:
        """Ask for the next that is left, if any."""
        if request := next(left, None):
            self.asked = time.perf_counter()
            self.wire.sendall(request)

    def read(self, expected: bytes) -> bool:
        """Take in what came; return whether that was the end of an answer."""
        self._came += self.wire.recv(1 << 16)
        head, _, body = self._came.partition(b"\r\n\r\n")
        assert head.startswith(expected), head
        length = _LENGTH.search(head)
        if length is None or len(body) < int(length[1]):
            return False
        self._came = b""
        return True
