"""Sends the messages of webhooks whose moment has come, in a thread of the delivering process."""

from __future__ import annotations

import logging
import threading

from dispatcher.client.messages import Messenger
from dispatcher.errors import DispatcherError
from dispatcher.store import Store
from dispatcher.store.webhooks import LEASE

log = logging.getLogger(__name__)

CHECK_EVERY = (
    1.0  # seconds between looks where no news comes: retries become due, and news may be lost
)


class Sender:
    """Looks when it is told that something was written, and once a second.

    Any number may run: each takes what no other has. A daemon thread: it holds nothing that
    could be lost, since what it took comes again when its lease ends.
    """

    def __init__(self, store: Store, messenger: Messenger) -> None:
        self._store, self._messenger = store, messenger
        self._stopped = threading.Event()

    def start(self) -> None:
        """Begin; returns at once."""
        threading.Thread(target=self._run, name="webhook-sender", daemon=True).start()

    def stop(self) -> None:
        """Take nothing more: this process is about to end."""
        self._stopped.set()

    def run_once(self) -> int:
        """Send what is due now; return how many messages went out."""
        while self._store.webhooks.take_events():
            pass
        return self._messenger.deliver(self._store.webhooks.take(LEASE))

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except DispatcherError as error:
                log.warning("webhooks cannot be sent now: %s", error)
            except Exception:
                log.exception("sending webhooks failed; it goes on")
            self._stopped.wait(CHECK_EVERY)

    def _listen(self) -> None:
        with self._store.pubsub.webhooks() as news:
            while not self._stopped.is_set():
                self.run_once()
                news.wait(CHECK_EVERY)
