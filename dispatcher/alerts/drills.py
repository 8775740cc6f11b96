"""Drills: a chain is rung to see that it rings, and what came of it is told."""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from dispatcher.errors import UsageError
from dispatcher.model.alert import (
    DRILL,
    Alert,
    AlertEvent,
    AlertState,
    Severity,
    UnknownAlert,
)
from dispatcher.model.on_call import Chain, Drill, OnCall
from dispatcher.policy.drills import is_late, last_due
from dispatcher.store import Store
from dispatcher.store.alert_values import AlertRow

log = logging.getLogger(__name__)

ACTOR = "drill"
WORDS = {
    AlertState.UNREACHED: "nobody was reached",
    AlertState.CANCELLED: "somebody cancelled it",
    AlertState.RESOLVED: "it was ended before anybody had it",
}
"""Why a drill failed, by the state of its alert."""


def outcome(alert: Alert) -> tuple[str, str] | None:
    """Return what a drill came to, `passed` or `failed`, and why; None: that is not known yet."""
    if alert.acknowledged_by:
        return "passed", f"{alert.acknowledged_by} has it"
    if alert.state not in WORDS:
        return None
    reason = f": {alert.reason.replace('_', ' ')}" if alert.reason else ""
    return "failed", f"{WORDS[alert.state]}{reason}"


class UnknownChain(UsageError):
    """There is no chain of this name."""

    def __init__(self, name: str, known: OnCall | None) -> None:
        names = ", ".join(sorted(known.chains)) if known else ""
        has = f"there are {names}" if names else "no chain was published"
        super().__init__(f"there is no chain {name[:60]!r}: {has}")


@dataclass(frozen=True)
class Drills:
    """A worker, which looks twice a second, makes the calls of what rings."""

    store: Store

    def ring(self, chain: str, *, actor: str, note: str = "") -> Alert:
        """Ring a chain now. Raises UnknownChain, StoreUnavailable."""
        known = self.store.on_call.in_force()
        rules = known.chains.get(chain) if known else None
        if rules is None:
            raise UnknownChain(chain, known)
        now = self.store.moment()
        incident = f"{chain} {now.isoformat()} {secrets.token_hex(4)}"
        event = _event(incident, now, _summary(chain), note)
        id_ = self._ring(chain, rules, event, actor)
        return self.store.alerts.get(id_)

    def __call__(self) -> dict[str, int]:
        """Ring what is due, and tell what drills came to; return how many of each."""
        known = self.store.on_call.in_force()
        rung = sum(self._look(each, known) for each in known.drills) if known else 0
        ended = sum(self._end(id_) for id_ in self.store.drills.ringing())
        return {kind: n for kind, n in {"rung": rung, "ended": ended}.items() if n}

    def _look(self, drill: Drill, known: OnCall) -> bool:
        """Ring a drill that is due. A schedule that is new begins with its next time."""
        name, now = f"{drill.chain} {drill.every} {drill.at} {drill.zone}", self.store.moment()
        due = last_due(drill, now)
        before, moment = self.store.drills.last(name), due.timestamp() * 1000
        if before is None:
            self.store.drills.note(name, moment)
        elif moment > before and is_late(due, now):
            self._leave_out(drill.chain, name, moment)
        elif moment > before:
            event = _event(f"{name} {due.isoformat()}", due, _summary(drill.chain))
            self._ring(drill.chain, known.chains[drill.chain], event, ACTOR)
            return self.store.drills.note(name, moment)
        return False

    def _leave_out(self, chain: str, name: str, moment: float) -> None:
        why = "nothing ran that would have rung it in time"
        if self.store.drills.note(name, moment, chain=chain, skipped=why):
            log.warning("the drill of the chain %s is left out: %s", chain, why)

    def _ring(self, chain: str, rules: Chain, event: AlertEvent, actor: str) -> str:
        """Have an alert ring, which is the same one however often this is done; return its id."""
        quiet = rules.model_copy(update={"tell_resolved": False})
        (found,) = self.store.alerts.record([AlertRow(event, chain, quiet)], actor=actor)
        if found.state in (AlertState.RINGING, AlertState.FOLDED):
            self.store.drills.rings(found.id, chain)
        return found.id

    def _end(self, id_: str) -> bool:
        """Tell what a drill came to, if that is known; its alert is over then."""
        try:
            alert = self.store.alerts.get(id_)
        except UnknownAlert:
            return self.store.drills.end(id_, "failed", "its alert is gone", by=None, seconds=0)
        found = outcome(alert)
        if found is None:
            return False
        told = self._tell(alert, *found)
        if alert.state is not AlertState.RESOLVED:
            over = _event(alert.fingerprint, alert.started_at, alert.summary)
            self.store.alerts.record([AlertRow(replace(over, firing=False))], actor=ACTOR)
        return told

    def _tell(self, alert: Alert, result: str, why: str) -> bool:
        ended = alert.acknowledged_at or alert.ended_at or alert.heard_at
        seconds = (ended - alert.received_at).total_seconds()
        by = alert.acknowledged_by
        return self.store.drills.end(alert.id, result, why, by=by, seconds=seconds)


def _summary(chain: str) -> str:
    return f"Drill of the chain {chain}"


def _event(incident: str, due: datetime, summary: str, note: str = "") -> AlertEvent:
    return AlertEvent(
        source=DRILL,
        fingerprint=incident,
        firing=True,
        summary=summary,
        severity=Severity.INFO,
        started_at=due,
        annotations={"note": note} if note else {},
        repeats=False,
    )
