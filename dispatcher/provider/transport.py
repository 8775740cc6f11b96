"""The wire: connections that know whether the provider was reached.

`requests` alone cannot tell the two ends of a request apart: a failed TLS handshake and a TLS
connection that breaks after the request went out are the same SSLError. Here everything that
fails inside `connect()` (DNS, refusal, proxy, TLS, timeout) is NeverReached by construction, and
whatever fails later may have been read by the provider.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, ClassVar, Final, cast

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from dispatcher.provider.errors import NeverReached
from dispatcher.provider.http_answer import Answered, read_answer
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


class Connection(HTTPConnection):
    """A connection to the provider, or to a proxy before it, over which requests go as bytes."""

    max_idle: ClassVar[float] = MAX_IDLE
    _answered = 0.0

    def connect(self) -> None:
        try:
            return super().connect()
        # ValueError: a host name that cannot be encoded. HTTPException: a proxy's nonsense.
        except (HTTPError, http.client.HTTPException, OSError, ValueError) as error:
            why = _reason(error)
        raise NeverReached(f"{NeverReached.__doc__} ({self.host}: {why})", detail=why)

    def ask(self, request: bytes, wait: float, most: int) -> Answered:
        """Send a request, and return its answer, of its body at most `most` bytes.

        `wait` is in seconds, for the answer as a whole. Raises HTTPException, HTTPError, OSError,
        after which the connection is of no use; and what is raised by the step before sending.
        """
        if step := _BEFORE_SENDING.get():
            step()
        self.sock.settimeout(self.timeout)
        # Who refuses a request may answer before the whole of it is there, and close.
        with suppress(BrokenPipeError, ConnectionResetError):
            self.sock.sendall(request)
        answered = read_answer(self.sock, wait, most)
        self._answered = time.monotonic()
        return answered

    @property
    def is_connected(self) -> bool:
        """Whether it was used a moment ago, and the other side has neither closed it nor spoken."""
        return time.monotonic() - self._answered < self.max_idle and super().is_connected


class _TLSConnection(Connection, HTTPSConnection):
    pass


def _reason(error: BaseException) -> str:
    """Return the innermost words: `[Errno 111] Connection refused`; of TLS, what is wrong."""
    said = str(error.__cause__ or error)[:200]
    return tls_fault(said) or said


class Opening(HTTPConnectionPool):
    """Knows how a connection to one host is made; those that are made are kept elsewhere."""

    ConnectionCls = Connection

    def open(self, patience: float) -> Connection:
        """Return a new connection; `patience` (seconds) is for connecting to each address, and for
        sending over it. Raises NeverReached.
        """
        connection = cast("Connection", self._new_conn())
        connection.timeout = patience
        try:
            if self.proxy is not None:
                self._prepare_proxy(connection)  # connects where it needs a tunnel
            if connection.sock is None:
                connection.connect()
        except NeverReached:
            connection.close()  # where TLS failed, there is a socket
            raise
        return connection

    @property
    def forwarding_headers(self) -> dict[str, str]:
        """What a proxy wants to be told with each request that it sends on; none by a tunnel."""
        return dict(self.proxy_headers) if self.proxy and self.scheme == "http" else {}


class _TLSOpening(Opening, HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


_POOLS = {"http": Opening, "https": _TLSOpening}


class Adapter(HTTPAdapter):
    """Has one TLS context for all connections.

    What the provider's machine has not got within `patience` (seconds) is never delivered.
    """

    def __init__(self, context: ssl.SSLContext | None, patience: float) -> None:
        self._context, self._options = context, _giving_up_after(patience)
        super().__init__(pool_connections=1, pool_maxsize=1)

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
