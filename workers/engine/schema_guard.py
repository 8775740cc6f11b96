"""Ends a process when the records that it works on are brought to another schema."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable

from dispatcher.store import Store
from dispatcher.store.errors import NotAllowed, OtherSchema, StoreUnavailable

log = logging.getLogger(__name__)

EVERY = 5.0
"""Seconds between two checks. No operation works on another schema anyway: this is for people."""
LATELY = 7.0
"""Seconds in which one of the checks was answered, unless Redis is gone."""


def _terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


class SchemaGuard:
    """Checks the schema in a thread. `refusal` says why it ended the process, if it did."""

    def __init__(self, stop: Callable[[], None] = _terminate) -> None:
        self.refusal: OtherSchema | None = None
        self._stop = stop
        self._ended = threading.Event()
        self._answered_at = time.monotonic()

    def answered(self) -> bool:
        """Return whether Redis has answered lately."""
        return time.monotonic() - self._answered_at < LATELY

    def watch(self, store: Store) -> None:
        """Check a store's schema from now on. The thread ends with the process."""
        threading.Thread(target=self._run, args=(store,), name="schema", daemon=True).start()

    def check(self, store: Store) -> None:
        """Check once; end the process where the schema is another one."""
        try:
            store.server.check_schema()
            self._answered_at = time.monotonic()
        except StoreUnavailable:
            return  # whatever is under way waits for Redis by itself
        except NotAllowed as error:  # a right was taken away: it may be given back
            log.error("%s", error)  # noqa: TRY400 - a sentence for people, no fault of the code
        except OtherSchema as error:
            log.error("%s", error)  # noqa: TRY400 - a sentence for people, no fault of the code
            self.refusal = error
            self._ended.set()
            self._stop()

    def _run(self, store: Store) -> None:
        while not self._ended.wait(EVERY):
            self.check(store)
