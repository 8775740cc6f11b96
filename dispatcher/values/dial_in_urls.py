"""The URL that the provider asks when somebody calls: its path is a secret, made of the keys.

The provider signs nothing: that it asks shows by the URL alone, which only the provider was told.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence

PREFIX = "/dial-in"
_MAC = 24  # bytes: it never expires, unlike a callback's
_PURPOSE = b"voice-dispatcher dial-in"  # the keys sign other things too


def dial_in_path(keys: Sequence[str]) -> str:
    """Return the path, which is made of the first key."""
    return f"{PREFIX}/{_secret(keys[0])}"


def is_genuine(secret: str, keys: Sequence[str]) -> bool:
    """Whether a secret is made of any of the keys: so they are rotated."""
    given = secret.encode("utf-8", "replace")
    # Every key is tried, and each compared to its end: the time tells nothing.
    matches = [hmac.compare_digest(_secret(key).encode(), given) for key in keys]
    return any(matches)


def _secret(key: str) -> str:
    digest = hmac.new(key.encode(), _PURPOSE, hashlib.sha256).digest()[:_MAC]
    return base64.urlsafe_b64encode(digest).decode()
