"""Named points of the dial path at which a process ends or stops itself; for chaos alone.

The production code knows nothing of them: its parts are wrapped here, in a process of tests.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import dispatcher.store.queue
import dispatcher.store.store
from config.settings import Settings
from dispatcher.model.job import Job
from dispatcher.provider import transport
from dispatcher.provider.xoxzo.provider import XoxzoProvider
from dispatcher.store.calls import Calls
from dispatcher.store.jobs import Jobs
from dispatcher.store.queue import Queue
from dispatcher.store.values import Claim
from workers.engine.dial import Dial

BEFORE_CLAIM = "before_claim"
AFTER_CLAIM = "after_claim"
BEFORE_POST = "before_post"
AFTER_POST = "after_post"
AFTER_ANSWER = "after_answer"
AFTER_RECORD = "after_record"
Wrapped = Callable[..., Any]
POINTS = (BEFORE_CLAIM, AFTER_CLAIM, BEFORE_POST, AFTER_POST, AFTER_ANSWER, AFTER_RECORD)
"""In the order in which a dial comes by them: before and after the claim; before the POST; after
it and before its answer; after the answer and before the record; after the record and before
the acknowledgement of the message's work."""


@dataclass(frozen=True)
class Trap:
    """Ends (or stops) the process at a point, the first time it gets there with a fitting job.

    `wish` is the job's own on_uncertain. What was done is written to `log`: "point job-id".
    """

    point: str
    log: Path
    wish: str | None = None
    how: signal.Signals = signal.SIGKILL

    def spring(self, point: str, job_id: str, wish: str | None) -> None:
        if point != self.point or (self.wish is not None and self.wish != wish):
            return
        with self.log.open("a") as log:
            log.write(f"{point} {job_id}\n")
        os.kill(os.getpid(), self.how)


def quicken(lease: float, lost_after: float) -> None:
    """Cut short what takes up to a minute in earnest: leases, and what counts as lost messages."""
    Settings.lease = property(lambda _: lease)  # type: ignore[assignment,method-assign]
    dispatcher.store.queue.LOST_AFTER = lost_after
    defaults = Calls.take_due.__kwdefaults__
    assert defaults
    defaults["lease"] = lost_after


def skew(seconds: float) -> None:
    """Set this process' clock ahead, as far as Python asks for the time of day."""
    true = time.time
    time.time = lambda: true() + seconds


def set_trap(trap: Trap) -> None:
    """Wrap the parts of the dial path."""
    ambush = Ambush(trap)
    _wrap(Queue, "claim", ambush.claim)
    _wrap(Dial, "_about_to_send", ambush.about_to_send)
    _wrap(transport, "read_answer", ambush.read_answer)
    _wrap(XoxzoProvider, "place", ambush.place)
    _wrap(Calls, "settle", ambush.settle)


class Ambush(threading.local):
    """What goes around each part: it knows which job the thread is about."""

    def __init__(self, trap: Trap) -> None:
        self.trap = trap
        self.id = ""
        self.job: Job | None = None
        self.posts = False

    def reach(self, point: str) -> None:
        self.trap.spring(point, self.id, self.job.on_uncertain if self.job else None)

    def claim(self, original: Wrapped, queue: Queue, id_: str, **options: Any) -> Any:
        self.id, self.job = id_, Jobs(queue._connection).get_many([id_])[0]
        self.reach(BEFORE_CLAIM)
        made = original(queue, id_, **options)
        if isinstance(made, Claim):
            self.reach(AFTER_CLAIM)
        return made

    def about_to_send(self, original: Wrapped, *given: Any) -> None:
        original(*given)
        self.posts = True
        self.reach(BEFORE_POST)

    def read_answer(self, original: Wrapped, *given: Any) -> Any:
        if self.posts:
            self.reach(AFTER_POST)
        return original(*given)

    def place(self, original: Wrapped, *given: Any, **options: Any) -> Any:
        call = original(*given, **options)
        self.reach(AFTER_ANSWER)
        return call

    def settle(self, original: Wrapped, *given: Any, **options: Any) -> Any:
        state = original(*given, **options)
        if options.get("actor", "worker") == "worker":
            self.posts = False
            self.reach(AFTER_RECORD)
        return state


def _wrap(owner: Any, name: str, around: Callable[..., Any]) -> None:
    original = getattr(owner, name)

    @wraps(original)
    def wrapped(*given: Any, **options: Any) -> Any:
        return around(original, *given, **options)

    setattr(owner, name, wrapped)
