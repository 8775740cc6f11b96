"""Connections that say so where one side speaks TLS and the other does not.

Neither side tells: a server without TLS waits for more of what it takes for a command, and one with
TLS breaks off. So where a connection does not come about, the other way is tried once.
"""

from __future__ import annotations

import socket
import ssl
from typing import Any

from redis import exceptions
from redis.connection import Connection, SSLConnection
from redis.sentinel import Sentinel, SentinelManagedConnection

_SOON = 1.0
"""Seconds within which a server usually shakes hands, and answers a question of ours."""
NEEDS_TLS = "speaks TLS alone there: write rediss:// instead of redis:// in the URL"
NEEDS_NONE = "does not speak TLS there: write redis:// instead of rediss://"
_MASTER = (
    "is a master that speaks TLS alone, as the sentinels tell: add tls=true to the URL",
    "is a master that does not speak TLS, as the sentinels tell: take tls=true out of the URL",
)
_SENTINELS_NEED_TLS = "is behind sentinels that speak TLS alone: add tls=true to the URL"
_SENTINELS_NEED_NONE = (
    "is behind sentinels that do not speak TLS: take tls=true out of the URL, or add"
    " sentinel_tls=false where the servers do"
)


class TlsMisfit(exceptions.RedisError):
    """What is wrong and what to change, to be read behind `Redis`. redis-py does not try again."""


def speaks_plainly(host: str, port: int) -> bool:
    """Return whether a server, or sentinel, answers without TLS."""
    try:
        with socket.create_connection((host, port), _SOON) as plain:
            plain.sendall(b"PING\r\n")
            return plain.recv(1) in (b"+", b"-")
    except OSError:
        return False


def speaks_tls(host: str, port: int) -> bool:
    """Return whether a server shakes hands with TLS; whose it is, is not looked at."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), _SOON) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return True
    except OSError:
        return False


class Plain(Connection):
    """A connection without TLS."""

    needs_tls = NEEDS_TLS

    def connect_check_health(self, *args: Any, **options: Any) -> None:
        """Connect; where the other side breaks off, find out whether it wants TLS."""
        try:
            super().connect_check_health(*args, **options)
        except exceptions.ConnectionError as error:
            broken_off = type(error) is exceptions.ConnectionError  # the others are answers
            if broken_off and speaks_tls(self.host, self.port):
                raise TlsMisfit(self.needs_tls) from None
            raise


class Tls(SSLConnection):
    """A connection with TLS."""

    needs_none = NEEDS_NONE

    def _wrap_socket_with_ssl(self, sock: socket.socket) -> Any:
        """Shake hands; where nothing comes soon, find out whether the server waits for a command,
        or else begin again, with all the time that there is.
        """
        usual = sock.gettimeout()
        if usual is None or usual > _SOON:
            sock.settimeout(_SOON)
        try:
            over_tls = super()._wrap_socket_with_ssl(sock)  # type: ignore[no-untyped-call]
        except TimeoutError:
            sock.close()
            if speaks_plainly(self.host, self.port):
                raise TlsMisfit(self.needs_none) from None
            again = Connection._connect(self)  # noqa: SLF001
            return super()._wrap_socket_with_ssl(again)  # type: ignore[no-untyped-call]
        over_tls.settimeout(usual)
        return over_tls


class PlainMaster(SentinelManagedConnection, Plain):
    """The same to a master that sentinels name."""

    needs_tls = _MASTER[0]


class TlsMaster(SentinelManagedConnection, Tls):
    """The same to a master that sentinels name."""

    needs_none = _MASTER[1]


class Sentinels(Sentinel):
    """Sentinels of which one may be asked in the wrong way."""

    def discover_master(self, service_name: str) -> Any:
        """Return where the master is. Raises MasterNotFoundError, TlsMisfit."""
        try:
            return super().discover_master(service_name)  # type: ignore[no-untyped-call]
        except exceptions.ConnectionError as error:
            if " : " in str(error):  # some did not answer
                self._look_at_tls()
            raise

    def _look_at_tls(self) -> None:
        tls = bool(self.sentinel_kwargs.get("ssl"))
        other_way = speaks_plainly if tls else speaks_tls
        for sentinel in self.sentinels:
            at = sentinel.connection_pool.connection_kwargs
            if other_way(at["host"], at["port"]):
                raise TlsMisfit(_SENTINELS_NEED_NONE if tls else _SENTINELS_NEED_TLS)
