"""Ends a process that was told to end and cannot, since what it waits for is gone.

Celery and kombu try again for ever where a broker is away, also on the way out and in the main
thread: a worker then hears SIGTERM and goes on trying.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from celery.signals import worker_shutting_down
from celery.worker.state import active_requests

from workers.devstack.process_reaper import KEPT

log = logging.getLogger(__name__)

PATIENCE = 7.0
"""Seconds that a process has to end in order. With nothing in flight that takes one or two."""
LEFT_BEHIND = 3.0
"""Seconds for threads that are still there when the main one is through."""
LOOK_EVERY = 0.2


class Ending:
    """Ends the process some seconds after it was asked to, at the latest when nothing is in flight.

    `in_flight` says whether something is under way that can still be finished: a request to the
    provider is waited for, unless Redis, which would have to take its answer, is gone. (The job's
    lease is rescued then, as that of a worker that was killed.)
    """

    def __init__(
        self,
        in_flight: Callable[[], bool],
        *,
        end: Callable[[int], object] = os._exit,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._in_flight, self._end, self._sleep = in_flight, end, sleep

    def begin(self, **_: object) -> None:
        """Say that the end was asked for; returns at once."""
        threading.Thread(target=self.wait, name="ending", daemon=True).start()

    def wait(self) -> None:
        """Wait for an end in order, and bring it about where it does not come."""
        self._sleep(PATIENCE)
        while self._in_flight():
            self._sleep(LOOK_EVERY)
        log.warning("ended without its broker or Redis, which did not answer in %g s", PATIENCE)
        self._end(0)


def end_in_time(records_answer: Callable[[], bool], busy: Callable[[], bool]) -> None:
    """See to it that this process' Celery worker ends when a signal asks it to; `busy`: it does
    something that is no task.
    """
    ending = Ending(lambda: (bool(active_requests) or busy()) and records_answer())
    worker_shutting_down.connect(ending.begin, weak=False)


def leave_on_signal(**_: object) -> None:
    """Leave none behind once SIGTERM comes, before what handles it until now does so."""
    handled = signal.getsignal(signal.SIGTERM)

    def leave(number: int, frame: FrameType | None) -> None:
        leave_none_behind()
        if callable(handled):
            handled(number, frame)

    signal.signal(signal.SIGTERM, leave)


def leave_none_behind(code: int = 0) -> None:
    """End in a moment, whatever still waits for a broker: nothing of it is worth waiting for.

    Flower's threads, and the connections that beat closes on its way out, wait for answers without
    an end.
    """
    timer = threading.Timer(LEFT_BEHIND, os._exit, (code,))
    timer.daemon = True
    timer.start()


def leave_now(_number: int, _frame: FrameType | None) -> NoReturn:
    """Leave none behind and exit, as a handler of signals: what it breaks into may lose an exit."""
    leave_none_behind()
    sys.exit(0)


def end_with_keepers() -> None:
    """End as on SIGTERM once nobody is left who would stop this process: the one that started it
    and its reaper are gone. Without such a keeper, nothing happens.
    """
    if pipe := os.environ.get(KEPT):
        threading.Thread(target=_follow, args=(int(pipe),), name="keepers", daemon=True).start()


def _follow(pipe: int) -> None:
    try:
        os.read(pipe, 1)  # nobody writes: it returns when nobody could
    except OSError:  # it was not ours
        return
    os.kill(os.getpid(), signal.SIGTERM)
