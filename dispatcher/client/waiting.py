"""Waiting for jobs to end: pushed, with one thread and one connection for any number of waiters."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress

from dispatcher.client.briefly import briefly
from dispatcher.errors import DispatcherError, UsageError
from dispatcher.model.job import Job
from dispatcher.model.states import State
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.pubsub import JobNews
from dispatcher.store.values import UnknownJob
from dispatcher.why import Why
from dispatcher.why import why as explain

CHECK_EVERY = 30.0
"""Seconds between looks that no news asked for: should a piece ever be lost, it only comes late."""
_TURN = 1.0  # seconds until the thread looks around, should a ring of the bell be lost
_AWAY = 0.2  # seconds between tries while Redis is away: it says nothing until it is back


class Closed(UsageError, RuntimeError):
    """The dispatcher was closed, and is of no more use: make another one."""

    def __init__(self) -> None:
        super().__init__("this dispatcher is closed: make another one")


class NotFinished(DispatcherError, TimeoutError):
    """The job did not end within the time the caller wanted to wait; it goes on all the same.

    `job` is how it stood then, `because` why it had not ended and what happens next, in words.
    """

    def __init__(self, why: Why) -> None:
        self.job, self.because = why.job, why.because
        self._why = why
        held = f" ({self.hold_reason})" if self.hold_reason else ""
        super().__init__(
            f"job {self.id} is still {self.state}{held}: {why.because}; the job continues"
        )

    def __reduce__(self) -> tuple[type[NotFinished], tuple[Why]]:
        return type(self), (self._why,)

    @property
    def id(self) -> str:
        """The job's id."""
        return self.job.id

    @property
    def state(self) -> State:
        """The state it was in."""
        return self.job.state

    @property
    def hold_reason(self) -> str | None:
        """Why it was held, in a word such as `credit`; None where it was not."""
        return self.job.hold_reason


class Waiters:
    """Those who wait for jobs of one store.

    The thread that listens is there while somebody waits. It reads a job after each confirmation
    that it is subscribed to the job's channel, the first and any after a lost connection, and at
    each piece of news: nothing can happen unseen between the reading and the listening.

    `aside` does what has to ask Redis when somebody comes or goes, so that a Redis that hangs keeps
    neither.
    """

    def __init__(
        self, store: Store, aside: Callable[[Callable[[], None]], object] = briefly
    ) -> None:
        self._store, self._aside = store, aside
        self._bell = store.pubsub.new_bell()  # tells the thread who comes and goes
        self._rung = False  # and the thread has not looked since
        self._lock = threading.Lock()
        self._futures: dict[str, set[Future[Job]]] = {}
        self._thread: threading.Thread | None = None

    def wait(self, id_: str, timeout: float | None = None) -> Job:
        """Return the job when it has ended. Raises NotFinished, UnknownJob, StoreUnavailable."""
        deadline = None if timeout is None else time.monotonic() + timeout
        with suppress(StoreUnavailable):
            job = self._store.jobs.get(id_)
            if job.terminal:
                return job
        with self.waiting(id_) as future:
            try:
                return future.result(deadline and max(0.0, deadline - time.monotonic()))
            except TimeoutError:
                return self.at_last(id_)

    @contextmanager
    def waiting(self, id_: str) -> Iterator[Future[Job]]:
        """Give what will hold the job when it has ended, or UnknownJob; in it no thread waits.

        It cannot be cancelled: who does not wait any more leaves.
        """
        future: Future[Job] = Future()
        future.set_running_or_notify_cancel()
        self._join(id_, future)
        try:
            yield future
        finally:
            self._leave(id_, future)

    def at_last(self, id_: str) -> Job:
        """Return the job if it has ended. Raises NotFinished, UnknownJob, StoreUnavailable."""
        job = self._store.jobs.get(id_)
        if job.terminal:
            return job
        raise NotFinished(explain(self._store, job))

    def end(self, error: Exception) -> None:
        """Give those who wait an error instead, and return when the thread is over."""
        thread = self._thread
        self._fail(error)
        if thread is None or not thread.is_alive():
            return  # Ctrl-C may have come before it was started
        if self._ring():
            thread.join(2 * _TURN)

    def _join(self, id_: str, future: Future[Job]) -> None:
        with self._lock:
            self._futures.setdefault(id_, set()).add(future)
            if self._thread is None or not self._thread.is_alive():  # it does not survive a fork
                self._thread = threading.Thread(target=self._run, name="waiters", daemon=True)
                self._thread.start()
                return
        self._ring()

    def _leave(self, id_: str, future: Future[Job]) -> None:
        with self._lock:
            others = self._futures.get(id_, set())
            others.discard(future)
            if not others:
                self._futures.pop(id_, None)
            over = self._thread is not None and not self._futures
        if over:
            self._ring()

    def _ring(self) -> bool:
        """Wake the thread; return False where Redis hangs."""
        with self._lock:
            rung, self._rung = self._rung, True
        try:
            if not rung:
                self._aside(self._ring_bell)
        except TimeoutError:
            self._rung = False
            return False
        return True

    def _ring_bell(self) -> None:
        with suppress(StoreUnavailable):
            self._store.pubsub.ring(self._bell)

    # -- the thread ------------------------------------------------------------------------

    def _run(self) -> None:
        while self._wanted():
            try:
                with self._store.pubsub.jobs(self._bell) as news:
                    self._listen(news)
                return  # nobody waits any more, and who comes next starts another
            except StoreUnavailable:
                time.sleep(_AWAY)
            except Exception as error:  # noqa: BLE001 - whatever it is, those who wait are told
                self._fail(error)

    def _wanted(self) -> set[str]:
        """Return the jobs that are waited for; where there are none, this thread is over."""
        with self._lock:
            self._rung = False
            if not self._futures:
                self._thread = None
            return set(self._futures)

    def _listen(self, news: JobNews) -> None:
        heard: set[str] = set()
        checked = time.monotonic()
        while wanted := self._wanted():
            if new := wanted - heard:
                news.follow(new)
            if over := heard - wanted:
                news.leave(over)
            heard = wanted
            told = news.read(_TURN)
            if time.monotonic() - checked > CHECK_EVERY:
                checked, told = time.monotonic(), wanted
            self._check(told & wanted)

    def _check(self, ids: set[str]) -> None:
        for id_, job in zip(ids, self._store.jobs.get_many(ids), strict=True):
            with self._lock:
                futures = self._futures.get(id_, set()) if job is None or job.terminal else set()
                for future in futures:
                    _settle(future, UnknownJob(id_) if job is None else job)
                if futures:
                    del self._futures[id_]

    def _fail(self, error: Exception) -> None:
        with self._lock:
            for future in set().union(*self._futures.values()):
                _settle(future, error)
            self._futures.clear()


def _settle(future: Future[Job], answer: Job | Exception) -> None:
    if isinstance(answer, Job):
        future.set_result(answer)
    else:
        future.set_exception(answer)
