"""Waiting for what happens elsewhere: in another thread or another process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

WITHIN = 180.0
"""Seconds: it costs nothing where all is well, and a busy machine may need them."""
LOOK_EVERY = 0.02  # seconds
LOOK_AT_LEAST_EVERY = 0.2  # seconds
LATE = 0.05
"""The share of the time waited by which it may be noticed late."""
T = TypeVar("T")


def eventually(
    look: Callable[[], T],
    what: str = "it came about",
    within: float = WITHIN,
    more: Callable[[], str] = lambda: "",
) -> T:
    """Return the first truthy answer of `look`, or fail with what was waited for."""
    began = time.monotonic()
    while True:
        looked = time.monotonic()
        if found := look():
            return found
        now = time.monotonic()
        assert now < began + within, f"not within {within:g} s: {what}\n{more()}"
        time.sleep(_pause(now - began, now - looked))


def _pause(waited: float, look: float) -> float:
    """Return how long to wait for the next look, all in seconds.

    What takes long is looked at less often: looks would else take a good part of the processor
    from those that are waited for.
    """
    return min(max(LOOK_EVERY, waited * LATE, look * 3), LOOK_AT_LEAST_EVERY)
