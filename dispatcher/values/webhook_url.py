"""Where a webhook may be sent to, as far as its URL tells."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from dispatcher.errors import DispatcherError

LONGEST = 2048  # what servers and proxies commonly take
_SHOWN = 300  # characters of a wrong one
_WEB_PORTS = frozenset({80, 443})
_FIRST_FREE_PORT = 1024
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+", re.ASCII)


class InvalidWebhookURL(DispatcherError, ValueError):
    """No webhook can be sent there; the message says why, and does not show what may be secret."""


def webhook_url(text: str) -> str:
    """Return `text` if a webhook may be sent there: http or https, no password, a web port.

    Whether the address behind the name may be reached is seen when it is connected to.
    Raises InvalidWebhookURL.
    """
    flaw = _writing_flaw(text) or _place_flaw(text)
    if flaw:
        raise InvalidWebhookURL(f"{origin(text)!r} cannot be a webhook URL: {flaw}")
    return text


def origin(url: str) -> str:
    """Return scheme, host and port: what may be shown of a URL whose path may be a secret."""
    scheme, separator, rest = url[:LONGEST].partition("://")
    place = re.split(r"[/?#\\]", rest, maxsplit=1)[0].rpartition("@")[2]
    return f"{scheme}{separator}{place}".lower()[:_SHOWN]


def _writing_flaw(text: str) -> str:
    if len(text) > LONGEST:
        return f"it has {len(text)} characters; {LONGEST} at most"
    if not re.fullmatch(r"[!-~]+", text) or "\\" in text:
        return "write it in ASCII, without spaces and backslashes (escape them with %)"
    if "#" in text:
        return "a fragment (#) is never sent; leave it out"
    return ""


def _place_flaw(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        return f"it is not a URL ({error})"
    if parts.scheme not in {"http", "https"}:
        return "it must begin with https:// or http://"
    if "@" in parts.netloc:
        return "it has a name or password in it (not shown); check the signature instead"
    if not _HOST.fullmatch(parts.hostname or ""):
        return "its host is missing or has characters that are not allowed"
    if port is not None and port not in _WEB_PORTS and port < _FIRST_FREE_PORT:
        return f"port {port} is not allowed: use 80, 443, or one from {_FIRST_FREE_PORT} on"
    return ""
