"""Wakes workers off the way of whoever enqueues: an answer waits for no broker."""

from __future__ import annotations

import logging
import threading

from dispatcher.client.messages import Messenger, wake
from dispatcher.model.states import Priority
from dispatcher.store import Store

log = logging.getLogger(__name__)


class Waker:
    """Wakes workers. A daemon thread: it holds nothing that could be lost."""

    def __init__(self, store: Store, messenger: Messenger) -> None:
        self._store, self._messenger = store, messenger
        self._asked: set[Priority | None] = set()  # None: whom, Redis is to say
        self._news = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def nudge(self) -> None:
        """Say that there may be something to dial; returns at once."""
        self._ask(None)

    def wake(self, priority: Priority) -> None:
        """Say whose workers are to be woken; returns at once."""
        self._ask(priority)

    def _ask(self, whom: Priority | None) -> None:
        with self._lock:
            self._asked.add(whom)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                self._thread.start()
        self._news.set()

    def _run(self) -> None:
        while self._news.wait():
            self._news.clear()
            with self._lock:
                asked, self._asked = self._asked, set()
            for whom in asked:
                self._wake(whom)

    def _wake(self, whom: Priority | None) -> None:
        """Errors are logged: workers look by themselves as well."""
        try:
            if whom is None:
                wake(self._store, self._messenger)
            else:
                self._messenger.wake(whom)
        except Exception:
            log.exception("no worker was woken; they look by themselves as well")
