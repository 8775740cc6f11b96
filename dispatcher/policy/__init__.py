"""What follows an answer, an error, a report or silence: pure functions to frozen decisions."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal

from dispatcher.model.job import Job, Leg, legs_text
from dispatcher.model.request import Kind
from dispatcher.model.states import TERMINAL, OnUncertain, Reason, State
from dispatcher.provider import (
    AccountStopped,
    MaybePlaced,
    NeverReached,
    NeverWillBe,
    NotAllowed,
    NotEnoughCredits,
    NotSent,
    ProviderError,
    Throttled,
    Unavailable,
)

NO_ANSWER, ANSWERED, CALL_FAILED = "NO ANSWER", "ANSWERED", "FAILED"


@dataclass(frozen=True, slots=True)
class Policy:
    """The account's defaults, which a job's own wishes go before. Durations in seconds.

    `reported`: whether the provider reports the end of calls by itself. `on_uncertain` None goes by
    that: see `after_window`.
    """

    max_attempts: int = 3
    redial: int = 0
    redial_after: float = 120
    on_uncertain: OnUncertain | None = None
    reported: bool = False
    evidence_window: float = 300
    call_deadline: float = 7200
    backoff_first: float = 2
    backoff_longest: float = 300
    check_first: float = 20
    check_longest: float = 300

    def attempts_for(self, job: Job) -> int:
        """How many attempts the job may spend; room for its redials is always made."""
        if job.max_attempts is not None:
            return job.max_attempts
        return max(self.max_attempts, self.redials_for(job) + 1)

    def redials_for(self, job: Job) -> int:
        """How often the job is called again where nobody answers."""
        return self.redial if job.redial is None else job.redial


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of an attempt.

    `delay` is in seconds from now, for the states that something happens next in; `result`
    is kept with the attempt; `spent` says that a call may have been placed, and the attempt
    counts; `gate` is the account's gate that closes first, if any; `throttled` is for how many
    seconds the whole account waits, where the provider said so. `proves` are the gates that
    the answer shows to be rightly open; `failure` is one of the provider: `clear` where nobody was
    called, `unclear` where nobody knows.
    """

    to: State
    result: str
    why: str
    reason: str = ""
    delay: float | None = None
    spent: bool = True
    gate: str = ""
    throttled: float | None = None
    required: Decimal | None = None
    proves: tuple[Reason, ...] = ()
    failure: Literal["clear", "unclear"] | None = None
    fields: dict[str, str] = field(default_factory=dict)


ANSWERS = (Reason.PROVIDER_DOWN,)
KNOWS_US = (Reason.AUTH, Reason.PROVIDER_DOWN)
CALLS = (Reason.AUTH, Reason.CREDIT, Reason.PROVIDER_DOWN)
"""What an answer proves: that there is a provider, that it knows the account, that it calls."""


def backoff(failures: int, longest: float, policy: Policy, rng: random.Random) -> float:
    """Return seconds to wait after so many failures: exponential, capped, with full jitter."""
    return rng.uniform(0, min(longest, policy.backoff_first * 2.0 ** min(failures, 30)))


def after_error(
    error: ProviderError, job: Job, policy: Policy, rng: random.Random, now: datetime
) -> Decision:
    """Decide what follows where the provider, or the way to it, said no.

    `job` is as claimed: the attempt that failed is its latest and not counted as spent yet.
    An attempt is spent only where a call may have been placed. docs/retries.md has the table.
    """
    why = str(error)
    match error:
        case MaybePlaced():
            return _uncertain(why, job, policy)
        case NeverWillBe():
            return _refused(
                Reason.NOT_ALLOWED if isinstance(error, NotAllowed) else Reason.INVALID_REQUEST, why
            )
        case AccountStopped():
            return _held(error, why)
        case _:
            return _again(error, why, _wait(job, policy, rng, now))


def close_for(error: ProviderError) -> Reason | None:
    """Return the gate that an error closes for the whole account, if any."""
    if isinstance(error, NotEnoughCredits):
        return Reason.CREDIT
    return Reason.AUTH if isinstance(error, AccountStopped) else None


