"""A secret for each receiver of webhooks: what one verifies is worth nothing at another."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from dispatcher.values.webhook_url import origin

_PORTS = {"http": 80, "https": 443}


def secret_from_key(key: str) -> str:
    """Return the secret of the dispatcher that follows from a key of its own.

    What one key signs for one purpose is worth nothing for another.
    """
    return _made(key, "voice-dispatcher webhooks")


@dataclass(frozen=True, slots=True)
class WebhookSecrets:
    """Makes the secrets of receivers, in the form of Standard Webhooks.

    `own` are the dispatcher's (`whsec_…`), of which each receiver's are made: the first is the
    newest. `old` also sign, as they are, for the receivers of the account, from when all had one.
    """

    own: Sequence[str] = field(repr=False)
    old: Sequence[str] = field(default=(), repr=False)

    def of_account(self, url: str) -> tuple[str, ...]:
        """Return the secrets of a receiver that the settings name, by its whole URL."""
        return tuple(
            _made(secret, f"voice-dispatcher webhooks account {url}") for secret in self.own
        )

    def of_job(self, url: str) -> tuple[str, ...]:
        """Return the secrets of receivers that jobs name, by scheme, host and port of their URL."""
        place = f"voice-dispatcher webhooks job {_place(url)}"
        return tuple(_made(secret, place) for secret in self.own)


def _place(url: str) -> str:
    """Return scheme, host and port, written in one way."""
    parts = urlsplit(url)
    if parts.port == _PORTS.get(parts.scheme):
        return f"{parts.scheme}://{parts.netloc.rpartition(':')[0]}".lower()
    return origin(url).rstrip(":")


def _made(secret: str, purpose: str) -> str:
    raw = hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).digest()
    return f"whsec_{base64.b64encode(raw).decode()}"
