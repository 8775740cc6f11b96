"""Wakes workers off the way of whoever enqueues: an answer waits for no broker."""

from __future__ import annotations

import logging
import threading

from dispatcher.client.messages import Messenger, wake
from dispatcher.store import Store

log = logging.getLogger(__name__)


class Waker:
    """Wakes workers when nudged. A daemon thread: it holds nothing that could be lost."""

    def __init__(self, store: Store, messenger: Messenger) -> None:
        self._store, self._messenger = store, messenger
        self._nudged = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def nudge(self) -> None:
        """Say that there is something to dial; returns at once."""
        if self._thread is None:
            self._start()
        self._nudged.set()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while self._nudged.wait():
            self._nudged.clear()
            self.run_once()

    def run_once(self) -> None:
        """Wake once. Errors are logged: workers look by themselves as well."""
        try:
            wake(self._store, self._messenger)
        except Exception:
            log.exception("no worker was woken; they look by themselves as well")
