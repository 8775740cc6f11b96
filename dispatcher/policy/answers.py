"""What follows the provider's answer to a request for a call: a call, or an error of the tree.

docs/reference/retries.md has the whole as a table, and a test compares the two.
"""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime

from dispatcher.model.call import CallRef
from dispatcher.model.decision import Decision
from dispatcher.model.job import Job
from dispatcher.model.states import Reason, State
from dispatcher.policy.defaults import Policy
from dispatcher.policy.polling import first_check
from dispatcher.provider.errors import (
    AccountStopped,
    InvalidRequest,
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

ANSWERS = (Reason.PROVIDER_DOWN,)
KNOWS_US = (Reason.AUTH, Reason.PROVIDER_DOWN)
CALLS = (Reason.AUTH, Reason.CREDIT, Reason.PROVIDER_DOWN)
"""What an answer proves: that there is a provider, that it knows the account, that it calls."""


def after_placing(call: CallRef, policy: Policy, usual: float | None = None) -> Decision:
    """Decide what follows a placed call.

    `usual` is in how many seconds most calls of its kind are over, as far as that is known.
    """
    delay = first_check(usual, policy)
    return Decision(State.IN_PROGRESS, "placed", "", delay=delay, proves=CALLS, call=call)


def after_error(
    error: ProviderError, job: Job, policy: Policy, rng: random.Random, now: datetime
) -> Decision:
    """Decide what follows where the provider, or the way to it, said no.

    `job` is as claimed: the attempt that failed is its latest and not counted as spent yet.
    An attempt is spent only where a call may have been placed.
    """
    why = str(error)
    match error:
        case MaybePlaced():
            return _uncertain(why, policy.window_for(job))
        case NotAllowed():
            return _refused(Reason.NOT_ALLOWED, why)
        case NeverWillBe():
            refused = _refused(Reason.INVALID_REQUEST, why)
            of_language = isinstance(error, InvalidRequest) and error.language
            return replace(refused, refused_language=job.lang or "") if of_language else refused
        case AccountStopped():
            return _held(error, why)
        case Throttled():
            told, guessed = error.retry_after, _wait(job, policy, rng, now)
            return _throttled(why, guessed if told is None else told, told=told is not None)
        case _:
            return _again(error, why, _wait(job, policy, rng, now))


def hold_for(error: ProviderError) -> Reason | None:
    """Return the hold that an error starts for the whole account, if any."""
    if isinstance(error, NotEnoughCredits):
        return Reason.CREDIT
    return Reason.AUTH if isinstance(error, AccountStopped) else None


def _refused(reason: Reason, why: str) -> Decision:
    """Decide for a request that will never be accepted: nobody was called."""
    return Decision(State.FAILED, reason, why, reason, spent=False, proves=KNOWS_US)


def no_caller() -> Decision:
    """Decide for a job that names no caller where the account has none: nobody was asked."""
    why = "no caller: give the job one, or set DISPATCHER_CALLER"
    reason = Reason.INVALID_REQUEST
    return Decision(State.FAILED, reason, why, reason, spent=False)


def too_few_replicas(why: str) -> Decision:
    """Decide for a claim that a failover might forget: nobody was asked."""
    return Decision(State.HELD, "not_sent", why, Reason.REPLICAS, spent=False)


def _uncertain(why: str, window: float) -> Decision:
    return Decision(State.UNCERTAIN, "maybe_placed", why, delay=window, failure="unclear")


def _held(error: AccountStopped, why: str) -> Decision:
    poor = isinstance(error, NotEnoughCredits)
    hold = Reason.CREDIT if poor else Reason.AUTH
    return Decision(
        State.HELD,
        f"held_{hold}",
        why,
        hold,
        spent=False,
        hold=hold,
        required=error.required if isinstance(error, NotEnoughCredits) else None,
        proves=KNOWS_US if poor else ANSWERS,
    )


def _throttled(why: str, wait: float, *, told: bool) -> Decision:
    """The whole account waits, the job among it."""
    return Decision(
        State.SCHEDULED,
        "throttled",
        why,
        delay=wait,
        spent=False,
        throttled=wait,
        wait_told=told,
        proves=ANSWERS,
    )


def _again(error: ProviderError, why: str, wait: float) -> Decision:
    """No call was placed, so no attempt is spent: only a deadline ends this."""
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
    longest = policy.backoff_for(job)
    if job.expires_at is not None:
        longest = min(longest, max(0.0, (job.expires_at - now).total_seconds() / 2))
    return backoff(len(job.attempts) - job.since - job.spent - 1, longest, policy, rng)


def backoff(failures: int, longest: float, policy: Policy, rng: random.Random) -> float:
    """Return seconds to wait after so many failures: exponential, capped, with full jitter."""
    return rng.uniform(0, min(longest, policy.backoff_first * 2.0 ** min(failures, 30)))
