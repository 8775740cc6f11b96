"""Xoxzo's own settings."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlsplit

from dispatcher.provider.errors import Misconfigured
from dispatcher.provider.xoxzo.rules import OWN_FIELDS
from dispatcher.values.params import parse_params

SID, TOKEN = "XOXZO_API_SID", "XOXZO_API_AUTH_TOKEN"
HOST_VARIABLE, PARAMS = "XOXZO_API_HOST", "DISPATCHER_XOXZO_PARAMS"
CREDENTIALS: Final = (SID, TOKEN)
VARIABLES: Final = (*CREDENTIALS, HOST_VARIABLE, PARAMS)
HOST: Final = "https://api.xoxzo.com"


@dataclass(frozen=True, slots=True)
class XoxzoSettings:
    """The API user's SID and token, the base URL, and form fields that every call is sent with."""

    sid: str = ""
    token: str = field(default="", repr=False)
    host: str = HOST
    params: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Read the variables; empty ones count as not set. Raises Misconfigured."""
        given = {name: environment.get(name, "") for name in VARIABLES}
        return cls(
            given[SID], given[TOKEN], _host(given[HOST_VARIABLE] or HOST), _params(given[PARAMS])
        )


def _host(text: str) -> str:
    with suppress(ValueError):
        parts = urlsplit(text)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return text
    shown = "" if "@" in text else f"={text!r}"  # it may hold a password
    raise Misconfigured(f"{HOST_VARIABLE}{shown}: write a URL such as {HOST}")


def _params(text: str) -> Mapping[str, str]:
    try:
        return parse_params(text, OWN_FIELDS)
    except ValueError as error:
        raise Misconfigured(f"{PARAMS}: {error}") from None
