"""What can be prepared once for all requests, and every mistake in it told at the start."""

from __future__ import annotations

import base64
import math
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.utils import select_proxy
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
                    f"the API {name} is empty, or has a blank, a line end or another character in"
                    " it that none has: copy it from the provider's dashboard again"
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


def template(host: str, credentials: Credentials) -> requests.PreparedRequest:
    """Return what all requests have in common: base URL and headers. Raises Misconfigured."""
    prepared = requests.PreparedRequest()
    problem = _host_problem(host)
    try:
        prepared.prepare_url(host, None)
    except (requests.RequestException, ValueError):
        problem = problem or f"{host!r} is not a URL"
    if problem:
        raise Misconfigured(f"the provider's host: {problem}; write e.g. https://api.xoxzo.com")
    prepared.prepare_headers(
        {
            "Authorization": credentials.header,
            "Accept": "application/json",
            "User-Agent": "voice-dispatcher",
        }
    )
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


class _Session(requests.Session):
    """Neither follows a redirect nor looks at where it leads: no answer here has one."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 # as inherited
        return None


def session_for(
    prepared: requests.PreparedRequest, pool_size: int
) -> tuple[requests.Session, dict[str, str]]:
    """Return a session that asks the environment no more, and the proxies it has found there.

    Raises Misconfigured for proxies and certificates that cannot be used.
    """
    session = _Session()
    url = str(prepared.url)
    settings: Any = session.merge_environment_settings(url, {}, None, None, None)
    session.trust_env = False
    adapter = _adapter(url, settings["verify"], pool_size)
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    proxies = dict(settings["proxies"])
    _check_proxy(adapter, prepared, proxies)
    return session, proxies


def _adapter(url: str, bundle: str | bool, pool_size: int) -> Adapter:
    try:
        return Adapter(pool_size, tls_context(bundle) if url.startswith("https") else None)
    except OSError as error:
        raise Misconfigured(
            f"the certificates in {bundle} cannot be read ({error.strerror or error}):"
            " correct REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE"
        ) from None


def _check_proxy(
    adapter: Adapter, prepared: requests.PreparedRequest, proxies: dict[str, str]
) -> None:
    """Have the pool made that all requests use; a SOCKS proxy's could not tell what was sent."""
    usable = not (select_proxy(str(prepared.url), proxies) or "").startswith("socks")
    try:
        adapter.get_connection_with_tls_context(prepared, True, proxies=proxies)
    except (requests.RequestException, HTTPError, ValueError):
        usable = False
    if not usable:  # the value is not shown, for it may hold a password
        raise Misconfigured(
            "the proxy in HTTPS_PROXY, HTTP_PROXY or ALL_PROXY cannot be used:"
            " write e.g. http://proxy.example:3128"
        )
