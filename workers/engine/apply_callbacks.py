"""Applies what the provider reported by itself, the same way as what it was asked for."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dispatcher.errors import DispatcherError
from dispatcher.model.call import CallRef
from dispatcher.model.decision import Decision
from dispatcher.model.job import Job
from dispatcher.model.kinds import Kind
from dispatcher.model.states import TERMINAL, State
from dispatcher.policy import Policy, after_evidence, hides_length, possible
from dispatcher.store import Store
from dispatcher.store.callbacks import LEASE, Callback, Callbacks
from dispatcher.store.calls import Answer, Settled
from dispatcher.store.errors import StoreUnavailable
from dispatcher.tracing import UNTRACED, Spans
from workers.engine.turn import Turn

log = logging.getLogger(__name__)

BATCH = 100
MOST = 1000
"""Reports for one task: then others have their turn, and the pump sends another one."""
STAYS = "a callback for job %s could not be applied; it stays in the inbox"
Applied = tuple[Turn, str]
"""How a report left its job, and what it is counted as."""


@dataclass(frozen=True)
class ApplyReports:
    """Takes reports out of the inbox. Any number of them at once share the work.

    With `confirm`, a report only makes the check of its call due now.
    """

    store: Store
    inbox: Callbacks
    policy: Policy
    confirm: bool = False
    spans: Spans = UNTRACED

    def __call__(self) -> list[Turn]:
        """Apply what waits; return how each report left its job. Raises StoreUnavailable.

        What comes meanwhile has others woken for it, and is applied together with more.
        """
        turns: list[Turn] = []
        while len(turns) < MOST and (reports := self.inbox.take(BATCH, self._lease)):
            turns += self._apply_all(reports)
            if len(reports) < BATCH:
                break
        return turns

    @property
    def _lease(self) -> float:
        """Seconds: what a killed worker had taken comes again before the evidence window is over,
        or the evidence would lie in the inbox while its job is redialled.
        """
        return min(LEASE, self.policy.evidence_window / 2)

    def _apply_all(self, reports: Sequence[Callback]) -> list[Turn]:
        try:
            jobs = self.store.jobs.get_many(report.job_id for report in reports)
        except StoreUnavailable:
            raise
        except Exception:  # a damaged record stops no other
            if len(reports) > 1:
                return [turn for report in reports for turn in self._apply_all([report])]
            log.exception(STAYS, reports[0].job_id)
            return []
        return self._apply_to(reports, jobs)

    def _apply_to(self, reports: Sequence[Callback], jobs: Sequence[Job | None]) -> list[Turn]:
        now, began = self.store.now() / 1000, time.time_ns()
        judged = [self._judged(report, job, now) for report, job in zip(reports, jobs, strict=True)]
        settled = iter(self._settle([each for each in judged if isinstance(each, Answer)]))
        became = [next(settled) if isinstance(each, Answer) else each for each in judged]
        applied = [(report, *done) for report, done in zip(reports, became, strict=True) if done]
        counts = Counter(f"callbacks.{what}" for _, _, what in applied)
        self.inbox.done([report for report, _, _ in applied], counts)
        for job, done in zip(jobs, became, strict=True):
            if job and done:
                done[0].end(self.spans.of_job("apply callback", job, began))
        return [turn for _, turn, _ in applied]

    def _judged(self, report: Callback, job: Job | None, now: float) -> Answer | Applied | None:
        """Return what is to be written because of a report, or what became of it already; None
        where that failed, and it stays in the inbox.
        """
        try:
            return self._judge(report, job, now)
        except StoreUnavailable:
            raise
        except DispatcherError:
            log.exception(STAYS, report.job_id)
            return None

    def _judge(self, report: Callback, job: Job | None, now: float) -> Answer | Applied:
        if job is None:
            return Turn(report.job_id, None, why="the job is not kept any more"), "gone"
        if not _is_of(report, job):
            return self._note_other(report, job), "other_call"
        said = possible(report.report, _since_request(report, job, now))
        confirm = self.confirm or hides_length(said, job)
        decision = after_evidence(said, job, report.attempt, self.policy, confirm=confirm)
        if decision is None:
            return self._leave(report, job, confirm=confirm)
        decision = replace(decision, call=CallRef((report.callid,)))
        return Answer(job.id, report.attempt, decision, "callback", callback="came")

    def _settle(self, answers: Sequence[Answer]) -> list[Applied | None]:
        """Write answers in one step, or one by one where that fails; return what became of each,
        None where it could not be written.
        """
        try:
            settled = self.store.calls.settle_many(answers) if answers else []
        except StoreUnavailable:
            raise
        except DispatcherError:
            if len(answers) > 1:
                return [done for answer in answers for done in self._settle([answer])]
            log.exception(STAYS, answers[0].id)
            return [None]
        return [_applied(answer, now) for answer, now in zip(answers, settled, strict=True)]

    def _note_other(self, report: Callback, job: Job) -> Turn:
        """Have the call noted, where its attempt is known to have made another one."""
        if job.kind is not Kind.CONFERENCE and report.attempt <= len(job.attempts):
            call = CallRef((report.callid,))
            found = Decision(State.IN_PROGRESS, "placed", report.word, call=call)
            self.store.calls.settle(job.id, report.attempt, found, actor="callback")
        return Turn(job.id, job.state, why="it reports another call")

    def _leave(self, report: Callback, job: Job, *, confirm: bool) -> Applied:
        """Leave a known call to its checks; to be confirmed, the next one is now."""
        if not confirm:
            return Turn(job.id, job.state, why=report.word), "not_final"
        self.store.calls.reschedule_check(job.id, report.attempt, 0, reported=True)
        return Turn(job.id, job.state, why="its status is checked"), "applied"


def _applied(answer: Answer, settled: Settled) -> Applied | None:
    decision = answer.decision
    if settled.damaged:
        log.error(STAYS, answer.id)
        return None
    if settled.in_time:
        return Turn(answer.id, settled.state, decision.reason, decision.why), "applied"
    return Turn(answer.id, settled.state, why="it came too late to change anything"), "late"


def _since_request(report: Callback, job: Job, now: float) -> float | None:
    attempts = job.attempts[report.attempt - 1 : report.attempt]
    sent = attempts[0].sent_at if attempts else None
    return None if sent is None else now - sent.timestamp()


def _is_of(report: Callback, job: Job) -> bool:
    """Whether a report is of the call that its attempt is known to have made, or may have made."""
    if job.kind is Kind.CONFERENCE:
        return False
    if report.attempt > len(
        job.attempts
    ):  # Redis has lost its claim, and would let it be made again
        return job.state not in TERMINAL
    known = job.attempts[report.attempt - 1].callids
    return not known or report.callid in known
