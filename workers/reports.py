"""What the provider reports of a call: applied to its job the same way, however it came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from dispatcher.job import Attempt, Job
from dispatcher.limiter import Limiter, NoSlot
from dispatcher.policy import (
    ANSWERED,
    CALL_FAILED,
    NO_ANSWER,
    Policy,
    Report,
    after_deadline,
    after_report,
    close_for,
    next_check,
)
from dispatcher.provider import CallStatus, ProviderError, Throttled, VoiceClient
from dispatcher.states import State
from dispatcher.store import Store
from workers.dial import Turn
from workers.patience import persist

PATIENCE = 0.5
"""Seconds a check holds a thread for its slot: more, and checks would keep dials from dialling."""


@dataclass(frozen=True)
class CheckCall:
    """Asks the provider for the status of a job's call, and applies the answer."""

    store: Store
    provider: VoiceClient
    policy: Policy
    limiter: Limiter

    def __call__(self, job_id: str) -> Turn:
        """Check a job's call, if one is in progress. Raises UnknownJob, StoreUnavailable."""
        job = self.store.get(job_id)
        attempt = job.attempt
        if job.state is not State.IN_PROGRESS or attempt is None:
            return Turn(job_id, job.state)
        try:
            with self.limiter.slot(patience=PATIENCE):
                report, wait = read_report(self.provider, attempt), 0.0
        except NoSlot as error:
            self.store.put_off(job.id, attempt.number, max(error.wait, PATIENCE))
            return Turn(job.id, job.state, why="waits for the checks' share of the rate")
        except ProviderError as error:
            report, wait = self._no_word(error)
        return self._apply(job, attempt, report, wait)

    def _no_word(self, error: ProviderError) -> tuple[Report, float]:
        gate = close_for(error)
        if gate:
            self.store.close_gate(gate, str(error), refused=True)
        wait = error.retry_after if isinstance(error, Throttled) else None
        if isinstance(error, Throttled):
            self.store.throttle(wait or 1.0)
        return Report(status="", final=False), wait or 0.0

    def _apply(self, job: Job, attempt: Attempt, report: Report, wait: float) -> Turn:
        age = self._age(attempt)
        decision = after_report(report, job, self.policy)
        limit = self.policy.call_deadline if job.call_deadline is None else job.call_deadline
        if decision is None and age >= limit:
            decision = after_deadline(job, self.policy)
        if decision is None:
            delay = min(max(wait, next_check(age, self.policy)), max(limit - age, 0.5))
            self.store.put_off(job.id, attempt.number, delay, report.status)
            return Turn(job.id, job.state, why=report.status or "no word from the provider")
        settled = decision
        state = persist(
            lambda: self.store.settle(job.id, attempt.number, settled, actor="reconcile")
        )
        return Turn(job.id, state, decision.reason, decision.why)

    def _age(self, attempt: Attempt) -> float:
        sent = attempt.sent_at.timestamp() if attempt.sent_at else 0.0
        return self.store.now() / 1000 - sent


ENOUGH_TO_TALK = 2


def read_report(provider: VoiceClient, attempt: Attempt) -> Report:
    """Ask the provider what became of an attempt's call or conference. Raises ProviderError."""
    if attempt.conferenceid:
        status = provider.conference_status(attempt.conferenceid)
        return of_conference(status.participants, status.cost, status.duration)
    return of_call(provider.call_status(attempt.callid or ""))


def of_call(call: CallStatus) -> Report:
    """Return the report of one call."""
    return Report(call.status, call.final, call.cost, call.duration)


def of_conference(
    calls: Sequence[CallStatus], cost: Decimal | None, duration: float | None
) -> Report:
    """Return the report of a conference as a whole: final when every participant's call is.

    It took place where at least two answered: that counts as answered.
    """
    words = [call.status for call in calls]
    if not calls or not all(call.final for call in calls):
        return Report("IN PROGRESS", final=False)
    if words.count(ANSWERED) >= ENOUGH_TO_TALK:
        outcome = ANSWERED
    else:
        outcome = NO_ANSWER if NO_ANSWER in words else CALL_FAILED
    return Report(outcome, True, cost, duration)
