"""Keeps the broker supplied with about a quarter of a second of work, off the way of the dials."""

from __future__ import annotations

import logging
import threading
import time

from dispatcher.client.messages import Messenger, feed
from dispatcher.store import Store

log = logging.getLogger(__name__)

CHECK_EVERY = 0.1  # seconds between feeds while nobody nudges: less than half of what is out
PAUSE = 0.05  # seconds from a feed that sent something to the next: few messages for many jobs


class Feeder:
    """Feeds when nudged, and a little later again while there is work; sleeps when there is none.

    A dial would otherwise pay for the messages of others, and a slow answer of the provider
    would hold back the next ones. A daemon thread: it holds nothing that could be lost.
    """

    def __init__(self, store: Store, messenger: Messenger, threads: int = 1) -> None:
        self._store, self._messenger, self._threads = store, messenger, threads
        self._nudged = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def nudge(self) -> None:
        """Say that there is room for more, or more to send; returns at once."""
        if self._thread is None:
            self._start()
        self._nudged.set()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="feeder", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        busy = False
        while True:
            self._nudged.wait(CHECK_EVERY if busy else None)
            self._nudged.clear()
            busy = self.run_once() > 0
            if busy:
                time.sleep(PAUSE)

    def run_once(self) -> int:
        """Feed once; return how many were sent. Errors are logged: the pump makes up for it."""
        try:
            return feed(self._store, self._messenger, threads=self._threads)
        except Exception:
            log.exception("the feeder failed; the pump dispatches meanwhile")
            return 0
