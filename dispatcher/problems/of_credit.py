"""Problems of the credit: used up, not enough for what comes, or not to be seen."""

from __future__ import annotations

from collections.abc import Iterator

from dispatcher.model.states import Reason
from dispatcher.policy import can_call
from dispatcher.policy.can_call import Cause
from dispatcher.problems.catalogue import Name
from dispatcher.problems.of_holds import kind_of, scope_of
from dispatcher.problems.problem import Level, Problem, problem
from dispatcher.problems.snapshot import Snapshot

_NAMES = {Cause.CREDIT: Name.NO_CREDIT, Cause.PROVIDER: Name.PROVIDER_UNSEEN}
_EXPLAINED = frozenset({Reason.CREDIT, Reason.AUTH, Reason.PROVIDER_DOWN})
"""Holds that say more of the same, where they stop all calls."""


def credit(now: Snapshot) -> Iterator[Problem]:
    """What no hold tells of already; the worst alone."""
    if not any(kind_of(hold) in _EXPLAINED and not scope_of(hold) for hold in now.holds):
        yield from [*_used_up(now), *_unseen(now), *_short(now)][:1]


def _used_up(now: Snapshot) -> Iterator[Problem]:
    for found in can_call.of_account(now.credit, reached=now.reached):
        yield problem(Level.BAD, _NAMES[Cause(found.cause)], found.why, waiting=now.waiting)


def _unseen(now: Snapshot) -> Iterator[Problem]:
    if now.credit.balance is not None and now.credit.blind:
        says = f"the last {now.credit.failed_checks} checks failed"
        yield problem(Level.WARN, Name.BALANCE_UNSEEN, says, since=now.credit.seen_at)


def _short(now: Snapshot) -> Iterator[Problem]:
    if now.forecast and now.forecast.short:
        yield problem(Level.WARN, Name.CREDIT_SHORT, str(now.forecast))
