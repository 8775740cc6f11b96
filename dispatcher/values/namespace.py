"""The namespace: what stands before the names of an account's keys in Redis."""

from __future__ import annotations

import re

DEFAULT_NAMESPACE = "vd"


def namespace_of(text: str) -> str:
    """Return what may stand before the names of an account's keys. Raises ValueError."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", text):
        raise ValueError("write 1 to 32 ASCII letters, digits, _ or -")
    return text
