"""Takes connections from a port that several processes share, so that each has about as many.

Whoever is awake takes what comes, and one process would soon have them all: a proxy keeps its
connections for hours. So a process that has more than its share gives way for a moment. Where none
of the others takes a connection meanwhile, they are busy or dead, and it takes what waits.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from ssl import SSLContext
from typing import Final

GIVES_WAY: Final = 0.005
"""Seconds for which the others may take what comes."""
NO_ROOM: Final = 1.0
"""Seconds until the next try where no file can be opened."""


class Taking:
    """Takes connections until `close`; to uvicorn it is a server. `has_share`: whether the others
    should have what comes.
    """

    def __init__(
        self,
        listener: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        has_share: Callable[[], bool],
        tls: SSLContext | None = None,
    ) -> None:
        self._listener, self._protocol, self._tls = listener, protocol, tls
        self._has_share = has_share
        self._loop = asyncio.get_running_loop()
        self._beginning: set[asyncio.Task[object]] = set()
        self._pause: asyncio.TimerHandle | None = None
        listener.setblocking(False)
        self._look()

    def close(self) -> None:
        """Take no more."""
        if self._pause:
            self._pause.cancel()
        self._loop.remove_reader(self._listener)

    async def wait_closed(self) -> None:
        """Return at once: connections are waited for by who counts them."""

    def _look(self) -> None:
        self._pause = None
        self._loop.add_reader(self._listener, self._come)

    def _come(self) -> None:
        if self._has_share():
            self._rest(GIVES_WAY, self._take_all)
        else:
            self._take()

    def _take_all(self) -> None:
        self._look()
        while self._take():
            pass

    def _take(self) -> bool:
        """Take a connection; return whether there was one."""
        try:
            wire, _ = self._listener.accept()
        except (BlockingIOError, ConnectionError):  # another took it, or it is gone
            return False
        except OSError:
            self._rest(NO_ROOM, self._look)
            return False
        task = self._loop.create_task(self._begin(wire))
        self._beginning.add(task)
        task.add_done_callback(self._beginning.discard)
        return True

    async def _begin(self, wire: socket.socket) -> None:
        wire.setblocking(False)
        with suppress(OSError):  # whose TLS never began, or who is gone
            await self._loop.connect_accepted_socket(self._protocol, wire, ssl=self._tls)

    def _rest(self, seconds: float, then: Callable[[], None]) -> None:
        self._loop.remove_reader(self._listener)
        self._pause = self._loop.call_later(seconds, then)
