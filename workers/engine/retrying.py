"""Carrying on where Redis is away for a while."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from dispatcher.store.errors import NotAllowed, StoreUnavailable, TooFewReplicas

log = logging.getLogger(__name__)

T = TypeVar("T")

_FIRST, _LONGEST = 0.1, 2.0  # seconds between tries


def retry_until_available(
    step: Callable[[], T], *, sleep: Callable[[float], None] = time.sleep
) -> T:
    """Do a step of the store, again and again while Redis is away or refuses; return its answer.
    A right that was taken away is waited for as well: it may be given back.

    For what must not be dropped once begun: a claim (it may have been granted), and the
    answer to a request (it exists nowhere else). Every operation of the store may be
    repeated. There is no end to it: a process that dies meanwhile leaves a lease to rescue.
    """
    wait = _FIRST
    while True:
        try:
            return step()
        except (StoreUnavailable, NotAllowed) as error:
            log.warning("waiting for Redis: %s", error)
            sleep(wait)
            wait = min(_LONGEST, wait * 2)


def retry_until_replicated(
    step: Callable[[], T], over: Callable[[], bool], *, sleep: Callable[[float], None] = time.sleep
) -> T:
    """Do a step until what it writes is on the replicas, or its time is `over`; return its answer.

    A master that dies meanwhile is no loss: the step is done again on the one that follows it.
    """

    def once() -> tuple[T, bool]:
        try:
            return step(), True
        except TooFewReplicas as error:
            log.warning("waiting for replicas: %s", error)
            return error.answers[0], False

    while True:
        answer, done = retry_until_available(once, sleep=sleep)
        if done or over():
            return answer
        sleep(_FIRST)
