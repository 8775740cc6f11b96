"""What all requests share, worked out once, and every mistake in it told at the start.

`requests` reads what the environment says of proxies and certificates, and makes the connections'
pool. A request then goes straight to that pool: the layers between are for cookies, redirects and
hooks, none of which there are here, and they cost as much as the claim of a job does.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from requests.utils import select_proxy
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, Timeout
from urllib3.exceptions import HTTPError

from dispatcher.provider.errors import Misconfigured
from dispatcher.provider.transport import Adapter, tls_context


@dataclass(frozen=True, slots=True)
class Credentials:
    """The API SID and its auth token. Raises Misconfigured where one cannot be right."""

    sid: str
    token: str = field(repr=False)

    def __post_init__(self) -> None:
        for name, value in (("SID", self.sid), ("auth token", self.token)):
            if not re.fullmatch(r"[!-~]+", value) or (name == "SID" and ":" in value):
                raise Misconfigured(
                    f"the API {name} is empty, or has a space, a line end or another wrong"
                    " character: copy it from the provider's dashboard again"
                )

    @property
    def header(self) -> str:
        """The value of the Authorization header."""
        return "Basic " + base64.b64encode(f"{self.sid}:{self.token}".encode()).decode()


def positive(**options: float) -> None:
    """Raise Misconfigured for the first option that is not a finite number above zero."""
    for name, value in options.items():
        if not (math.isfinite(value) and value > 0):
            raise Misconfigured(f"{name} is {value}: it must be a number above 0")


@dataclass(frozen=True, slots=True)
class Route:
    """The way to one host. `base` stands before a request's path; `timeout` is in seconds, to
    connect or send and for the whole answer.
    """

    pool: HTTPConnectionPool = field(repr=False)
    base: str
    headers: Mapping[str, str] = field(repr=False)
    timeout: Timeout

    def send(
        self, method: str, path: str, body: str | None = None, headers: Mapping[str, str] = {}
    ) -> BaseHTTPResponse:
        """Send a request, once, and return its answer with the body unread.

        Raises what urllib3 raises, and NeverReached (see `transport`).
        """
        return self.pool.urlopen(
            method,
            self.base + path,
            body=body,
            headers={**self.headers, **headers},
            retries=False,
            redirect=False,
            assert_same_host=False,
            timeout=self.timeout,
            preload_content=False,
            decode_content=False,
        )

    def close(self) -> None:
        """Close the kept connections."""
        self.pool.close()


def route(
    host: str, credentials: Credentials, timeout: tuple[float, float], pool_size: int
) -> Route:
    """Return the way to the provider's host. Raises Misconfigured."""
    prepared = _base(host)
    url = str(prepared.url)
    settings: Any = requests.Session().merge_environment_settings(url, {}, None, None, None)
    proxies = dict(settings["proxies"])
    connect, read = timeout
    adapter = _adapter(url, settings["verify"], pool_size, read)
    headers = {
        "Authorization": credentials.header,
        "Accept": "application/json",
        "User-Agent": "voice-dispatcher",
    }
    return Route(
        _pool(adapter, prepared, proxies),
        adapter.request_url(prepared, proxies).rstrip("/"),
        headers,
        Timeout(connect=connect, read=read),
    )


def _base(host: str) -> requests.PreparedRequest:
    prepared = requests.PreparedRequest()
    prepared.method = "GET"
    problem = _host_problem(host)
    try:
        prepared.prepare_url(host, None)
    except (requests.RequestException, ValueError):
        problem = problem or f"{host!r} is not a URL"
    if problem:
        raise Misconfigured(f"the provider's host: {problem}; write e.g. https://api.xoxzo.com")
    return prepared


def _host_problem(host: str) -> str:
    if "@" in host:
        return "it has an @ in it (not shown), but name and password belong in the credentials"
    try:
        parts = urlsplit(host)
        _ = parts.port
    except ValueError as error:
        return f"{host!r} is not a URL ({error})"
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return f"{host!r} does not begin with https:// and a name"
    return f"{host!r} has a query or a fragment" if parts.query or parts.fragment else ""


def _adapter(url: str, bundle: str | bool, pool_size: int, patience: float) -> Adapter:
    try:
        context = tls_context(bundle) if url.startswith("https") else None
        return Adapter(pool_size, context, patience)
    except OSError as error:
        raise Misconfigured(
            f"the certificates in {bundle} cannot be read ({error.strerror or error}):"
            " correct REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE"
        ) from None


def _pool(
    adapter: Adapter, prepared: requests.PreparedRequest, proxies: dict[str, str]
) -> HTTPConnectionPool:
    """Return the pool that all requests use; a SOCKS proxy's could not tell what was sent."""
    if not (select_proxy(str(prepared.url), proxies) or "").startswith("socks"):
        try:
            pool: Any = adapter.get_connection_with_tls_context(prepared, True, proxies=proxies)
        except (requests.RequestException, HTTPError, ValueError):
            pass
        else:
            return cast("HTTPConnectionPool", pool)
    # Raised out here, and without the value, for it may hold a password.
    raise Misconfigured(
        "the proxy in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY cannot be used:"
        " write e.g. http://proxy.example:3128"
    )
