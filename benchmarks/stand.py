"""What measurements run on: the real stack, with books kept by the provider's side."""

from __future__ import annotations

import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any

import requests

from workers.devstack.stack import Plan, Stack

FOR_MEASURING = {
    "DISPATCHER_LOG_LEVEL": "WARNING",
    "DISPATCHER_CHECK_FIRST": "1h",  # dials only, unless a measurement is about checks
    "DISPATCHER_RECIPIENT_GAP": "0",
}
TEXT = "Your appointment is tomorrow at ten. Press nothing, just be there. Thank you."
SPOKEN = f'"say": {TEXT!r}, "lang": "en"'
PLAYED = (
    '"play": f"http://media.example.com/reminders/2026/campaign-{n % 50}.mp3",'
    ' "tags": (f"campaign:{n % 50}",), "key": f"reminder-{n}"'
)
"""What is said, as the code of FILL: the second is the playback with a tag and a key."""
_FILL = """
import sys
from dispatcher import Dispatcher
url, start, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rows = (
    {"recipient": f"+8180{2300 + n // 9000:04d}{1000 + n % 9000:04d}", WHAT}
    for n in range(start, start + count)
)
made = Dispatcher.from_url(url).call_many(rows)
getattr(made, "collect", list)()  # 0.1.0 gave them all at once
"""


def fill(what: str) -> str:
    """Return the code that enqueues calls, in the Python of any checkout.

    Its arguments are the URL of Redis, the first number, and how many.
    """
    return _FILL.replace("WHAT", what)


class Bench:
    """A running stack and its sandbox."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.dispatcher = stack.dispatcher()
        self.sandbox = stack.sandbox_url or ""

    def stats(self) -> dict[str, Any]:
        """Return the sandbox's books."""
        found: dict[str, Any] = requests.get(f"{self.sandbox}/_sandbox/stats", timeout=10).json()
        return found

    def until(self, done: Callable[[], bool], within: float) -> bool:
        """Keep the stack running until something is so; False if it is not within the seconds."""
        deadline = time.monotonic() + within
        while not done():
            if time.monotonic() > deadline:
                return False
            self.stack.supervisor.tick()
        return True

    def pause(self, seconds: float) -> None:
        """Let time pass, with the stack looked after."""
        self.until(lambda: False, seconds)


@contextmanager
def bench(
    settings: Mapping[str, str] = MappingProxyType({}),
    *,
    workers: int = 2,
    concurrency: int = 32,
    sandbox: tuple[str, ...] = (),
    **more: str,
) -> Iterator[Bench]:
    """Run a stack with these settings (DISPATCHER_… without the prefix, lower case)."""
    given = {f"DISPATCHER_{name.upper()}": value for name, value in {**settings, **more}.items()}
    plan = Plan(
        workers=workers,
        concurrency=concurrency,
        flower=False,
        sandbox=True,
        sandbox_arguments=("--credits=100000000", "--ring=3600", "--seed=1", *sandbox),
        settings={**FOR_MEASURING, **given},
    )
    before = dict(os.environ)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Path(folder, "log").open("w") as log,
    ):
        try:
            with Stack(plan, Path(folder), log=log) as stack:
                _prefer(stack.supervisor.pid("sandbox"))
                yield Bench(stack)
        finally:
            os.environ.clear()
            os.environ.update(before)


def _prefer(pid: int | None) -> None:
    """Let the provider's side run first, where we may: a clock that is late measures itself."""
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, pid or 0, -15)


def free_port() -> int:
    """Return a port that is free at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def numbers(count: int, start: int = 0) -> Iterator[str]:
    """Yield different numbers that the sandbox answers, none of those with a behaviour."""
    for n in range(start, start + count):
        yield f"+8180{2300 + n // 9000:04d}{1000 + n % 9000:04d}"
