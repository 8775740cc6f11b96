"""Xoxzo's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlsplit

from dispatcher.provider.errors import Misconfigured
from dispatcher.provider.xoxzo.rules import OWN_FIELDS
from dispatcher.values.hosts import is_loopback
from dispatcher.values.params import parse_params

SID, TOKEN = "XOXZO_API_SID", "XOXZO_API_AUTH_TOKEN"
HOST_VARIABLE, PARAMS = "XOXZO_API_HOST", "DISPATCHER_XOXZO_PARAMS"
CREDENTIALS: Final = (SID, TOKEN)
VARIABLES: Final = (*CREDENTIALS, HOST_VARIABLE, PARAMS)
HOST: Final = "https://api.xoxzo.com"
SANDBOX: Final = "sandbox"
"""The SID of a sandbox, which keeps no secret and rings nobody."""


@dataclass(frozen=True, slots=True)
class XoxzoSettings:
    """The API user's SID and token, the base URL, and form fields that every call is sent with."""

    sid: str = ""
    token: str = field(default="", repr=False)
    host: str = HOST
    params: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def is_real(self) -> bool:
        """Whether calls cost money and ring somewhere: a SID is given, and not a sandbox's."""
        return self.sid not in {"", SANDBOX}

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Read the variables; empty ones count as not set. Raises Misconfigured."""
        given = {name: environment.get(name, "") for name in VARIABLES}
        host = _host(given[HOST_VARIABLE] or HOST)
        if given[SID] != SANDBOX:
            _require_private(host)
        return cls(given[SID], given[TOKEN], host, _params(given[PARAMS]))


def _host(text: str) -> str:
    with suppress(ValueError):
        parts = urlsplit(text)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return text
    raise Misconfigured(f"{HOST_VARIABLE}{_shown(text)}: write a URL such as {HOST}")


def _shown(text: str) -> str:
    return "" if "@" in text else f"={text!r}"  # it may hold a password


def _require_private(host: str) -> None:
    """Raise Misconfigured where anybody on the way could read the token, and who is called."""
    parts = urlsplit(host)
    if parts.scheme == "http" and not is_loopback(str(parts.hostname)):
        raise Misconfigured(
            f"{HOST_VARIABLE}{_shown(host)}: the token and all numbers would be readable on the"
            f" way. Write https:// (a sandbox on another machine needs {SID}={SANDBOX})"
        )


def _params(text: str) -> Mapping[str, str]:
    try:
        return parse_params(text, OWN_FIELDS)
    except ValueError as error:
        raise Misconfigured(f"{PARAMS}: {error}") from None
