"""Problems of what the dispatcher stands on: Redis, rights, processes, who is on call."""

from __future__ import annotations

from collections.abc import Iterator

from dispatcher.model.process import Role
from dispatcher.policy import can_call
from dispatcher.policy.processes import Roll
from dispatcher.problems.catalogue import Name
from dispatcher.problems.problem import Level, Problem, problem
from dispatcher.problems.snapshot import Snapshot
from dispatcher.values.counts import counted
from dispatcher.values.durations import spoken

SENDERS = 5
"""Of so many senders of reports it is told what they were refused."""
NEEDED = (Role.WORKER, Role.BEAT)
"""That none of these runs is a problem of its own."""


def redis(now: Snapshot) -> Iterator[Problem]:
    """Everything waits: jobs are not accepted, and nobody is called."""
    if now.refusal:
        yield redis_refuses(now.refusal)


def redis_refuses(says: str) -> Problem:
    """Return the problem that Redis is where it refuses or is away: `says` is our error's sentence,
    why and after a colon what to do.
    """
    what, _, remedy = says.partition(": ")
    more = {"remedy": f"Nobody is called until it is over: {remedy}."} if remedy else {}
    return problem(Level.BAD, Name.REDIS, what, **more)


def rights(now: Snapshot) -> Iterator[Problem]:
    """A worker that lacks a right dials nothing, or stops half-way."""
    for missing in now.missing_rights:
        what, _, remedy = missing.says.partition(": ")
        says = f"{missing.process}: {what}"
        yield problem(Level.BAD, Name.MISSING_RIGHT, says, remedy=f"What to do: {remedy}.")


def processes(now: Snapshot) -> Iterator[Problem]:
    """What does not run, and what runs and does nothing."""
    if now.roll is not None:
        yield from _without(now.roll, now.waiting)
        yield from _stuck(now.roll)
        yield from _silent(now.roll)


def _without(roll: Roll, waiting: int) -> Iterator[Problem]:
    for found in can_call.without_processes(roll):
        why = found.why[0].upper() + found.why[1:]
        yield problem(Level.BAD, Name(found.cause), what=why, waiting=waiting)


def _stuck(roll: Roll) -> Iterator[Problem]:
    for worker in roll.stuck if roll.working else ():
        says = f"{worker} has begun nothing for {spoken(worker.still or 0)}"
        yield problem(Level.WARN, Name.WORKER_STUCK, says)


def _silent(roll: Roll) -> Iterator[Problem]:
    for process in roll.silent:
        if process.role not in NEEDED or roll.of(process.role):
            says = f"{process.role.words} {process}"
            yield problem(Level.WARN, Name.PROCESS_SILENT, says, since=process.heard)


def on_call(now: Snapshot) -> Iterator[Problem]:
    """People may be called who are not meant, or nobody."""
    if now.chains:
        yield problem(Level.BAD, Name.CHAINS, now.chains)


def reports(now: Snapshot) -> Iterator[Problem]:
    """Incidents that nobody will be called for, since their reports were not taken."""
    for refused in now.refused_reports[:SENDERS]:
        when = refused.at.strftime("%d %b %H:%M:%S UTC")
        says = f"{counted(refused.many, 'report')}, the latest at {when}. {refused}"
        since = refused.at.timestamp() * 1000
        yield problem(Level.WARN, Name.REPORTS_REFUSED, says, since=since)
