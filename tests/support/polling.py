"""Waiting for what happens elsewhere: in another thread or another process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

WITHIN = 60.0
"""Seconds: it costs nothing where all is well, and a busy machine may need them."""
T = TypeVar("T")


def eventually(
    look: Callable[[], T],
    what: str = "it came about",
    within: float = WITHIN,
    more: Callable[[], str] = lambda: "",
) -> T:
    """Return the first truthy answer of `look`, or fail with what was waited for."""
    deadline = time.monotonic() + within
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {within:g} s: {what}\n{more()}"
        time.sleep(0.02)
    return found