def _uncertain(why: str, job: Job, policy: Policy) -> Decision:
    window = policy.evidence_window if job.evidence_window is None else job.evidence_window
    return Decision(State.UNCERTAIN, "maybe_placed", why, delay=window, failure="unclear")


def _refused(reason: Reason, why: str) -> Decision:
    return Decision(State.FAILED, reason, why, reason, spent=False, proves=KNOWS_US)


def _held(error: AccountStopped, why: str) -> Decision:
    poor = isinstance(error, NotEnoughCredits)
    gate = Reason.CREDIT if poor else Reason.AUTH
    return Decision(
        State.HELD,
        f"held_{gate}",
        why,
        gate,
        spent=False,
        gate=gate,
        required=error.required if isinstance(error, NotEnoughCredits) else None,
        proves=KNOWS_US if poor else ANSWERS,
    )


def _again(error: ProviderError, why: str, wait: float) -> Decision:
    """No call was placed, so no attempt is spent: only a deadline ends this."""
    if isinstance(error, Throttled):
        wait = wait if error.retry_after is None else error.retry_after
        return Decision(
            State.SCHEDULED,
            "throttled",
            why,
            delay=wait,
            spent=False,
            throttled=wait,
            proves=ANSWERS,
        )
    return Decision(
        State.SCHEDULED,
        _not_placed(error),
        why,
        delay=wait,
        spent=False,
        failure="clear" if isinstance(error, NeverReached | Unavailable) else None,
    )


def _not_placed(error: ProviderError) -> str:
    if isinstance(error, NotSent):
        return "not_sent"
    return "never_reached" if isinstance(error, NeverReached) else "not_placed"


def _wait(job: Job, policy: Policy, rng: random.Random, now: datetime) -> float:
    """Return seconds until the next try; with a deadline ahead there is room for one more."""
    longest = policy.backoff_longest if job.backoff_longest is None else job.backoff_longest
    if job.expires_at is not None:
        longest = min(longest, max(0.0, (job.expires_at - now).total_seconds() / 2))
    return backoff(len(job.attempts) - job.since - job.spent - 1, longest, policy, rng)


def after_placing(ids: dict[str, str], policy: Policy, usual: float | None = None) -> Decision:
    """Decide what follows a placed call: `ids` are the attempt's callid and conferenceid.

    `usual` is in how many seconds most calls of its kind are over, as far as that is known.
    """
    delay = first_check(usual, policy)
    return Decision(State.IN_PROGRESS, "placed", "", delay=delay, proves=CALLS, fields=ids)


@dataclass(frozen=True, slots=True)
class Report:
    """What the provider says of a call, or of a conference as a whole.

    `duration` is what was talked, `lasted` from the placing to the end, both in seconds. `legs`
    are the participants of a conference.
    """

    status: str
    final: bool
    cost: Decimal | None = None
    duration: float | None = None
    lasted: float | None = None
    legs: tuple[Leg, ...] = ()


COST_LOOKS = (60.0, 600.0)
"""Seconds from an end whose cost is not known yet until the looks that may bring it: the provider
may work it out later than the end. There is no third one: it may never come."""


def after_report(report: Report, job: Job, policy: Policy) -> Decision | None:
    """Decide what a report changes; None while the call is not over.

    Where the cost is missing the job ends all the same, and owes it.
    """
    if not report.final:
        return None
    facts = {"outcome": report.status} | facts_of(report)
    if report.legs:
        facts["legs"] = legs_text(report.legs)
    decision = _after_end(report, job, policy, facts)
    if report.cost is None and decision.to in TERMINAL:
        decision.fields["owed"] = str(round(COST_LOOKS[0] * 1000))
    return decision


def facts_of(report: Report) -> dict[str, str]:
    """Return the cost and the duration that a report tells, as they are kept."""
    facts = {}
    if report.cost is not None:
        facts["cost"] = str(report.cost)
    if report.duration is not None:
        facts["duration"] = f"{report.duration:g}"
    return facts


def next_cost_look(waited: float) -> float | None:
    """Return in how many seconds to look for a cost again after a look in vain; None: give up."""
    return next((pause for pause in COST_LOOKS if pause > waited), None)


