"""Problems that are holds: calls are not made, for a reason that is known."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from dispatcher.model.alert import AlertState
from dispatcher.model.credit import Credit
from dispatcher.model.states import Reason
from dispatcher.policy import can_call
from dispatcher.policy.credit_forecast import shown
from dispatcher.policy.processes import Roll
from dispatcher.problems.catalogue import CATALOGUE, Name
from dispatcher.problems.problem import Level, Problem, problem
from dispatcher.problems.snapshot import Snapshot
from dispatcher.store.values import Hold
from dispatcher.values import tariffs

_OF_PEOPLE = frozenset({Reason.PAUSED, Reason.UNUSUAL})
"""Holds that a person ends."""


def holds(now: Snapshot) -> Iterator[Problem]:
    """What stops all calls, or some."""
    for hold in now.holds:
        yield _held(now, hold)


def _held(now: Snapshot, hold: Hold) -> Problem:
    kind, scope = kind_of(hold), scope_of(hold)
    return problem(
        _level(now, hold),
        _name(now, hold),
        _says(now, hold),
        since=hold.since,
        waiting=now.behind.get(hold.name, 0) if scope else now.waiting,
        hold=hold.name if kind in _OF_PEOPLE else "",
        link=f"state=held&reason={kind}",
        remedy=CATALOGUE[_by_reason(kind)].remedy,
    )


def kind_of(hold: Hold) -> str:
    """Return the reason of a hold, such as `credit`."""
    return hold.name.partition(":")[0]


def scope_of(hold: Hold) -> str:
    """Return what alone a hold stops, such as `tag:zoo`; '' where it stops all calls."""
    scope = hold.name.partition(":")[2]
    return "" if scope == "account" else scope


def _by_reason(kind: str) -> Name:
    """Return the name of a hold of all calls; one of a reason that is not known stops some."""
    name = f"held_{kind}"
    return Name(name) if name in set(Name) else Name.HELD_SOME


def _name(now: Snapshot, hold: Hold) -> Name:
    if _urgent_wait(now, hold):
        return Name.URGENT_PAUSED
    if kind_of(hold) == Reason.PAUSED or not scope_of(hold):
        return _by_reason(kind_of(hold))
    return Name.HELD_SOME


def _level(now: Snapshot, hold: Hold) -> Level:
    """A pause is what somebody wanted, until an urgent call waits for its end."""
    if _urgent_wait(now, hold):
        return Level.BAD
    wanted = kind_of(hold) == Reason.PAUSED
    return Level.WARN if scope_of(hold) or hold.half_open or wanted else Level.BAD


def _urgent_wait(now: Snapshot, hold: Hold) -> bool:
    ringing = now.alerts.get(AlertState.RINGING, 0)
    roll = now.roll or Roll(now.now, ())
    stands = can_call.Situation(roll, urgent_since=now.urgent_since, ringing=ringing)
    return can_call.keeps_urgent(hold) and can_call.somebody_waits(stands)


def _says(now: Snapshot, hold: Hold) -> str:
    why = hold.why
    if kind_of(hold) == Reason.CREDIT and not hold.half_open:
        why = _needs(now.credit, hold) or why
    if hold.half_open:
        return f"one at a time is tried ({why})"
    return f"{whom}: {why}" if (whom := _whom(scope_of(hold))) else why


def _whom(scope: str) -> str:
    kind, _, what = scope.partition(":")
    if kind == "tag":
        return f"those with the tag {what}"
    if kind == "priority":
        return f"those of priority {what}"
    if kind == "tariff":
        return tariffs.in_words(what)
    return f"those of {what}" if kind == "client" else ""


def _needs(credit: Credit, hold: Hold) -> str:
    if credit.available is None:
        return ""
    needed = max(Decimal(str(hold.required)), credit.floor or Decimal(0))
    return f"credit {shown(credit.available)}, needs {shown(needed)}"
