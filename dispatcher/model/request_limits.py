"""How long, how far ahead and how many what is asked for may be, and what is meant unless told."""

from __future__ import annotations

from datetime import timedelta

DEFAULT_LANGUAGE = "en"
"""Of a text, where neither its request nor the settings name one."""
LONGEST_TEXT = 4000  # about five minutes of speech; longer is a mistake in a template
LONGEST_KEY = 255
MOST_ATTEMPTS = 50
MOST_FIELDS = 200
"""Of a request; more are read by nobody, and each would be a problem of its own."""
ANY_TIME = "any"
"""Calling hours that are always open, whatever the account's are."""
CODE_LIFETIME = timedelta(minutes=10)
"""How long after it is due a code may be called out, where its producer says nothing."""
FURTHEST = timedelta(days=366)
"""How far ahead a job may be asked for; longer waits belong in the producer's calendar."""


def idempotency_key(value: str) -> str:
    """Return a key, or raise ValueError that says what is wrong."""
    if not value.strip() or len(value) > LONGEST_KEY or not value.isprintable():
        raise ValueError(f"a key has 1 to {LONGEST_KEY} printable characters")
    return value
