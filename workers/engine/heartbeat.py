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
from dispatcher.policy.processes import BEATS_EVERY, STILL_AFTER
from dispatcher.store import Store
from dispatcher.values.durations import spoken
from dispatcher.values.masking import mask_text
from dispatcher.values.steady_clock import since_boot
from workers.health.local import Local
from workers.health.local_heartbeat import LocalHeartbeat
from workers.health.process_start import started

log = logging.getLogger(__name__)

LEAVES_WITHIN = 1.0  # seconds


@dataclass
class Work:
    """Something that a process does again and again: how often it has `begun` it so far, and what
    is said where it has not for long, such as "has not looked for jobs".

    `due` tells whether it should have: it is asked only then, and may ask Redis or the broker.
    """

    begun: Callable[[], int]
    words: str
    due: Callable[[], bool] = lambda: True
    seen: int = -1
    moved: float = 0.0

    def still(self, now: float) -> float:
        """Return for how many seconds it has not begun."""
        if (begun := self.begun()) != self.seen:
            self.seen, self.moved = begun, now
        return now - self.moved

    def stuck(self, now: float) -> str:
        """Return what is wrong with it, or empty."""
        still = self.still(now)
        return f"{self.words}, for {spoken(still)}" if still > STILL_AFTER and self.due() else ""


class Heartbeat:
    """Beats in a thread, which ends with the process, until `stop`.

    `works` are what its role is to do again and again; `tells` is as in Process. `local` is told
    the same without Redis.
    """

    def __init__(
        self,
        store: Store,
        role: Role,
        name: str,
        settings: Mapping[str, str],
        *,
        works: Sequence[Work] = (),
        tells: tuple[str, ...] = (),
        local: Local | None = None,
        steady: Callable[[], float] = since_boot,
    ) -> None:
        self._store, self._steady = store, steady
        host, pid, id_ = socket.gethostname(), os.getpid(), secrets.token_hex(4)
        known = Process(id_, role, name, host, pid, __version__, dict(settings))
        self._process = replace(known, tells=tells)
        self._works = [replace(work, moved=steady()) for work in works]
        self._local, self._is_ready, self._started = local, False, started(pid)
        self._ended, self._news = threading.Event(), threading.Event()
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

    def turn(self) -> None:
        """Beat once, and tell this machine how the process is, whether Redis was reached or not."""
        unreached = self._try()
        if self._local:
            self._local.tell(self._told(unreached))

    def ready(self, **_: object) -> None:
        """Say that the process has begun its work."""
        if not self._is_ready:
            self._is_ready = True
            self._news.set()

    def stop(self) -> None:
        """Say that the process ends. Nobody waits for a Redis that is away, or hangs."""
        self._ended.set()
        self._news.set()
        if self._thread.ident is None:
            self._leave()
        else:
            self._thread.join(LEAVES_WITHIN)

    def _leave(self) -> None:
        if self._local:
            self._local.end(self._process.role, self._process.pid)
        if not self._failed:
            with suppress(DispatcherError):
                self._store.heartbeats.leave(self._process.id)

    def _still(self) -> float | None:
        now = self._steady()
        return max((round(work.still(now), 1) for work in self._works), default=None)

    def _run(self) -> None:
        while not self._ended.is_set():
            began = time.monotonic()
            self.turn()
            self._news.wait(max(0.0, BEATS_EVERY - (time.monotonic() - began)))
            self._news.clear()
        self._leave()

    def _try(self) -> str:
        """Beat; return why Redis was not reached, or empty. It is logged once; who needs Redis
        tells of it, too.
        """
        try:
            self.beat()
        except DispatcherError as error:
            if not self._failed:
                log.warning("no heartbeat: %s", error)
            self._failed = True
            self._rest()
            return mask_text(str(error))
        self._failed = False
        return ""

    def _rest(self) -> None:
        """Hold nothing that stands still meanwhile against the process itself."""
        now = self._steady()
        for work in self._works:
            work.moved = now

    def _told(self, unreached: str) -> LocalHeartbeat:
        own, now = self._process, self._steady()
        stuck = "; ".join(filter(None, (work.stuck(now) for work in self._works)))
        said = self._is_ready, unreached, stuck, self._started
        return LocalHeartbeat(own.role, own.name, own.pid, now, *said)
