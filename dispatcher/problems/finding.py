"""Finds the problems of a moment, the worst first: a pure function."""

from __future__ import annotations

from dispatcher.problems import of_calls, of_credit, of_holds, of_processes
from dispatcher.problems.problem import Level, Problem
from dispatcher.problems.snapshot import Snapshot

_ALWAYS = (of_processes.rights, of_calls.alerts, of_processes.on_call)
_WHERE_REDIS_WORKS = (
    of_holds.holds,
    of_processes.processes,
    of_calls.dialling,
    of_calls.callbacks,
    of_credit.credit,
    of_calls.throttled,
    of_calls.failing,
    of_calls.unknown,
    of_calls.webhooks,
    of_processes.reports,
)
"""What a Redis that takes no writes makes look worse than it is: heartbeats, for one."""


def problems(now: Snapshot) -> list[Problem]:
    """Return the problems of now, the worst first; none where all is well."""
    looks = _ALWAYS if now.refusal else (*_ALWAYS, *_WHERE_REDIS_WORKS)
    found = [*of_processes.redis(now), *(each for look in looks for each in look(now))]
    order = list(Level)
    return sorted(found, key=lambda each: order.index(each.level))
