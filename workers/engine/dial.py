"""One claimed job: ask the provider for its call, and decide what follows."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial

from dispatcher.model.decision import Decision
from dispatcher.model.job import Job
from dispatcher.model.kinds import Kind
from dispatcher.model.sent import Sent
from dispatcher.policy import Policy, after_error, after_placing, no_caller
from dispatcher.provider import NotSent, OutgoingCall, Provider, ProviderError
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable, StoreUnsuitable
from dispatcher.store.values import Claim
from dispatcher.tracing import UNTRACED, Spans
from dispatcher.values.callback_urls import CallbackUrls
from dispatcher.values.steady_clock import since_boot
from workers.engine.lease import Lease
from workers.engine.retrying import retry_until_available

LATE = 0.004
"""Seconds between the booking of a request and its going out, from which it is booked anew: a
third of the default margin at a limit counted by the second. Connecting takes longer than that,
and so may waiting for the processor."""
TRIES = 3  # bookings anew: a machine so busy that none comes in time is slow enough by itself


@dataclass(slots=True)
class Sending:
    """A request on its way: what it is booked by, and in seconds of the worker's clock the moment
    that is, and the one at which its first byte went; None: not yet.
    """

    booked: str
    slot: float
    sent: float | None = None

    def answered(self, now: float) -> Sent | None:
        """Return how it went; None where it was never sent, or there is no limit."""
        if self.sent is None or not self.booked:
            return None
        return Sent(self.booked, max(0.0, self.sent - self.slot), now - self.sent)


@dataclass(frozen=True)
class Dial:
    """Asks the provider for the calls of claimed jobs."""

    store: Store
    provider: Provider
    policy: Policy
    caller: str | None = None
    callbacks: CallbackUrls | None = None
    rng: random.Random = field(default_factory=random.Random)
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = since_boot
    usual: Callable[[str], float | None] = lambda _kind: None
    spans: Spans = UNTRACED

    def __call__(self, claim: Claim, lease: Lease) -> Decision:
        """Ask for a claim's call, when its slot has come; return what follows from the answer."""
        job = claim.job
        caller = job.caller or self.caller
        if caller is None:
            return no_caller()
        if claim.after:
            self.sleep(claim.after)
        sending = Sending(claim.booked, lease.began + claim.after)
        decision = self._ask(job, caller, partial(self._about_to_send, sending, lease))
        answered = self.monotonic()
        self._trace(job, sending, answered, decision)
        return replace(decision, sent=sending.answered(answered))

    def _trace(self, job: Job, sending: Sending, answered: float, decision: Decision) -> None:
        """Tell of a request that went out, now that it is answered."""
        if sending.sent is not None:
            request = self.spans.request("place call", job, answered - sending.sent)
            request.end(failed="" if decision.call else decision.result)

    def _ask(self, job: Job, caller: str, before_sending: Callable[[], None]) -> Decision:
        try:
            placed = self.provider.place(self._call(job, caller), before_sending=before_sending)
            return after_placing(placed, self.policy, self.usual(job.kind))
        except ProviderError as error:
            now = datetime.fromtimestamp(retry_until_available(self.store.now) / 1000, UTC)
            return after_error(error, job, self.policy, self.rng, now)

    def _about_to_send(self, sending: Sending, lease: Lease) -> None:
        """Do what must be done at the last moment. Raises NotSent where it is too late to send."""
        self._on_time(sending, lease)
        lease.require()
        sending.sent = self.monotonic()

    def _on_time(self, sending: Sending, lease: Lease) -> None:
        """Book a request anew that goes out later than it was booked for: those after it would
        come too close to it, as the provider counts, or it to those before it. Raises NotSent
        where it would wait for longer than its lease, or Redis will not book it.
        """
        for _ in range(TRIES if sending.booked else 0):
            now = self.monotonic()
            if now - sending.slot < LATE:
                return
            if (booked := self._rebooked(sending.booked)) is None:
                continue
            sending.booked, after = booked
            sending.slot = now + after
            if after:
                lease.require(after)
                self.sleep(after)

    def _rebooked(self, booked: str) -> tuple[str, float] | None:
        """Return what a late request is booked by now, and the seconds until it may go out.

        None: Redis is away; the request was granted, and waits for nobody. Raises NotSent where
        Redis will not do it: the job is given back at once, as no call is worth its risk.
        """
        try:
            return self.store.limiter.rebook(booked)
        except StoreUnavailable:
            return None
        except StoreUnsuitable as error:
            raise NotSent(f"{NotSent.__doc__} ({error})", detail=str(error)) from None

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
