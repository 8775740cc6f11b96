"""One POST to a receiver, or one GET of a recording: no redirect, no proxy, no kept connection,
and an end to all waiting.
"""

from __future__ import annotations

import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPException
from socket import gaierror, socket
from typing import cast

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout, Url, parse_url

from dispatcher.provider.http_answer import Answer
from dispatcher.provider.transport import tls_context
from dispatcher.values.tls_faults import tls_fault
from workers.webhooks.addresses import Addresses, ForbiddenTarget
from workers.webhooks.retry_after import retry_after


@dataclass(frozen=True, slots=True)
class Reply:
    """What a receiver answered: a status, or else what went wrong; and after how many seconds."""

    status: int | None
    error: str
    seconds: float
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a GET brought: the `error` in words, or where it leads on to, or a body."""

    error: str = ""
    location: str = ""
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Wire:
    """Sends to addresses that are permitted.

    `connect_timeout` and `timeout` are in seconds; the second is for the answer as a whole, which
    is read no further than its headers.
    """

    addresses: Addresses
    connect_timeout: float = 5.0
    timeout: float = 10.0

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """Send a body and return what came of it. Raises nothing for anything a receiver does."""
        began = time.monotonic()
        try:
            status, wait = self._post(parse_url(url), body, headers)
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            return Reply(None, _words(error), time.monotonic() - began)
        wrong = "" if 200 <= status < 300 else _refusal(status)  # noqa: PLR2004
        return Reply(status, wrong, time.monotonic() - began, wait)

    def get(self, url: str, most: int) -> Fetched:
        """Fetch what is there, and no more than one byte beyond `most`. Raises nothing for anything
        a server does.
        """
        parsed = parse_url(url)
        try:
            with self._pool(parsed) as pool:
                answer = pool.urlopen(
                    "GET",
                    parsed.request_uri,
                    headers={"Connection": "close", "Accept-Encoding": "identity"},
                    redirect=False,
                    retries=False,
                    preload_content=False,
                    enforce_content_length=False,  # that is told in words of our own
                )
                try:
                    return _fetched(answer, most)
                finally:
                    answer.close()
        except (HTTPError, HTTPException, OSError, ValueError) as error:
            return Fetched(_words(error))

    def _post(self, url: Url, body: bytes, headers: Mapping[str, str]) -> tuple[int, float | None]:
        with self._pool(url) as pool:
            answer = pool.urlopen(
                "POST",
                url.request_uri,
                body=body,
                headers={**headers, "Connection": "close"},
                redirect=False,
                retries=False,
                preload_content=False,
            )
            try:
                return answer.status, retry_after(answer.headers, time.time())
            finally:
                answer.close()

    def _pool(self, url: Url) -> HTTPConnectionPool:
        timeout = Timeout(connect=self.connect_timeout, read=self.timeout)
        plain, secure = self._kinds
        if url.scheme == "https":
            pool: HTTPConnectionPool = HTTPSConnectionPool(
                url.host or "", url.port, timeout=timeout, ssl_context=self._tls
            )
            pool.ConnectionCls = secure
        else:
            pool = HTTPConnectionPool(url.host or "", url.port, timeout=timeout)
            pool.ConnectionCls = plain
        return pool

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        named = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
        return tls_context(named or True)

    @cached_property
    def _kinds(self) -> tuple[type[HTTPConnection], type[HTTPSConnection]]:
        """Connections that go to permitted addresses only, and whose answers come in time."""
        addresses, patience = self.addresses, self.connect_timeout

        class Plain(HTTPConnection):
            response_class = Answer

            def _new_conn(self) -> socket:
                return addresses.connect(self._dns_host.strip("[]"), self.port, patience)

        class Secure(Plain, HTTPSConnection):
            pass

        return Plain, cast("type[HTTPSConnection]", Secure)


def _fetched(answer: BaseHTTPResponse, most: int) -> Fetched:
    location = answer.headers.get("Location", "")
    if 300 <= answer.status < 400 and location:  # noqa: PLR2004 - redirections
        return Fetched(location=location)
    if answer.status != 200:  # noqa: PLR2004 - OK
        return Fetched(f"it answered {answer.status}")
    body = answer.read(most + 1)
    expected = answer.headers.get("Content-Length", "")
    if len(body) <= most and expected.isdecimal() and len(body) < int(expected):
        return Fetched(f"it was cut off after {len(body):,} of {int(expected):,} bytes")
    return Fetched(content_type=answer.headers.get("Content-Type", ""), body=body)


def _refusal(status: int) -> str:
    if 300 <= status < 400:  # noqa: PLR2004 - redirections
        return f"it answered {status}: redirects are not followed, change the URL"
    return f"it answered {status}"


def _innermost(error: BaseException) -> BaseException:
    """Return what urllib3 has wrapped, sometimes as a cause and sometimes as an argument."""
    wrapped = [each for each in error.args if isinstance(each, BaseException)]
    inner = error.__cause__ or (wrapped[-1] if wrapped else None)
    return error if inner is None else _innermost(inner)


def _words(error: Exception) -> str:
    """Return what went wrong without what the receiver wrote."""
    cause = _innermost(error)
    if isinstance(cause, ForbiddenTarget):
        return str(cause)
    if isinstance(cause, gaierror):
        return "its name does not resolve"
    if isinstance(cause, TimeoutError) or "Timeout" in type(error).__name__:
        return "it did not answer in time"
    if isinstance(cause, ssl.SSLError):
        return f"TLS failed: {tls_fault(cause) or cause.reason or type(cause).__name__}"
    if isinstance(cause, OSError) and cause.strerror:
        return f"it cannot be reached ({cause.strerror})"
    return f"no answer could be read ({type(cause).__name__})"
