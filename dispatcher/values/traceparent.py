"""The W3C's `traceparent`: which trace something belongs to, and below which of its spans.

Source: https://www.w3.org/TR/trace-context/#traceparent-header
"""

from __future__ import annotations

import re
from contextlib import suppress

HEADER = "traceparent"
_FORM = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace>(?!0{32})[0-9a-f]{32})"
    r"-(?P<span>(?!0{16})[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<rest>-.*)?"
)
_KNOWN_FLAGS = 0b11  # sampled, random


def traceparent(text: str) -> str:
    """Return it in version 00, which is what we know; of a later one, the part that is known.

    Raises ValueError.
    """
    found = _FORM.fullmatch(text)
    if found is None or (found["version"] == "00" and found["rest"]):
        raise ValueError(
            f"{text[:60]!r} is no traceparent of the W3C: give 00-<32 hex digits>-<16 hex"
            " digits>-<2 hex digits>, or leave it out"
        )
    return written(found["trace"], found["span"], int(found["flags"], 16))


def traceparent_or_none(text: str | None) -> str | None:
    """Return it, None for what is none: whoever sends a wrong one still is to be served."""
    with suppress(ValueError):
        return traceparent(text) if text else None
    return None


def trace_id(text: str | None) -> str:
    """Return the id of the trace, by which tools find it; '' where there is none."""
    found = _FORM.fullmatch(text) if text else None
    return found["trace"] if found else ""


def written(trace: str, span: str, flags: int) -> str:
    """Return the text for ids in hex digits."""
    return f"00-{trace}-{span}-{flags & _KNOWN_FLAGS:02x}"
