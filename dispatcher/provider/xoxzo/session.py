"""What all requests share, worked out once, and every mistake in it told at the start.

`requests` reads what the environment says of proxies and certificates, and knows how a connection
is made. A request then goes over such a connection as bytes: the layers between are for cookies,
redirects and hooks, none of which there are here, and they cost more than all else that a worker
does for a job.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import urlsplit

import requests
from requests.utils import select_proxy
from urllib3.exceptions import HTTPError

from dispatcher.provider.errors import Misconfigured
from dispatcher.provider.http_answer import Answered
from dispatcher.provider.kept import Kept
from dispatcher.provider.transport import Adapter, Opening, tls_context

MAX_BODY: Final = 1 << 20
"""Bytes read of an answer; documented ones have some hundreds."""
_FORM: Final = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "


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
    """The way to one host. `base` stands before a request's path, `headers` are the same for all
    requests; `wait` is in seconds, for the whole answer.
    """

    kept: Kept
    base: str
    headers: str = field(repr=False)
    wait: float

    def send(self, method: str, path: str, form: bytes | None = None) -> Answered:
        """Send a request, once, and return its answer.

        Raises HTTPException, HTTPError or OSError where no answer came, Closed, and NeverReached
        (see `transport`).
        """
        request = self._request(method, path, form)
        connection = self.kept.take()
        answered = None
        try:
            answered = connection.ask(request, self.wait, MAX_BODY)
        finally:
            if answered is None or not answered.keeps:
                connection.close()
        if answered.keeps:
            self.kept.give_back(connection)
        return answered

    def _request(self, method: str, path: str, form: bytes | None) -> bytes:
        head = f"{method} {self.base}{path} HTTP/1.1\r\n{self.headers}"
        if form is None:
            return f"{head}\r\n".encode("latin-1")
        return b"%b%b%d\r\n\r\n%b" % (head.encode("latin-1"), _FORM, len(form), form)

    def close(self) -> None:
        """Close the kept connections."""
        self.kept.close()


def route(
    host: str, credentials: Credentials, timeout: tuple[float, float], pool_size: int
) -> Route:
    """Return the way to the provider's host. Raises Misconfigured."""
    prepared = _base(host)
    url = str(prepared.url)
    settings: Any = requests.Session().merge_environment_settings(url, {}, None, None, None)
    proxies = dict(settings["proxies"])
    connect, read = timeout
    adapter = _adapter(url, settings["verify"], read)
    opening = _opening(adapter, prepared, proxies)
    base = adapter.request_url(prepared, proxies).rstrip("/")
    headers = {"Host": _name(url), **_headers(credentials), **opening.forwarding_headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return Route(Kept(opening, connect, pool_size), base, lines, read)


def _headers(credentials: Credentials) -> Mapping[str, str]:
    return {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Authorization": credentials.header,
        "User-Agent": "voice-dispatcher",
    }


def _name(url: str) -> str:
    """Return a host's name as its requests name it: with the port, where it is not the usual."""
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}[parts.scheme]
    return parts.netloc.removesuffix(f":{usual}") if parts.port == usual else parts.netloc


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


def _adapter(url: str, bundle: str | bool, patience: float) -> Adapter:
    try:
        context = tls_context(bundle) if url.startswith("https") else None
        return Adapter(context, patience)
    except OSError as error:
        raise Misconfigured(
            f"the certificates in {bundle} cannot be read ({error.strerror or error}):"
            " correct REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE"
        ) from None


def _opening(
    adapter: Adapter, prepared: requests.PreparedRequest, proxies: dict[str, str]
) -> Opening:
    """Return how connections are made; over a SOCKS proxy none could tell what was sent."""
    if not (select_proxy(str(prepared.url), proxies) or "").startswith("socks"):
        try:
            pool: Any = adapter.get_connection_with_tls_context(prepared, True, proxies=proxies)
        except (requests.RequestException, HTTPError, ValueError):
            pass
        else:
            return cast("Opening", pool)
    # Raised out here, and without the value, for it may hold a password.
    raise Misconfigured(
        "the proxy in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY cannot be used:"
        " write e.g. http://proxy.example:3128"
    )
