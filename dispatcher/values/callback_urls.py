"""Callback URLs: each names a job and its attempt, and proves by a MAC that it came from us.

The provider signs nothing: that a callback is genuine shows by its URL alone, which only the
provider was told. Knowing one lets nobody make another.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from dispatcher.errors import DispatcherError

PREFIX = "/callbacks"
SLACK = 86400.0
"""Seconds beyond all deadlines: for late callbacks, and clocks that are apart."""

TEST = "test"
"""What stands for the job in a URL that tests the way; no job has so short an id."""
TEST_LIFETIME = 600.0  # seconds

_MAC = 16  # bytes: 128 bits are out of reach for guessing, and the URL stays short
_PURPOSE = "voice-dispatcher callback"  # the keys sign other things too


class InvalidCallback(DispatcherError):
    """The callback's address is not one of ours, or not any more."""


class Forged(InvalidCallback):
    """No key of ours signed it."""


class Expired(InvalidCallback):
    """It was ours, and its time is over."""


@dataclass(frozen=True)
class Signer:
    """Signs with the first of `keys` and takes what any of them signed: so they are rotated."""

    keys: Sequence[str] = field(repr=False)

    def path(self, job_id: str, attempt: int, expires: int) -> str:
        """Return the path for an attempt; `expires` is in seconds since the epoch."""
        mac = mac_of(self.keys[0], _PURPOSE, job_id, str(attempt), str(expires))
        return f"{PREFIX}/{job_id}/{attempt}/{expires}/{mac}"

    def verify(self, job_id: str, attempt: str, expires: str, mac: str, now: float) -> int:
        """Return the attempt's number. Takes the parts as they came. Raises Forged, Expired."""
        given = mac.encode("utf-8", "replace")
        # Every key is tried, and each compared to its end: the time tells nothing.
        matches = [
            hmac.compare_digest(mac_of(key, _PURPOSE, job_id, attempt, expires).encode(), given)
            for key in self.keys
        ]
        if not any(matches):
            raise Forged("this address was not signed with our keys")
        if now > int(expires):
            raise Expired("this address has expired")
        return int(attempt)


@dataclass(frozen=True)
class CallbackUrls:
    """The URLs that the provider is given. `base` is where it reaches the gateway.

    They hold for `lifetime` seconds from when the attempt was sent.
    """

    base: str
    signer: Signer
    lifetime: float

    def of(self, job_id: str, attempt: int, sent_at: datetime) -> str:
        """Return the URL for an attempt."""
        expires = int(sent_at.timestamp() + self.lifetime)
        return self.base + self.signer.path(job_id, attempt, expires)

    def test(self, now: float) -> str:
        """Return the URL with which a worker tests the way; `now` in seconds since the epoch."""
        return self.base + self.signer.path(TEST, 0, int(now + TEST_LIFETIME))


def mac_of(key: str, purpose: str, *parts: str) -> str:
    """Return what proves that a path's parts came from who has the key. They hold no slash."""
    # So no two lists of them make the same text.
    text = "/".join((purpose, *parts)).encode("utf-8", "replace")
    digest = hmac.new(key.encode(), text, hashlib.sha256).digest()[:_MAC]
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
