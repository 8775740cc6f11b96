"""Watches the chains file, and publishes who is on call when it changes."""

from __future__ import annotations

import atexit
import hashlib
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from dispatcher.alerts.chains_file import InvalidChainsFile, parse, read_bytes
from dispatcher.errors import DispatcherError
from dispatcher.model.on_call import OnCall
from dispatcher.store import Store
from dispatcher.store.chains_files import WatchedFile, different
from dispatcher.store.on_call import UnreadableOnCall

log = logging.getLogger(__name__)

EVERY = 1.0
"""Seconds between two looks."""
TOLD_EVERY = 5.0
"""Seconds after which it is told again that the file is watched, and published anew if need be."""
BY = "file"
"""Who publishes what stands in the file."""


class ChainsWatch:
    """Looks at a file until the process ends. Two processes that watch the same file do no harm.

    What two looks in a row find is published: a file that is being written may be a valid one
    before it is whole. One that is wrong is refused, and what was published stays in force. What a
    failover or an empty Redis lost is published again, unless another process watches a file that
    says something else: that is told, and the one that changed last is in force.
    """

    def __init__(
        self, store: Store, path: Path, *, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._path, self._steady = store, path, steady
        self._id = secrets.token_hex(4)
        self._seen: bytes | str | None = None
        self._done: bytes | str | None = None
        self._read: OnCall | str | None = None
        self._told = -TOLD_EVERY
        self._differ = False

    def start(self) -> None:
        """Look from now on, in a thread that ends with the process."""
        atexit.register(self.stop)
        threading.Thread(target=self._run, name="chains file", daemon=True).start()

    def stop(self) -> None:
        """Tell that the file is watched no more."""
        with suppress(DispatcherError):
            self._store.chains_files.leave(self._id)

    def look(self) -> None:
        """Look once. Raises StoreUnavailable, StoreUnsuitable: then it is done by the next look."""
        found = self._found()
        if found == self._seen and found != self._done:
            self._read = self._understood(found)
            self._publish(self._read)
            self._done = found
            self._told = self._steady() - TOLD_EVERY
        self._seen = found
        if self._read is not None and self._steady() - self._told >= TOLD_EVERY:
            self._tell(self._read)
            self._told = self._steady()

    def _found(self) -> bytes | str:
        """Return what stands in the file, or what keeps it from being read."""
        try:
            return read_bytes(self._path)
        except InvalidChainsFile as error:
            return str(error)

    def _understood(self, found: bytes | str) -> OnCall | str:
        """Return what a file says, or what is wrong with it."""
        if isinstance(found, str):
            return found
        try:
            return parse(found, str(self._path))
        except InvalidChainsFile as error:
            return str(error)

    def _publish(self, read: OnCall | str) -> None:
        if isinstance(read, str):
            if self._store.on_call.refuse(read):
                log.error("the chains file is refused, the old one stays in force: %s", read)
            return
        version = self._store.on_call.publish(read, by=BY)
        log.info("who is on call: version %d, from %s", version, self._path)

    def _tell(self, read: OnCall | str) -> None:
        files = self._store.chains_files
        said = read if isinstance(read, str) else read.model_dump_json(exclude_defaults=True)
        digest = hashlib.sha256(said.encode()).hexdigest()[:12]
        files.tell(self._id, WatchedFile(socket.gethostname(), str(self._path), digest))
        watched = files.watched()
        before, self._differ = self._differ, different(watched)
        if not self._differ:
            self._again(read)
        elif not before:
            log.error("chains files differ: %s", ", ".join(map(str, watched)))

    def _again(self, read: OnCall | str) -> None:
        """Publish what is no longer in Redis."""
        if isinstance(read, str):
            return
        with suppress(UnreadableOnCall):
            found = self._store.on_call.get()
            if found is not None and found.on_call == read:
                return
        self._publish(read)

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(EVERY):
            try:
                self.look()
            except DispatcherError as error:
                log.warning("the chains file is not looked at: %s", error)
            except Exception:  # whatever it is, the next change of the file must be seen
                log.exception("the chains file could not be looked at")
