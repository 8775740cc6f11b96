"""Kept connections: each carries request after request, and one at a time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from dispatcher.provider.transport import Connection, Opening


class Closed(Exception):
    """The connections were closed, and no more are made."""


@dataclass
class Kept:
    """Keeps up to `most` connections; the one that was used last is used next.

    `patience` (seconds) is for connecting to each address, and for sending. May be used by
    several threads.
    """

    opening: Opening
    patience: float
    most: int
    _idle: deque[Connection] = field(default_factory=deque, init=False, repr=False)
    _closed: bool = field(default=False, init=False)

    def take(self) -> Connection:
        """Return a connection that nobody else has. Raises NeverReached, Closed."""
        while connection := self._last():
            if connection.is_connected:
                return connection
            connection.close()
        if self._closed:
            raise Closed
        return self.opening.open(self.patience)

    def give_back(self, connection: Connection) -> None:
        """Keep a connection for the next request."""
        if len(self._idle) >= self.most:
            connection.close()
            return
        self._idle.append(connection)
        if self._closed:  # meanwhile, by another thread
            self.close()

    def close(self) -> None:
        """Close what is kept, and let nothing be taken any more."""
        self._closed = True
        while connection := self._last():
            connection.close()

    def _last(self) -> Connection | None:
        try:
            return self._idle.pop()  # asking first whether there is one would need a lock
        except IndexError:
            return None
