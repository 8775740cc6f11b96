"""Connects to the first of several addresses that answers, after the idea of RFC 8305.

The addresses are tried one after another, but none waits for the one before it to fail: a name
with one dead address would otherwise cost every webhook all of its time.
"""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from typing import Any

from workers.webhooks.resolving import Found

HEAD_START = 0.25
"""Seconds that an address has before the next one is tried as well; RFC 8305 recommends it."""
MOST = 10
"""Addresses of one name that are tried: whoever owns the name chooses how many it has."""


def first_that_answers(found: Sequence[Found], timeout: float) -> socket.socket:
    """Return a connection to one of the addresses, made within `timeout` seconds.

    The socket does not block. Raises OSError: the last one, or TimeoutError.
    """
    race = _Race(deque(in_turn(found)), time.monotonic() + timeout)
    try:
        sock = race.run()
    finally:
        race.close()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def in_turn(found: Sequence[Found]) -> Iterator[Found]:
    """Yield what is tried, of each family in turn: one of the two may be broken here."""
    first = found[0][0] if found else None
    same = [each for each in found if each[0] == first]
    others = [each for each in found if each[0] != first]
    mixed = chain.from_iterable(zip_longest(same, others))
    yield from [each for each in mixed if each is not None][:MOST]


class _Race:
    """Connections that are being made, and the addresses that have not begun."""

    def __init__(self, waiting: deque[Found], until: float) -> None:
        self._waiting, self._until = waiting, until
        self._selector = selectors.DefaultSelector()
        self._next = 0.0  # when the next address begins
        self._error: OSError = OSError("the name has no address")

    def run(self) -> socket.socket:
        while self._waiting or self._selector.get_map():
            now = time.monotonic()
            if now >= self._until:
                raise TimeoutError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            if self._waiting and (now >= self._next or not self._selector.get_map()):
                self._next = now + HEAD_START
                self._begin(self._waiting.popleft())
            if winner := self._look(now):
                return winner
        raise self._error

    def close(self) -> None:
        """Give up what is still being made."""
        for key in list(self._selector.get_map().values()):
            self._drop(key.fileobj)
        self._selector.close()

    def _begin(self, found: Found) -> None:
        family, kind, protocol, _, place = found
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as error:  # a family that this machine does not have
            self._fail(error.errno or errno.EAFNOSUPPORT)
            return
        sock.setblocking(False)
        code = sock.connect_ex(place)
        if code in (0, errno.EINPROGRESS):
            self._selector.register(sock, selectors.EVENT_WRITE)
        else:
            sock.close()
            self._fail(code)

    def _look(self, now: float) -> socket.socket | None:
        """Return a connection that is made, after a wait for the next thing that may happen."""
        if not self._selector.get_map():
            return None
        until = min(self._until, self._next) if self._waiting else self._until
        for key, _ in self._selector.select(max(0.0, until - now)):
            sock: Any = key.fileobj
            if code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                self._drop(sock)
                self._fail(code)
            else:
                self._selector.unregister(sock)
                return sock  # type: ignore[no-any-return]
        return None

    def _fail(self, code: int) -> None:
        """One is out: the next begins at once."""
        self._error = OSError(code, os.strerror(code))
        self._next = 0.0

    def _drop(self, sock: Any) -> None:
        self._selector.unregister(sock)
        sock.close()
