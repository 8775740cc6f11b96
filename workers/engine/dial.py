"""One job's turn: claim, ask the provider, write what became of it."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from dispatcher.model.decision import Decision
from dispatcher.model.job import Job
from dispatcher.model.kinds import Kind
from dispatcher.model.states import State
from dispatcher.policy import Policy, after_error, after_placing, no_caller
from dispatcher.provider import OutgoingCall, Provider, ProviderError
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.values import Claim, Day, Hours, Wait
from dispatcher.values.callback_urls import CallbackUrls
from dispatcher.values.calling_hours import CallingHours
from dispatcher.values.steady_clock import since_boot
from workers.engine.lease import Lease
from workers.engine.replicated import Replicated
from workers.engine.retrying import retry_until_available

LOOK_AGAIN = 1.0
"""Seconds: a longer wait is cut into such, so that a pause or a cancel frees the thread soon."""
LATE = 0.004
"""Seconds between the booking of a request and its going out, from which it is booked anew: a
third of the default margin at a limit counted by the second. Connecting takes longer than that,
and so may waiting for the processor."""
TRIES = 3  # bookings anew: a machine so busy that none comes in time is slow enough by itself


@dataclass(frozen=True, slots=True)
class Turn:
    """How a task left a job: its state (None: there is no such job), and why."""

    job_id: str
    state: State | None
    reason: str = ""
    why: str = ""


@dataclass(frozen=True)
class Dial:
    """Dials jobs. `lease` is in seconds, and longer than a request whose answer takes `answer`."""

    store: Store
    provider: Provider
    policy: Policy
    lease: float
    caller: str | None = None
    callbacks: CallbackUrls | None = None
    rng: random.Random = field(default_factory=random.Random)
    token: Callable[[], str] = lambda: uuid.uuid4().hex
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = since_boot
    answer: float = 0
    usual: Callable[[str], float | None] = lambda _kind: None
    nudge: Callable[[], None] = lambda: None

    def __call__(self, job_id: str) -> Turn:
        """Dial a job, if it is its turn; a message that came twice or too late does nothing."""
        claim, lease = self._claim(job_id)
        self.nudge()
        if not isinstance(claim, Claim):
            return self._waits(job_id) if claim is State.HELD else Turn(job_id, claim)
        decision = self._ask(claim, lease)
        state = self._replicated.settle(job_id, claim.attempt, decision, lease)
        return Turn(job_id, state, decision.reason, decision.why)

    @property
    def _replicated(self) -> Replicated:
        return Replicated(self.store, self.sleep)

    def _waits(self, job_id: str) -> Turn:
        """Say why it is held, for Flower. By now it may be somewhere else, and then says that."""
        job = retry_until_available(lambda: self.store.jobs.get_many([job_id]))[0]
        if job is None:
            return Turn(job_id, None)
        return Turn(job_id, job.state, job.hold_reason or "", job.timeline[-1].why)

    def _claim(self, job_id: str) -> tuple[Claim | State | None, Lease]:
        """Claim a job, as soon as the limiter lets a request out; also return its lease.

        Whatever comes up meanwhile, a cancel, a pause, the end of its time, is seen: every claim
        looks at everything.
        """
        token, slot = self.token(), ""
        while True:
            lease = Lease(self.lease, self.answer, self.monotonic(), self.monotonic)
            answer = retry_until_available(
                partial(
                    self._replicated.claim,
                    job_id,
                    lease,
                    token=token,
                    slot=slot,
                    provider=self.provider.name,
                )
            )
            match answer:
                case Wait():
                    self.sleep(min(answer.seconds, LOOK_AGAIN))
                    slot = answer.slot
                case Hours():
                    retry_until_available(partial(self._admit, answer))
                case Day():
                    retry_until_available(partial(self.store.spending.begin_day, answer.zone))
                case _:
                    return answer, lease

    def _about_to_send(self, claim: Claim, lease: Lease) -> None:
        """Do what must be done at the last moment. Raises NotSent where it is too late to send."""
        self._on_time(claim, lease.began)
        lease.require()

    def _on_time(self, claim: Claim, asked: float) -> None:
        """Book a request anew that goes out later than it was booked for: those after it would
        come too close to it, as the provider counts.
        """
        booked = claim.booked
        for _ in range(TRIES if booked else 0):
            now = self.monotonic()
            if now - asked < LATE:
                return
            with suppress(StoreUnavailable):  # it was granted, and waits for nobody
                asked, booked = now, self.store.limiter.rebook(booked)

    def _admit(self, hours: Hours) -> State | None:
        # Whole ms, as Redis counts: rounded up, a window that is open now would open in a moment.
        now = datetime.fromtimestamp(int(self.store.now()) / 1000, UTC)
        rule, numbers = CallingHours.parse(hours.text), hours.job.numbers
        window = rule.window(numbers, now)
        why = rule.why_closed(numbers) if window else rule.why_never(numbers)
        return self.store.queue.set_calling_window(hours.job.id, window, why, hours.text)

    def _ask(self, claim: Claim, lease: Lease) -> Decision:
        job = claim.job
        caller = job.caller or self.caller
        if caller is None:
            return no_caller()
        try:
            placed = self.provider.place(
                self._call(job, caller), before_sending=partial(self._about_to_send, claim, lease)
            )
            return after_placing(placed, self.policy, self.usual(job.kind))
        except ProviderError as error:
            now = datetime.fromtimestamp(retry_until_available(self.store.now) / 1000, UTC)
            return after_error(error, job, self.policy, self.rng, now)

    def _call(self, job: Job, caller: str) -> OutgoingCall:
        """Return the call that a job asks for."""
        return OutgoingCall(
            job.numbers,
            caller,
            say=job.spoken,
            lang=job.lang,
            play=job.play,
            tags=job.tags,
            callback_url=self._callback_url(job),
            params=job.params,
        )

    def _callback_url(self, job: Job) -> str | None:
        """Return where the provider reports this attempt's call, by the clock of its claim.

        A conference is asked for its status.
        """
        attempt = job.attempt
        if self.callbacks is None or attempt is None or attempt.sent_at is None:
            return None
        if job.kind is Kind.CONFERENCE:
            return None
        return self.callbacks.of(job.id, attempt.number, attempt.sent_at)
