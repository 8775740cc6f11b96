"""What the provider reports of a call: applied to its job the same way, however it came."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from dispatcher.model.job import Attempt, Job, Leg, legs_text
from dispatcher.model.states import State
from dispatcher.policy import (
    ANSWERED,
    CALL_FAILED,
    NO_ANSWER,
    Decision,
    Policy,
    Report,
    after_deadline,
    after_report,
    close_for,
    next_check,
    next_cost_look,
)
from dispatcher.provider import (
    CallStatus,
    ConferenceStatus,
    ProviderError,
    Throttled,
    UnknownCall,
    VoiceClient,
)
from dispatcher.store import Store
from dispatcher.store.redis_url import StoreUnavailable
from dispatcher.store.slots import NoSlot, Slots
from workers.engine.dial import Turn
from workers.engine.retrying import retry_until_available

PATIENCE = 0.5
"""Seconds a check holds a thread for its slot: more, and checks would keep dials from dialling."""


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a call brought. `wait` is how many seconds the provider wants to be left."""

    report: Report
    known: bool = True
    wait: float = 0.0


NO_WORD = Report(status="", final=False)


@dataclass(frozen=True)
class CheckCall:
    """Asks the provider for the status of a job's call, and applies the answer."""

    store: Store
    provider: VoiceClient
    policy: Policy
    limiter: Slots

    def __call__(self, job_id: str) -> Turn:
        """Check a job's call, if one is in progress, or look for the cost of one that has ended.

        Raises UnknownJob, StoreUnavailable.
        """
        job = self.store.jobs.get(job_id)
        attempt = job.attempt
        owes = job.terminal and job.owed is not None
        if attempt is None or not (owes or job.state is State.IN_PROGRESS):
            return Turn(job_id, job.state)
        try:
            with self.limiter.slot(patience=PATIENCE):
                look = self._look(job, attempt)
        except NoSlot as error:
            return self._later(job, attempt, max(error.wait, PATIENCE))
        return self._note_cost(job, attempt, look) if owes else self._apply(job, attempt, look)

    def _look(self, job: Job, attempt: Attempt) -> Look:
        try:
            return Look(read_report(self.provider, job, attempt))
        except UnknownCall:
            return Look(NO_WORD, known=False)
        except Throttled as error:
            wait = error.retry_after or 1.0
            self.store.limiter.throttle(wait)
            return Look(NO_WORD, wait=wait)
        except ProviderError as error:
            if gate := close_for(error):
                self.store.holds.start(gate, str(error), refused=True)
        return Look(NO_WORD)

    def _later(self, job: Job, attempt: Attempt, wait: float) -> Turn:
        """Come back when the share has a slot; an ended job's lease on its look brings it back."""
        self.store.calls.reschedule_check(job.id, attempt.number, wait)
        return Turn(job.id, job.state, why="waits for the checks' share of the rate")

    def _apply(self, job: Job, attempt: Attempt, look: Look) -> Turn:
        decision = after_report(look.report, job, self.policy)
        if decision is None:
            return self._still_open(job, attempt, look)
        self._learn(job, look.report)
        return self._settle(job, attempt, decision)

    def _still_open(self, job: Job, attempt: Attempt, look: Look) -> Turn:
        age = self._age(attempt)
        limit = self.policy.call_deadline if job.call_deadline is None else job.call_deadline
        if age >= limit:
            decision = after_deadline(job, self.policy, known=look.known)
            return self._settle(job, attempt, decision)
        pause = next_check(age, self.policy, known=look.known)
        delay = min(max(look.wait, pause), max(limit - age, 0.5))
        told, legs = look.report.status, look.report.legs
        self.store.calls.reschedule_check(
            job.id, attempt.number, delay, told, legs_text(legs) if legs else ""
        )
        unknown = "no word from the provider" if look.known else "the provider does not know it yet"
        return Turn(job.id, job.state, why=told or unknown)

    def _settle(self, job: Job, attempt: Attempt, decision: Decision) -> Turn:
        state = retry_until_available(
            lambda: self.store.calls.settle(job.id, attempt.number, decision, actor="reconcile")
        )
        return Turn(job.id, state, decision.reason, decision.why)

    def _learn(self, job: Job, report: Report) -> None:
        if report.lasted is not None:
            with suppress(StoreUnavailable):
                self.store.calls.learn_duration(job.kind, report.lasted)

    def _note_cost(self, job: Job, attempt: Attempt, look: Look) -> Turn:
        """Add a cost that came late to its attempt and to the account's books, or look again."""
        decision = after_report(look.report, job, self.policy)
        if decision is not None and look.report.cost is not None:
            self._settle(job, attempt, decision)
            return Turn(job.id, job.state, why="its cost came late")
        self.store.calls.schedule_cost_check(job.id, attempt.number, next_cost_look(job.owed or 0))
        return Turn(job.id, job.state, why="no cost told yet")

    def _age(self, attempt: Attempt) -> float:
        sent = attempt.sent_at.timestamp() if attempt.sent_at else 0.0
        return self.store.now() / 1000 - sent


ENOUGH_TO_TALK = 2


def read_report(provider: VoiceClient, job: Job, attempt: Attempt) -> Report:
    """Ask the provider what became of an attempt's call or conference. Raises ProviderError."""
    if attempt.conferenceid:
        return of_conference(provider.conference_status(attempt.conferenceid), job.numbers)
    return of_call(provider.call_status(attempt.callid or ""))


def of_call(call: CallStatus) -> Report:
    """Return the report of one call."""
    lasted = _span(call.start_time, call.end_time)
    return Report(call.status, call.final, call.cost, call.duration, lasted)


def of_conference(whole: ConferenceStatus, numbers: Sequence[str]) -> Report:
    """Return the report of a conference as a whole: final when every participant's call is.

    It took place where at least two answered: that counts as answered.
    """
    words = [call.status for call in whole.participants]
    legs = tuple(_leg(call, numbers) for call in whole.participants)
    if not whole.final:
        return Report("IN PROGRESS", final=False, legs=legs)
    if words.count(ANSWERED) >= ENOUGH_TO_TALK:
        outcome = ANSWERED
    else:
        outcome = NO_ANSWER if NO_ANSWER in words else CALL_FAILED
    lasted = _span(whole.start_time, whole.end_time)
    return Report(outcome, True, whole.cost, whole.duration, lasted, legs)


def _leg(call: CallStatus, numbers: Sequence[str]) -> Leg:
    """Return a participant's call; the provider may write a number without its plus."""
    told = "+" + "".join(filter(str.isdigit, call.recipient))
    number = told if told in numbers else ""
    return Leg(call.callid, number, call.status, call.cost, call.duration)


def _span(start: datetime | None, end: datetime | None) -> float | None:
    """Return the seconds of a call, rounded up as its times are rounded down; None if not told."""
    if start is None or end is None or end < start:
        return None
    return (end - start).total_seconds() + 1
