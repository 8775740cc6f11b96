"""Watches the chains file, and publishes who is on call when it changes."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from dispatcher.alerts.chains_file import InvalidChainsFile, parse, read_bytes
from dispatcher.errors import DispatcherError
from dispatcher.store import Store

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks."""
BY = "file"
"""Who publishes what stands in the file."""


class ChainsWatch:
    """Looks at a file until the process ends. Two processes that watch the same file do no harm.

    What two looks in a row find is published: a file that is being written may be a valid one
    before it is whole. One that is wrong is refused, and what was published stays in force.
    """

    def __init__(self, store: Store, path: Path) -> None:
        self._store, self._path = store, path
        self._seen: bytes | str | None = None
        self._done: bytes | str | None = None

    def start(self) -> None:
        """Look from now on, in a thread that ends with the process."""
        threading.Thread(target=self._run, name="chains file", daemon=True).start()

    def look(self) -> None:
        """Look once. Raises StoreUnavailable, StoreUnsuitable: then it is done by the next look."""
        found = self._read()
        if found == self._seen and found != self._done:
            self._take(found)
            self._done = found
        self._seen = found

    def _read(self) -> bytes | str:
        """Return what stands in the file, or what keeps it from being read."""
        try:
            return read_bytes(self._path)
        except InvalidChainsFile as error:
            return str(error)

    def _take(self, found: bytes | str) -> None:
        if isinstance(found, str):
            self._refuse(found)
            return
        try:
            on_call = parse(found, str(self._path))
        except InvalidChainsFile as error:
            self._refuse(str(error))
            return
        version = self._store.on_call.publish(on_call, by=BY)
        log.info("who is on call: version %d, from %s", version, self._path)

    def _refuse(self, why: str) -> None:
        if self._store.on_call.refuse(why):
            log.error("the chains file is refused, the old one stays in force: %s", why)

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(EVERY):
            try:
                self.look()
            except DispatcherError as error:
                log.warning("the chains file is not looked at: %s", error)
