"""When a call's status is checked."""

from __future__ import annotations

import math

from dispatcher.policy.defaults import Policy

UNKNOWN_FOR = 300.0
"""Seconds for which the provider may not know a call that it has placed: its page may lag."""

SOONEST = 1.0  # seconds from the placing to the first check: reconcile looks no oftener


def first_check(usual: float | None, policy: Policy) -> float:
    """Return seconds from the placing of a call to its first check: when most are over.

    `policy.check_first` is where that starts from, until calls have ended and told.
    """
    if usual is None:
        return policy.check_first
    return min(max(usual, SOONEST), policy.check_longest)


def next_check(age: float, policy: Policy, *, known: bool = True) -> float:
    """Return seconds until a call of this age is checked again: half its age, within bounds.

    Calls end within a minute or two, as a rule; the older one gets, the less a second matters.
    One that the provider still does not know after UNKNOWN_FOR is checked once more, at its
    deadline (infinity is cut to it).
    """
    if not known and age >= UNKNOWN_FOR:
        return math.inf
    return min(policy.check_longest, max(policy.check_first, age / 2))
