"""The wire: connections that know whether the provider was reached, and when to stop waiting.

`requests` alone cannot tell the two ends of a request apart: a failed TLS handshake and a TLS
connection that breaks after the request went out are the same SSLError. Here everything that
fails inside `connect()` (DNS, refusal, proxy, TLS, timeout) is NeverReached by construction, and
whatever fails later may have been read by the provider.
"""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, ClassVar, Final

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.response import HTTPResponse

from dispatcher.provider.errors import NeverReached
from dispatcher.values.tls_faults import tls_fault

MAX_IDLE: Final = 4.0
"""Seconds a kept connection may have been idle and still carry a request.

A server that closes an idle connection just when a POST goes out leaves nobody knowing whether it
was read. Whatever has been closed already is seen before use; what remains is the time on the
wire, and staying below the usual shortest idle limit (5 s: Apache, Node) keeps clear of it.
"""


_BEFORE_SENDING: ContextVar[Callable[[], None] | None] = ContextVar("before", default=None)


@contextmanager
def before_sending(step: Callable[[], None] | None) -> Iterator[None]:
    """Have a step done when a request of this thread is about to be sent, after connecting.

    Connecting may take long, or fail; what is measured or decided here is about the request.
    What the step raises is raised, and nothing is sent.
    """
    token = _BEFORE_SENDING.set(step)
    try:
        yield
    finally:
        _BEFORE_SENDING.reset(token)


class _Deadlined(io.RawIOBase):
    """A socket's bytes, all of which must come before the socket's timeout has passed once."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock
        self._until = time.monotonic() + (sock.gettimeout() or 0.0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer took too long as a whole")
        self._sock.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class Answer(http.client.HTTPResponse):
    """An answer that must be whole within the read timeout; a trickle does not prolong it."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Deadlined(self.fp.detach(), sock))


class _Connection(HTTPConnection):
    response_class = Answer
    max_idle: ClassVar[float] = MAX_IDLE
    _answered = 0.0

    def connect(self) -> None:
        try:
            return super().connect()
        # ValueError: a host name that cannot be encoded. HTTPException: a proxy's nonsense.
        except (HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            why = _reason(error)
        raise NeverReached(f"{NeverReached.__doc__} ({self.host}: {why})", detail=why)

    def request(self, *args: Any, **kwargs: Any) -> None:
        if self.sock is None:
            self.connect()
        if step := _BEFORE_SENDING.get():
            step()
        super().request(*args, **kwargs)

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3's own is
        response = super().getresponse()
        self._answered = time.monotonic()
        return response

    @property
    def is_connected(self) -> bool:
        """Asked by the pool before it hands out a kept connection."""
        return time.monotonic() - self._answered < self.max_idle and super().is_connected


class _TLSConnection(_Connection, HTTPSConnection):
    pass


def _reason(error: BaseException) -> str:
    """Return the innermost words: `[Errno 111] Connection refused`; of TLS, what is wrong."""
    said = str(error.__cause__ or error)[:200]
    return tls_fault(said) or said


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


_POOLS = {"http": _Pool, "https": _TLSPool}


class Adapter(HTTPAdapter):
    """Keeps up to `pool_size` connections and one TLS context; repeats nothing by itself.

    What the provider's machine has not got within `patience` (seconds) is never delivered.
    """

    def __init__(self, pool_size: int, context: ssl.SSLContext | None, patience: float) -> None:
        self._context, self._options = context, _giving_up_after(patience)
        super().__init__(pool_connections=1, pool_maxsize=pool_size, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {"ssl_context": self._context, "socket_options": self._options}
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> ProxyManager:
        context = self._context
        manager: ProxyManager = super().proxy_manager_for(
            proxy,
            ssl_context=context,
            proxy_ssl_context=context,
            socket_options=self._options,
            **kwargs,
        )
        manager.pool_classes_by_scheme = _POOLS
        return manager


def _giving_up_after(seconds: float) -> list[tuple[int, int, int]]:
    """Return the options of a socket whose data is dropped where the other side does not get it.

    Linux goes on sending for a process that has closed the connection, or was killed: a minute or
    two after the network is back, a request would call somebody who was called again meanwhile.
    """
    options = list(HTTPConnection.default_socket_options)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # no other system has it
        options.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(seconds * 1000)))
    return options


def tls_context(bundle: str | bool) -> ssl.SSLContext:
    """Return a verifying context for a file or directory of certificates, True for the usual ones.

    Made once: reading the bundle takes longer than a whole request. Raises OSError.
    """
    path = Path(bundle if isinstance(bundle, str) else DEFAULT_CA_BUNDLE_PATH)
    if path.is_dir():
        return ssl.create_default_context(capath=str(path))
    return ssl.create_default_context(cafile=str(path))
