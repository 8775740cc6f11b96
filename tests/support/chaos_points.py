"""Named points of the dial path at which a process ends or stops itself; for chaos alone.

The production code knows nothing of them: its parts are wrapped here, in a process of tests.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

from config.settings import Settings
from dispatcher.model.filters import Filter
from dispatcher.model.job import Job
from dispatcher.model.states import State
from dispatcher.provider import transport
from dispatcher.provider.xoxzo.provider import XoxzoProvider
from dispatcher.store.calls import Answer, Calls
from dispatcher.store.connection import Repository
from dispatcher.store.jobs import Jobs
from dispatcher.store.queue import Queue
from dispatcher.store.search import Search
from dispatcher.store.values import Taken
from workers.engine import dialler
from workers.engine.dial import Dial

BEFORE_TAKE = "before_take"
AFTER_TAKE = "after_take"
BEFORE_WINDOW = "before_window"
BEFORE_POST = "before_post"
AFTER_POST = "after_post"
AFTER_ANSWER = "after_answer"
BEFORE_RECORD = "before_record"
AFTER_RECORD = "after_record"
Wrapped = Callable[..., Any]
POINTS = (
    BEFORE_TAKE,
    BEFORE_WINDOW,
    AFTER_TAKE,
    BEFORE_POST,
    AFTER_POST,
    AFTER_ANSWER,
    BEFORE_RECORD,
    AFTER_RECORD,
)
"""In the order in which a dial comes by them: before jobs are taken; after that, before a calling
window is set, and before anybody is asked; before the POST; after it and before its answer; after
the answer and before the settler has it; before and after the record."""


@dataclass(frozen=True)
class Trap:
    """Ends (or stops) the process at a point, the first time it gets there with a fitting job.

    `wish` is the job's own on_uncertain. What was done is written to `log`: "point job-id…".
    """

    point: str
    log: Path
    wish: str | None = None
    how: signal.Signals = signal.SIGKILL

    def spring(self, point: str, jobs: Callable[[], Iterable[Job | None]]) -> None:
        """Spring at this point, if any of the jobs fits; they are looked up there alone."""
        if point != self.point:
            return
        ids = [job.id for job in jobs() if job and self.wish in (None, job.on_uncertain)]
        if ids:
            with self.log.open("a") as log:
                log.write(f"{point} {' '.join(ids)}\n")
            # To this very thread: any other may be given it later, and this one go on until then.
            signal.pthread_kill(threading.get_ident(), self.how)


def quicken(lease: float, check_lease: float) -> None:
    """Cut short what takes up to a minute in earnest: leases, those of status checks too."""
    Settings.lease = property(lambda _: lease)  # type: ignore[assignment,method-assign]
    defaults = Calls.take_due.__kwdefaults__
    assert defaults
    defaults["lease"] = check_lease


def never_look() -> None:
    """Have an idle worker look for jobs where it is woken, or at a moment it knows of, alone."""
    dialler.LOOK_EVERY = 3600.0


def skew(seconds: float) -> None:
    """Set this process' clock ahead, as far as Python asks for the time of day."""
    true = time.time
    time.time = lambda: true() + seconds


def set_trap(trap: Trap) -> None:
    """Wrap the parts of the dial path."""
    ambush = Ambush(trap)
    _wrap(Queue, "take", ambush.take)
    _wrap(Queue, "set_calling_window", ambush.set_calling_window)
    _wrap(Dial, "_ask", ambush.ask)
    _wrap(Dial, "_about_to_send", ambush.about_to_send)
    _wrap(transport, "read_answer", ambush.read_answer)
    _wrap(XoxzoProvider, "place", ambush.place)
    _wrap(Calls, "settle_many", ambush.settle_many)


class Ambush(threading.local):
    """What goes around each part: it knows which job the thread asks for."""

    def __init__(self, trap: Trap) -> None:
        self.trap = trap
        self.job: Job | None = None

    def reach(self, point: str) -> None:
        self.trap.spring(point, lambda: [self.job])

    def take(self, original: Wrapped, queue: Queue, most: int, **options: Any) -> Taken:
        self.trap.spring(BEFORE_TAKE, lambda: _untouched(queue))
        taken: Taken = original(queue, most, **options)
        self.trap.spring(AFTER_TAKE, lambda: [claim.job for claim in taken.claims])
        return taken

    def set_calling_window(self, original: Wrapped, queue: Queue, id_: str, *given: Any) -> Any:
        self.trap.spring(BEFORE_WINDOW, lambda: _jobs(queue, [id_]))
        return original(queue, id_, *given)

    def ask(self, original: Wrapped, dial: Dial, job: Job, *given: Any) -> Any:
        self.job = job
        return original(dial, job, *given)

    def about_to_send(self, original: Wrapped, *given: Any) -> None:
        original(*given)
        self.reach(BEFORE_POST)

    def read_answer(self, original: Wrapped, *given: Any) -> Any:
        self.reach(AFTER_POST)
        return original(*given)

    def place(self, original: Wrapped, *given: Any, **options: Any) -> Any:
        try:
            call = original(*given, **options)
            self.reach(AFTER_ANSWER)
            return call
        finally:
            self.job = None

    def settle_many(
        self, original: Wrapped, calls: Calls, answers: Sequence[Answer], **options: Any
    ) -> Any:
        ids = [each.id for each in answers if each.actor == "worker"]
        self.trap.spring(BEFORE_RECORD, lambda: _jobs(calls, ids))
        settled = original(calls, answers, **options)
        self.trap.spring(AFTER_RECORD, lambda: _jobs(calls, ids))
        return settled


def _jobs(of: Repository, ids: list[str]) -> Iterable[Job | None]:
    return Jobs(of._connection).get_many(ids)


def _untouched(queue: Queue) -> Iterable[Job]:
    """Return the jobs in line that nobody has claimed yet."""
    connection = queue._connection
    waiting = Search(connection, Jobs(connection)).find(Filter(states=[State.QUEUED]))
    return (job for job in waiting if not job.attempts)


def _wrap(owner: Any, name: str, around: Callable[..., Any]) -> None:
    original = getattr(owner, name)

    @wraps(original)
    def wrapped(*given: Any, **options: Any) -> Any:
        return around(original, *given, **options)

    setattr(owner, name, wrapped)
