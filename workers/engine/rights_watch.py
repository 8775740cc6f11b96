"""Tells the records which right a process lacks, for `/readyz`, `doctor` and the console.

What is taken from a worker's user the gateway, with a user of its own, cannot see.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from dispatcher.errors import DispatcherError
from dispatcher.store import Store
from dispatcher.store.errors import NotAllowed

log = logging.getLogger(__name__)

EVERY = 10.0
"""Seconds between two looks: what is in the broker takes a connection of its own."""


class RightsWatch:
    """Looks by `require`, which raises NotAllowed where the process lacks a right."""

    def __init__(self, store: Store, process: str, require: Callable[[], object]) -> None:
        self._store, self._process, self._require = store, process, require
        self._noted = ""

    def start(self) -> None:
        """Look from now on, in a thread that ends with the process."""
        threading.Thread(target=self._run, name="rights", daemon=True).start()

    @contextmanager
    def starting(self) -> Iterator[None]:
        """Note what keeps a process from its start; or that nothing does any more."""
        try:
            yield
        except NotAllowed as error:
            self._note(str(error))
            raise
        with suppress(DispatcherError):
            self._store.missing_rights.clear(self._process)

    def check(self) -> None:
        """Look once."""
        try:
            self._require()
            self._clear()
        except NotAllowed as error:
            self._note(str(error))
        except DispatcherError:  # who is away is told of by those who need it
            return

    def _note(self, says: str) -> None:
        if says != self._noted:
            log.error("%s", says)
        self._noted = says
        with suppress(DispatcherError):  # it may not even do that: then the log alone says it
            self._store.missing_rights.note(self._process, says)

    def _clear(self) -> None:
        if self._noted:
            self._store.missing_rights.clear(self._process)
            log.info("no right is missing any more")
            self._noted = ""

    def _run(self) -> None:
        ended = threading.Event()
        while not ended.wait(EVERY):
            self.check()
