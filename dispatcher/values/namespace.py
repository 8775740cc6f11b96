"""The namespace: what stands before the names of an account's keys in Redis and in the broker."""

from __future__ import annotations

import re

from dispatcher.errors import UsageError

DEFAULT_NAMESPACE = "vd"


class InvalidNamespace(UsageError, ValueError):
    """A namespace has other characters inside than it may have, or too many of them."""


def namespace_of(text: str) -> str:
    """Return what may stand before the names of an account's keys. Raises InvalidNamespace."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", text):
        raise InvalidNamespace("write 1 to 32 ASCII letters, digits, _ or -")
    return text
