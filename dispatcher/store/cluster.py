"""Connections that follow our keys to the server of a cluster that has them.

All of them have one hash tag, the namespace, so that a single server has them all. Another one
answers MOVED and names it, having done nothing. A server without cluster mode never does.
"""

from __future__ import annotations

from typing import Any

from redis import exceptions
from redis.connection import Connection

from dispatcher.store.tls_misfit import Plain, Tls


class Way:
    """Where the server with our keys is: first, and whenever that is gone, where the URL says."""

    def __init__(self, host: str, port: int) -> None:
        self._named = self.address = (host, port)

    def follow(self, moved: exceptions.MovedError) -> None:
        """Take the server that an answer names; one without a host is on the same."""
        host, port = moved.node_addr
        self.address = (host or self.address[0], port)

    def start_again(self) -> None:
        """Go back to what the URL says."""
        self.address = self._named


class _Following(Connection):
    """A connection to the server that a pool's `way` leads to."""

    def __init__(self, *, way: Way, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._way = way

    def connect_check_health(self, *_: Any, **options: Any) -> None:
        """Connect where the way leads by now: for the first time, or again for a command.

        There is no health check on the way in, where redis-py would begin the tries anew for each
        try: the greeting shows as well whether somebody answers.
        """
        self.host, self.port = self._way.address
        try:
            super().connect_check_health(**{**options, "check_health": False})
        except (exceptions.ConnectionError, exceptions.TimeoutError):
            self._way.start_again()
            raise

    def read_response(self, *args: Any, **options: Any) -> Any:
        """Return an answer. One that names another server is a lost connection to the caller, who
        connects again and asks there.
        """
        try:
            return super().read_response(*args, **options)
        except exceptions.MovedError as moved:
            self._way.follow(moved)
            self.disconnect()  # type: ignore[no-untyped-call]
            raise exceptions.ConnectionError("our keys are on another server") from None


class FollowingConnection(_Following, Plain):
    """One without TLS."""


class FollowingTlsConnection(_Following, Tls):
    """One with TLS."""
