"""What follows silence: no evidence of a call that may have been placed, no end of a known one."""

from __future__ import annotations

from dispatcher.model.call import CallReport
from dispatcher.model.decision import Decision
from dispatcher.model.job import Job
from dispatcher.model.kinds import Kind
from dispatcher.model.states import OnUncertain, Reason, State
from dispatcher.policy.defaults import Policy


def reports_end(job: Job, policy: Policy) -> bool:
    """Whether the provider reports the end of a job's call by itself; of a conference, never."""
    return policy.reported and job.kind is not Kind.CONFERENCE


def rests_on_silence(job: Job, policy: Policy) -> bool:
    """Whether a job whose evidence window ended is dialled again just because no callback came."""
    asked_for = job.on_uncertain or policy.on_uncertain
    return reports_end(job, policy) and not asked_for and job.spent < policy.attempts_for(job)


def after_window(job: Job, policy: Policy) -> Decision:
    """Decide what follows where the evidence window ended without evidence.

    Where nobody has said: silence about a call that would have been reported means that there was
    none, and it is dialled again; where none is reported silence means nothing: a person decides.
    """
    usual = OnUncertain.REDIAL if reports_end(job, policy) else OnUncertain.HOLD
    chosen = job.on_uncertain or policy.on_uncertain or usual
    if chosen is OnUncertain.REDIAL and job.spent < policy.attempts_for(job):
        return Decision(State.QUEUED, "maybe_placed", "no evidence of a call: redialled")
    why = "the call may have been placed, and no evidence arrived"
    return Decision(State.FAILED, "maybe_placed", why, Reason.OUTCOME_UNKNOWN)


def after_deadline(
    job: Job, policy: Policy, *, known: bool = True, last: CallReport | None = None
) -> Decision:
    """Decide what follows where a call never became final; `known`: the provider knew the call.

    `last` is what was reported at the deadline, if anything: its word is kept.
    """
    last = last if last and last.word else None
    said = last.word if last else job.outcome or "none"
    word = f"last word: {said}" if known else "the provider does not know it"
    limit = policy.deadline_for(job)
    why = f"the call did not end within {limit:g} s ({word})"
    return Decision(State.FAILED, "outcome_unknown", why, Reason.OUTCOME_UNKNOWN, report=last)
