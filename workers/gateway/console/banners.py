"""What the overview says first: the current problems, or that all is well."""

from __future__ import annotations

from dispatcher.problems.finding import problems
from dispatcher.problems.of_calls import answered, tried
from dispatcher.problems.problem import Level, Problem
from dispatcher.problems.snapshot import Snapshot
from dispatcher.values.counts import counted


def banners(now: Snapshot) -> list[Problem]:
    """Return the current problems, the worst first; one that says all is well if there are none."""
    return problems(now) or [_well(now)]


def _well(now: Snapshot) -> Problem:
    total, reached = tried(now.minutes), answered(now.minutes)
    ended = f"{counted(total, 'job')} ended in the last hour, {reached:,} answered"
    calls = ended if total else "no calls"
    waiting = f"{counted(now.waiting, 'job')} in line" if now.waiting else "no job waits"
    return Problem(Level.WELL, f"All is well: {calls}; {waiting}")
