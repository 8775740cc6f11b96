"""Where mail is handed in: what a URL says of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

PORTS = {"smtp": 587, "smtps": 465}
_FORM = (
    "write smtp://user:password@host:587 or smtps://user:password@host:465; what is special in a"
    " URL is written with % (%40 for @)"
)


@dataclass(frozen=True, slots=True)
class SmtpPlace:
    """`secure`: TLS from the first byte; otherwise STARTTLS, without which only this very machine
    is spoken to.
    """

    host: str
    port: int
    secure: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def of_url(cls, url: str) -> SmtpPlace:
        """Read smtp://[user:password@]host[:587] or smtps://…[:465]. Raises ValueError, which says
        nothing of what stands there.
        """
        parts, port = _parts(url)
        if (parts.username is None) != (parts.password is None):
            raise ValueError("give a user and a password, or neither")
        user, password = (_plain(word) for word in (parts.username, parts.password))
        secure = parts.scheme == "smtps"
        return cls(parts.hostname or "", port or PORTS[parts.scheme], secure, user, password)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def _parts(url: str) -> tuple[SplitResult, int | None]:
    with suppress(ValueError):
        parts = urlsplit(url)
        port = parts.port
        rest = parts.path.strip("/") or parts.query or parts.fragment
        if parts.scheme in PORTS and parts.hostname and not rest and port != 0:
            return parts, port
    raise ValueError(_FORM)


def _plain(word: str | None) -> str | None:
    return None if word is None else unquote(word)
