"""Finds what a test altered in this process and left so: the next tests here would meet it."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_OF_PYTEST = "PYTEST_"  # how names of the environment begin that pytest sets itself
OURS = ("dispatcher", "workers", "config")
_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1)


@contextmanager
def nothing_altered() -> Iterator[None]:
    """Fail where the process is not at the end as it was at the start."""
    before = _state()
    yield
    after = _state()
    altered = {
        name: (before.get(name), after.get(name))
        for name in before | after
        if before.get(name) != after.get(name)
    }
    assert altered == {}, "left so: each as it was before, and as it is now"


def _state() -> dict[str, Any]:
    return {
        "folder": os.getcwd(),  # noqa: PTH109 - a Path of it would be made ten thousand times
        **{f"${name}": os.environ[name] for name in os.environ if not name.startswith(_OF_PYTEST)},
        "level of logs": (logging.root.level, logging.root.manager.disable),
        "loggers": _loggers(),
        "signals": [signal.getsignal(each) for each in _SIGNALS],
        "timeout of sockets": socket.getdefaulttimeout(),
        "turn of threads": sys.getswitchinterval(),
        "time zone": time.tzname,
    }


def _loggers() -> dict[str, tuple[bool, bool, int]]:
    """Those of ours that do not tell all that the root wants: off, for themselves, or a level."""
    ours = [
        (name, each)
        for name, each in logging.root.manager.loggerDict.items()
        if name.partition(".")[0] in OURS and isinstance(each, logging.Logger)
    ]
    said = {name: (each.disabled, each.propagate, each.level) for name, each in ours}
    return {name: how for name, how in said.items() if how != (False, True, logging.NOTSET)}
