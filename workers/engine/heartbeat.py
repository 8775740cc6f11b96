"""Tells every few seconds that this process runs: for `doctor`, the console, metrics and alarms."""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from dispatcher import __version__
from dispatcher.errors import DispatcherError
from dispatcher.model.process import Process, Role
from dispatcher.policy.processes import BEATS_EVERY
from dispatcher.store import Store
from dispatcher.values.steady_clock import since_boot

log = logging.getLogger(__name__)

LEAVES_WITHIN = 1.0  # seconds


@dataclass
class _Work:
    """Something that a process does again and again; when it was seen to begin last."""

    begun: Callable[[], int]
    seen: int
    moved: float

    def still(self, now: float) -> float:
        """Return for how many seconds it has not begun."""
        if (begun := self.begun()) != self.seen:
            self.seen, self.moved = begun, now
        return now - self.moved


class Heartbeat:
    """Beats in a thread, which ends with the process, until `stop`.

    `works` return how often the process has begun to do what its role is to do again and again,
    each of one kind; `tells` is as in Process.
    """

    def __init__(
        self,
        store: Store,
        role: Role,
        name: str,
        settings: Mapping[str, str],
        *,
        works: Sequence[Callable[[], int]] = (),
        tells: tuple[str, ...] = (),
        steady: Callable[[], float] = since_boot,
    ) -> None:
        self._store, self._steady = store, steady
        host, pid, id_ = socket.gethostname(), os.getpid(), secrets.token_hex(4)
        known = Process(id_, role, name, host, pid, __version__, dict(settings))
        self._process = replace(known, tells=tells)
        self._works = [_Work(work, -1, steady()) for work in works]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)
        self._failed = False

    def start(self) -> None:
        """Beat from now on; what ends in order says so."""
        atexit.register(self.stop)
        self._thread.start()

    def beat(self) -> None:
        """Beat once. Raises StoreUnavailable, StoreUnsuitable."""
        if not self._process.started:
            self._process = replace(self._process, started=self._store.now())
        self._store.heartbeats.beat(replace(self._process, still=self._still()))

    def stop(self) -> None:
        """Say that the process ends. Nobody waits for a Redis that is away, or hangs."""
        self._ended.set()
        if self._thread.ident is None:
            self._leave()
        else:
            self._thread.join(LEAVES_WITHIN)

    def _leave(self) -> None:
        if not self._failed:
            with suppress(DispatcherError):
                self._store.heartbeats.leave(self._process.id)

    def _still(self) -> float | None:
        now = self._steady()
        return max((round(work.still(now), 1) for work in self._works), default=None)

    def _run(self) -> None:
        while not self._ended.is_set():
            began = time.monotonic()
            try:
                self.beat()
                self._failed = False
            except DispatcherError as error:
                self._tell(error)
            self._ended.wait(max(0.0, BEATS_EVERY - (time.monotonic() - began)))
        self._leave()

    def _tell(self, error: DispatcherError) -> None:
        """Log what keeps it from beating, once; who is away is told of by those who need it."""
        if not self._failed:
            log.warning("no heartbeat: %s", error)
        self._failed = True
