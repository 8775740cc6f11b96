"""What follows what the provider reports of a call, asked for or by itself."""

from __future__ import annotations

from dispatcher.model.call import CallReport
from dispatcher.model.decision import Decision
from dispatcher.model.job import Job
from dispatcher.model.outcome import TOO_SHORT, Outcome
from dispatcher.model.states import Reason, State
from dispatcher.policy.defaults import Policy

COST_LOOKS = (60.0, 600.0)
"""Seconds from an end whose cost is not known yet until the checks that may bring it: the provider
may work it out later than the end. There is no third one: it may never come."""


def after_report(report: CallReport, job: Job, policy: Policy) -> Decision | None:
    """Decide what a report changes; None while the call is not over.

    Where the cost is missing the job ends all the same, and its cost is asked for later.
    """
    match report.outcome:
        case Outcome.IN_PROGRESS:
            return None
        case Outcome.ANSWERED if short := _too_short(report, job):
            return _not_reached(report, job, policy, TOO_SHORT, short)
        case Outcome.ANSWERED:
            return _ended(State.COMPLETED, report, report.word)
        case Outcome.NO_ANSWER:
            return _not_reached(report, job, policy, report.outcome, report.word)
        case Outcome.CALL_FAILED:
            return _ended(State.FAILED, report, report.word, Reason.CALL_FAILED)


def after_evidence(
    report: CallReport, job: Job, attempt: int, policy: Policy, *, confirm: bool = False
) -> Decision | None:
    """Decide what a report on an attempt changes that came by itself; None: nothing.

    Whatever it says, it proves that there is a call. With `confirm` it proves no more than that,
    and the check that is due at once decides; so it is where its length would decide, which it
    does not tell.
    """
    confirm = confirm or hides_length(report, job)
    decision = None if confirm else after_report(report, job, policy)
    known = job.state is State.IN_PROGRESS and attempt == len(job.attempts)
    if decision is not None or known:
        return decision
    delay = 0.0 if confirm else policy.check_first
    why = f"the provider knows the call: {report.word}"
    return Decision(State.IN_PROGRESS, "placed", why, delay=delay)


def next_cost_look(waited: float) -> float | None:
    """Return in how many seconds to ask for a cost again after a check in vain; None: give up."""
    return next((pause for pause in COST_LOOKS if pause > waited), None)


def hides_length(report: CallReport, job: Job) -> bool:
    """Whether a report says that the job's call was answered, and not whether for long enough."""
    answered = report.outcome is Outcome.ANSWERED
    return bool(job.answered_after) and answered and report.duration is None


def _too_short(report: CallReport, job: Job) -> str:
    """Return in words that an answer was too short to count; '' where it counts."""
    least, lasted = job.answered_after, report.duration
    if least is None or lasted is None or lasted >= least:
        return ""
    return f"{report.word} for {lasted:g} s, which is less than answered_after ({least:g} s)"


def _not_reached(report: CallReport, job: Job, policy: Policy, result: str, said: str) -> Decision:
    redials = policy.redials_for(job)
    # An attempt counts as spent when the job leaves `dialing`: a report can be here before.
    spent = job.spent + (job.state is State.DIALING)
    if job.unanswered < redials and spent < policy.attempts_for(job):
        why = f"{said}; redial {job.unanswered + 1} of {redials}"
        delay = policy.redial_after_for(job)
        return Decision(State.SCHEDULED, result, why, delay=delay, report=report)
    return _ended(State.FAILED, report, said, Reason.NO_ANSWER, result)


def _ended(
    to: State, report: CallReport, why: str, reason: str = "", result: str | None = None
) -> Decision:
    cost_check = COST_LOOKS[0] if report.cost is None else None
    what = result or report.outcome
    return Decision(to, what, why, reason, report=report, cost_check_after=cost_check)
