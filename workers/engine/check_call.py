"""What the provider reports of a call: applied to its job the same way, however it came."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

from dispatcher.model.attempt import Attempt
from dispatcher.model.call import CallReport
from dispatcher.model.decision import Decision
from dispatcher.model.job import Job
from dispatcher.model.outcome import Outcome
from dispatcher.model.states import State
from dispatcher.policy import (
    Policy,
    after_deadline,
    after_report,
    hold_for,
    next_check,
    next_cost_look,
    possible,
    reports_end,
)
from dispatcher.provider import Provider, ProviderError, Throttled, UnknownCall
from dispatcher.store import Store
from dispatcher.store.calls import CallbackWord
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.slots import NoSlot, Slots
from dispatcher.tracing import UNTRACED, Spans
from workers.engine.retrying import retry_until_available
from workers.engine.turn import Turn

PATIENCE = 0.5
"""Seconds a check holds a thread for its slot: more, and checks would keep dials from dialling."""


NO_WORD = CallReport(Outcome.IN_PROGRESS, "")


@dataclass(frozen=True, slots=True)
class Check:
    """What a status check brought.

    `known`: the provider knows the call. `wait`: for how many seconds it wants to be left alone.
    """

    report: CallReport = NO_WORD
    known: bool = True
    wait: float = 0.0


@dataclass(frozen=True)
class CheckCall:
    """Asks the provider for the status of a job's call, and applies the answer."""

    store: Store
    provider: Provider
    policy: Policy
    limiter: Slots
    spans: Spans = UNTRACED

    def __call__(self, job_id: str) -> Turn:
        """Check a job's call, if one is in progress, or ask for the cost of one that has ended.

        Raises UnknownJob, StoreUnavailable.
        """
        job = self.store.jobs.get(job_id)
        attempt = job.attempt
        cost_only = job.terminal and job.cost_check_after is not None
        if attempt is None or not (cost_only or job.state is State.IN_PROGRESS):
            return Turn(job_id, job.state)
        try:
            with self.limiter.slot(patience=PATIENCE):
                step = self.spans.of_job("check call", job)
                with step.current():
                    check = self._check(job, attempt)
        except NoSlot as error:
            return self._later(job, attempt, max(error.wait, PATIENCE))
        settle = self._note_cost if cost_only else self._apply
        turn = settle(job, attempt, check)
        turn.end(step)
        return turn

    def _check(self, job: Job, attempt: Attempt) -> Check:
        try:
            with self.spans.request("ask status", job):
                found = self.provider.status(attempt.call)
            report = possible(found, self._age(attempt))
            return Check(_of_its_own(report, job))
        except UnknownCall:
            return Check(known=False)
        except Throttled as error:
            wait = error.retry_after or 1.0
            self.store.limiter.throttle(wait, told=error.retry_after is not None)
            return Check(wait=wait)
        except ProviderError as error:
            if hold := hold_for(error):
                self.store.holds.start(hold, str(error), refused=True)
        return Check()

    def _later(self, job: Job, attempt: Attempt, wait: float) -> Turn:
        """Come back when the share has a slot; an ended job's lease on its look brings it back."""
        self.store.calls.reschedule_check(job.id, attempt.number, wait)
        return Turn(job.id, job.state, why="waits for the status checks' share of the rate")

    def _apply(self, job: Job, attempt: Attempt, check: Check) -> Turn:
        decision = after_report(check.report, job, self.policy)
        if decision is None:
            return self._still_open(job, attempt, check)
        self._learn(job, check.report)
        return self._settle(job, attempt, decision)

    def _still_open(self, job: Job, attempt: Attempt, check: Check) -> Turn:
        age = self._age(attempt)
        limit = self.policy.deadline_for(job)
        if age >= limit:
            decision = after_deadline(job, self.policy, known=check.known, last=check.report)
            return self._settle(job, attempt, decision)
        pause = next_check(age, self.policy, known=check.known)
        delay = min(max(check.wait, pause), max(limit - age, 0.5))
        told = check.report.word
        self.store.calls.reschedule_check(job.id, attempt.number, delay, told, check.report.legs)
        unknown = "the provider did not answer" if check.known else "it does not know the call yet"
        return Turn(job.id, job.state, why=told or unknown)

    def _settle(self, job: Job, attempt: Attempt, decision: Decision) -> Turn:
        due: CallbackWord | None = "due" if reports_end(job, self.policy) else None
        state = retry_until_available(
            lambda: self.store.calls.settle(
                job.id, attempt.number, decision, actor="reconcile", callback=due
            )
        )
        return Turn(job.id, state, decision.reason, decision.why)

    def _learn(self, job: Job, report: CallReport) -> None:
        if report.lasted is not None:
            with suppress(StoreUnavailable):
                self.store.calls.learn_duration(job.kind, report.lasted)

    def _note_cost(self, job: Job, attempt: Attempt, check: Check) -> Turn:
        """Add a cost that came late to its attempt and to the account's books, or look again."""
        decision = after_report(check.report, job, self.policy)
        if decision is not None and check.report.cost is not None:
            self._settle(job, attempt, decision)
            return Turn(job.id, job.state, why="its cost arrived late")
        self.store.calls.schedule_cost_check(
            job.id, attempt.number, next_cost_look(job.cost_check_after or 0)
        )
        return Turn(job.id, job.state, why="no cost known yet")

    def _age(self, attempt: Attempt) -> float:
        sent = attempt.sent_at.timestamp() if attempt.sent_at else 0.0
        return self.store.now() / 1000 - sent


def _of_its_own(report: CallReport, job: Job) -> CallReport:
    """Return a report without numbers that are not the job's: only those may be shown with it."""
    legs = (leg if leg.number in job.numbers else replace(leg, number="") for leg in report.legs)
    return replace(report, legs=tuple(legs))
