"""Asking Redis where nobody may be kept waiting by one that hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from dispatcher.errors import DispatcherError

T = TypeVar("T")

WITHIN = 0.5
"""Seconds in which a Redis that does not hang answers."""


def briefly(ask: Callable[[], T], within: float = WITHIN) -> T:
    """Return what it answers. Raises its DispatcherError, or TimeoutError where it takes longer:
    then it is left to a thread that ends with the process.
    """
    answer: Future[T] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except DispatcherError as error:
            answer.set_exception(error)

    threading.Thread(target=run, name="briefly", daemon=True).start()
    return answer.result(within)
