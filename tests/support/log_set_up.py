"""Logging as a test may set it up, and as it was afterwards."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def put_back(name: str = "") -> Iterator[None]:
    """Have a logger, the root unless named, as it was: its handlers, level, and whom it tells."""
    log = logging.getLogger(name)
    handlers, propagate, level = log.handlers[:], log.propagate, log.level
    yield
    for handler in log.handlers:
        if handler not in handlers:
            handler.close()
    log.handlers[:], log.propagate = handlers, propagate
    log.setLevel(level)  # as an attribute, it would leave what loggers keep of what they may tell