def _after_end(report: Report, job: Job, policy: Policy, facts: dict[str, str]) -> Decision:
    match report.status:
        case "ANSWERED":
            return Decision(State.COMPLETED, "answered", report.status, fields=facts)
        case "NO ANSWER":
            return _after_no_answer(job, policy, facts)
        case _:
            return Decision(
                State.FAILED, "call_failed", report.status, Reason.CALL_FAILED, fields=facts
            )


def after_evidence(
    report: Report, job: Job, attempt: int, policy: Policy, *, confirm: bool = False
) -> Decision | None:
    """Decide what a report on an attempt changes that came by itself; None: nothing.

    Whatever it says, it proves that there is a call. With `confirm` it proves no more than that,
    and the check that is due at once decides.
    """
    decision = None if confirm else after_report(report, job, policy)
    known = job.state is State.IN_PROGRESS and attempt == len(job.attempts)
    if decision is not None or known:
        return decision
    delay = 0.0 if confirm else policy.check_first
    return Decision(
        State.IN_PROGRESS, "placed", f"the provider knows the call: {report.status}", delay=delay
    )


def _after_no_answer(job: Job, policy: Policy, facts: dict[str, str]) -> Decision:
    redials = policy.redials_for(job)
    # An attempt counts as spent when the job leaves `dialing`: a report can be here before.
    spent = job.spent + (job.state is State.DIALING)
    if job.unanswered < redials and spent < policy.attempts_for(job):
        wait = policy.redial_after if job.redial_after is None else job.redial_after
        why = f"{NO_ANSWER}; redial {job.unanswered + 1} of {redials}"
        return Decision(State.SCHEDULED, "no_answer", why, delay=wait, fields=facts)
    return Decision(State.FAILED, "no_answer", NO_ANSWER, Reason.NO_ANSWER, fields=facts)


def after_window(job: Job, policy: Policy) -> Decision:
    """Decide what follows where the evidence window ended without evidence.

    Where nobody has said: silence about a call that would have been reported means that there was
    none, and it is dialled again; where none is reported silence means nothing: a person decides.
    """
    silence_tells = policy.reported and job.kind is not Kind.CONFERENCE
    usual = OnUncertain.REDIAL if silence_tells else OnUncertain.HOLD
    wish = job.on_uncertain or policy.on_uncertain or usual
    if wish is OnUncertain.REDIAL and job.spent < policy.attempts_for(job):
        return Decision(State.QUEUED, "maybe_placed", "no evidence of a call: dialled again")
    why = "the call may have been placed, and nothing was heard of it"
    return Decision(State.FAILED, "maybe_placed", why, Reason.OUTCOME_UNKNOWN)


def after_deadline(job: Job, policy: Policy, *, known: bool = True) -> Decision:
    """Decide what follows where a call never became final; `known`: the provider knew the call."""
    limit = job.call_deadline if job.call_deadline is not None else policy.call_deadline
    word = f"last word: {job.outcome or 'none'}" if known else "the provider does not know it"
    why = f"the call did not become final within {limit:g} s ({word})"
    return Decision(State.FAILED, "outcome_unknown", why, Reason.OUTCOME_UNKNOWN)


UNKNOWN_FOR = 300.0
"""Seconds for which the provider may not know a call that it has placed: its page may lag."""

SOONEST = 1.0  # seconds from the placing to the first check: reconcile looks no oftener


def first_check(usual: float | None, policy: Policy) -> float:
    """Return seconds from the placing of a call to the first look: when most are over.

    `policy.check_first` is where that starts from, until calls have ended and told.
    """
    if usual is None:
        return policy.check_first
    return min(max(usual, SOONEST), policy.check_longest)


def next_check(age: float, policy: Policy, *, known: bool = True) -> float:
    """Return seconds until a call of this age is looked at again: half its age, within bounds.

    Calls end within a minute or two, as a rule; the older one gets, the less a second matters.
    One that the provider still does not know after UNKNOWN_FOR is looked at once more, at its
    deadline (infinity is cut to it).
    """
    if not known and age >= UNKNOWN_FOR:
        return math.inf
    return min(policy.check_longest, max(policy.check_first, age / 2))
