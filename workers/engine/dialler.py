"""A worker's dialling: it takes the jobs whose turn it is, as many as it has threads free, has them
dialled, and writes what became of them, all that came together in one step.

One thread takes, some dial, one settles, one wakes other workers. Nothing here is lost with the
process: a claim that it leaves behind has a lease.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from queue import Empty, SimpleQueue

from dispatcher.model.decision import Decision
from dispatcher.model.states import Priority
from dispatcher.store import Store
from dispatcher.store.calls import Answer, Settled
from dispatcher.store.values import Claim, Hours, Taken
from dispatcher.tracing import UNTRACED, Spans, Step
from dispatcher.values.calling_hours import CallingHours
from dispatcher.values.steady_clock import since_boot
from workers.engine.lease import Lease
from workers.engine.replicated import Replicated
from workers.engine.retrying import retry_until_available
from workers.engine.turn import Turn

log = logging.getLogger(__name__)

LOOK_EVERY = 0.25
"""Seconds after which an idle worker looks by itself: a wake-up may have been lost, or have reached
one that has no thread free.
"""
TOGETHER_WITHIN = 0.004
"""Seconds that free threads, and answers, wait for others: one step for many costs less."""
MOST_AT_ONCE = 25
"""Jobs claimed in one step, which takes Redis a millisecond or two."""


Told = Callable[[str, str], Callable[[Turn], None]]
"""Who is told that a job's turn begins, of a task's name and a job, and how it ended: see
TaskEvents.begin.
"""


@dataclass(frozen=True, slots=True)
class Dialled:
    """A claim, what the provider's answer means for it, and who is told how its turn ended; `step`
    is that turn as traces have it.
    """

    claim: Claim
    decision: Decision
    lease: Lease
    ended: Callable[[Turn], None]
    step: Step

    @property
    def answer(self) -> Answer:
        """What is written. A job of no trace is of that of its first turn from then on."""
        job = self.claim.job
        began = None if job.traceparent else self.step.traceparent
        return Answer(job.id, self.claim.attempt, self.decision, traceparent=began)


class Dialler:
    """Dials by `threads` at once, from `start` to `stop`. `lease` is in seconds, and longer than a
    request whose answer takes `answer`. `wake_others` is called where there is more than that.
    """

    def __init__(
        self,
        store: Store,
        dial: Callable[[Claim, Lease], Decision],
        told: Told,
        *,
        provider: str,
        threads: int,
        lease: float,
        answer: float,
        wake_others: Callable[[Priority], object],
        token: Callable[[], str] = lambda: uuid.uuid4().hex[:16],
        clock: Callable[[], float] = since_boot,
        spans: Spans = UNTRACED,
    ) -> None:
        self._spans = spans
        self._store, self._dial, self._told, self._provider = store, dial, told, provider
        self._threads, self._lease, self._answer = threads, lease, answer
        self._wake_others, self._token, self._clock = wake_others, token, clock
        self._replicated = Replicated(store)
        self._free, self._changed = threads, threading.Condition()
        self._woken = self._stopped = False
        self._claims: SimpleQueue[tuple[Claim, Lease, Step] | None] = SimpleQueue()
        self._dialled: SimpleQueue[Dialled | None] = SimpleQueue()
        self._wakes: SimpleQueue[Priority | None] = SimpleQueue()
        self.rounds = 0
        self._running: list[threading.Thread] = []

    # -- from outside ----------------------------------------------------------------------

    def start(self) -> None:
        """Dial from now on."""
        works = [self._take_on, self._settle_on, *[self._dial_on] * self._threads]
        for number, work in enumerate(works):
            thread = threading.Thread(target=work, name=f"dialler-{number}", daemon=True)
            self._running.append(thread)
            thread.start()
        threading.Thread(target=self._wake_on, name="dialler-wakes", daemon=True).start()

    def wake(self) -> None:
        """Say that there may be something to dial; returns at once."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def stop(self) -> None:
        """Take nothing more; what is under way is finished first. Returns when it is."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        if self._running:
            taker, settler, *diallers = self._running
            taker.join()
            for _ in diallers:
                self._claims.put(None)
            for dialler in diallers:
                dialler.join()
            self._dialled.put(None)
            settler.join()
            self._wakes.put(None)  # nobody waits for a broker

    @property
    def busy(self) -> bool:
        """Whether a request is under way, or its answer is not written yet."""
        return self._free < self._threads

    # -- the thread that takes -------------------------------------------------------------

    def _take_on(self) -> None:
        while room := self._room():
            lease = Lease(self._lease, self._answer, self._clock(), self._clock)
            most, began = min(room, MOST_AT_ONCE), time.time_ns()
            try:
                taken = self._take(most, lease)
                self._hand_out(taken, lease, began)
            except Exception:
                log.exception("no jobs could be taken; trying again")
                taken = Taken()
            self.rounds += 1
            if len(taken.claims) < most:  # else there may be more
                self._wait(taken)

    def _take(self, most: int, lease: Lease) -> Taken:
        how = {"token": self._token(), "provider": self._provider}
        return retry_until_available(partial(self._replicated.take, most, lease, **how))

    def _room(self) -> int:
        """Wait until a thread is free, and a moment for others to be; 0: stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._free or self._stopped)
            if self._free * 2 < self._threads:
                enough = partial(lambda: self._free * 2 >= self._threads or self._stopped)
                self._changed.wait_for(enough, TOGETHER_WITHIN)
            self._woken = False
            return 0 if self._stopped else self._free

    def _hand_out(self, taken: Taken, lease: Lease, began: int) -> None:
        with self._changed:
            self._free -= len(taken.claims)
        for claim in taken.claims:
            self._claims.put((claim, lease, self._spans.dial(claim, began)))
        if taken.wake:
            self._wakes.put(taken.wake)
        for id_ in taken.unreadable:
            log.error("the record of job %s cannot be read; nobody is called", id_)
        for hours in taken.hours:
            try:
                retry_until_available(partial(self._set_window, hours))
            except Exception:
                log.exception("job %s has no calling window; it is tried again", hours.job.id)
        if taken.day:
            retry_until_available(partial(self._store.spending.begin_day, taken.day))

    def _wait(self, taken: Taken) -> None:
        """Wait until it is worth taking again."""
        if taken.hours or taken.day:
            return
        wait = LOOK_EVERY if taken.again is None else min(taken.again, LOOK_EVERY)
        with self._changed:
            self._changed.wait_for(lambda: self._woken or self._stopped, wait)

    def _set_window(self, hours: Hours) -> None:
        # Whole ms, as Redis counts: rounded up, a window that is open now would open in a moment.
        now = datetime.fromtimestamp(int(self._store.now()) / 1000, UTC)
        rule, numbers = CallingHours.parse(hours.text), hours.job.numbers
        window = rule.window(numbers, now)
        why = rule.why_closed(numbers) if window else rule.why_never(numbers)
        self._store.queue.set_calling_window(hours.job.id, window, why, hours.text)

    # -- the threads that dial -------------------------------------------------------------

    def _dial_on(self) -> None:
        while (given := self._claims.get()) is not None:
            claim, lease, step = given
            try:
                ended = self._told("dispatcher.dial", claim.job.id)
                with step.current():
                    decision = self._dial(claim, lease)
            except Exception as error:
                log.exception("job %s could not be dialled; its lease ends", claim.job.id)
                step.end(failed=type(error).__name__)
                self._release(1)
            else:
                self._dialled.put(Dialled(claim, decision, lease, ended, step))

    def _release(self, threads: int) -> None:
        with self._changed:
            self._free += threads
            self._changed.notify_all()

    # -- the thread that wakes others: a broker that hangs keeps nobody from dialling ------

    def _wake_on(self) -> None:
        while (priority := self._wakes.get()) is not None:
            try:
                self._wake_others(priority)
            except Exception:
                log.exception("no other worker was woken; they look by themselves as well")

    # -- the thread that settles -----------------------------------------------------------

    def _settle_on(self) -> None:
        while (first := self._dialled.get()) is not None:
            some = [first, *self._others()]
            try:
                self._settle(some)
            except Exception:
                log.exception("%d answers could not be written; their leases end", len(some))
            finally:
                self._release(len(some))

    def _others(self) -> list[Dialled]:
        """Return what came, and comes in a moment, beside the first, while others are under way."""
        found: list[Dialled] = []
        deadline = time.monotonic() + TOGETHER_WITHIN
        while len(found) + 1 < min(MOST_AT_ONCE, self._threads - self._free):
            try:
                dialled = self._dialled.get(timeout=max(0, deadline - time.monotonic()))
            except Empty:
                break
            if dialled is None:
                self._dialled.put(None)
                break
            found.append(dialled)
        return found

    def _settle(self, some: Sequence[Dialled]) -> None:
        answers = [each.answer for each in some]
        settled = self._replicated.settle(answers, min((each.lease for each in some), key=_ends))
        for dialled, now in zip(some, settled, strict=True):
            self._tell(dialled, now)

    def _tell(self, dialled: Dialled, settled: Settled) -> None:
        job, decision = dialled.claim.job, dialled.decision
        if settled.damaged:
            log.error("the answer for job %s could not be written; its lease ends", job.id)
        log.info("dial %s: %s %s", job.id, settled.state, decision.reason)
        turn = Turn(job.id, settled.state, decision.reason, decision.why)
        turn.end(dialled.step)
        dialled.ended(turn)


def _ends(lease: Lease) -> float:
    return lease.began + lease.seconds
