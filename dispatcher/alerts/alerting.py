"""Alerts from report to call: each is recorded once, and its chain goes on whoever looks at it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final

from dispatcher.alerts import chain_calls
from dispatcher.alerts.facts import Facts
from dispatcher.alerts.recording import record
from dispatcher.alerts.spoken import HowTo
from dispatcher.model.alert import (
    Acknowledgement,
    Alert,
    AlertEvent,
    AlertState,
    UnknownAlert,
)
from dispatcher.model.alert_change import AlertChange, PlannedCall
from dispatcher.policy.chain_values import Move, Ring
from dispatcher.policy.chains import next_move
from dispatcher.store import Store
from dispatcher.store.alert_values import Recorded

if TYPE_CHECKING:
    pass

log = logging.getLogger(__name__)

MOST_TRIES: Final = 5
"""Decisions about one alert in a row that came too late: whoever else decides goes on."""
ON_CONSOLE: Final = HowTo()
TOGETHER: Final = 100
"""Alerts that are taken at once."""
TO_RING: Final = frozenset({"new", "again", "folded", "resolved"})
"""What became of a report that may have somebody called: of a resolved one those who were."""


class Alerting:
    """Takes reports in and moves chains on. Any number of processes may do so at once.

    `nudge` is called when there is somebody to call. `how_to_acknowledge`: what calls say of that.
    """

    def __init__(
        self,
        store: Store,
        nudge: Callable[[], object],
        *,
        how_to_acknowledge: HowTo = ON_CONSOLE,
    ) -> None:
        self._store, self._nudge, self._how_to = store, nudge, how_to_acknowledge

    # -- reports ---------------------------------------------------------------------------

    def receive(
        self, events: Sequence[AlertEvent], *, actor: str, chain: str | None = None
    ) -> list[Recorded]:
        """Record what monitoring reported, and have called who is to be; return what became of
        each, in order.

        `chain` is rung whatever the routes say. When this returns, the alerts are recorded, and
        their chains go on even if this process ends. It may be repeated: what is known already
        rings nobody. Raises StoreUnavailable.
        """
        recorded = record(self._store, events, actor=actor, chain=chain)
        ids = [each.told_by or each.id for each in recorded if each.what in TO_RING]
        self._advance_all(dict.fromkeys(filter(None, ids)), due=False)
        return recorded

    # -- chains ----------------------------------------------------------------------------

    def advance_due(self) -> int:
        """Move on the chains whose time has come; return how many moved. Raises
        StoreUnavailable.
        """
        moved = 0
        while due := self._store.alerts.take_due(TOGETHER):
            moved += self._advance_all(due, due=True)
            if len(due) < TOGETHER:
                break
        return moved

    def _advance_all(self, ids: Iterable[str], *, due: bool) -> int:
        """Move chains on; one that fails keeps none of the others, and comes again.

        `due`: they were taken, so that it must be written when to look next.
        """
        facts, moved = Facts(self._store), 0
        for id_ in ids:
            try:
                moved += self._advance(id_, facts, due=due)
            except UnknownAlert:
                continue
            except Exception:
                log.exception("the chain of alert %s was not moved on: it is tried again", id_)
        if moved:
            self._nudge()
        return moved

    def _advance(self, id_: str, facts: Facts, *, due: bool) -> bool:
        """Move the chain of an alert on, if it is under way; whether there was anything to do."""
        for _ in range(MOST_TRIES):
            alert = self._store.alerts.get(id_)
            change = self._change(alert, facts)
            if change is None or not (due or _is_news(alert, change)):
                return False
            if self._store.alerts.advance(id_, alert.version, change):
                return True
        return False  # whoever else decides goes on

    def _change(self, alert: Alert, facts: Facts) -> AlertChange | None:
        if alert.telling:
            return self._tell_resolved(alert, facts)
        if alert.state is not AlertState.RINGING:
            return None
        position = chain_calls.position_of(alert)
        move = next_move(
            alert.rules or facts.chain(alert),
            facts.who,
            position,
            chain_calls.as_they_stand(self._store, alert, position),
            self._store.moment(),
            last_call=alert.last_call,
            hold=facts.hold,
            planned=alert.next_at,
        )
        return self._written(alert, move, facts)

    def _written(self, alert: Alert, move: Move, facts: Facts) -> AlertChange:
        """Return what a chain does as the store takes it."""
        at, end = move.position, move.end
        by = end.by if end else None
        state = None if end is None else AlertState.ACKNOWLEDGED if by else AlertState.UNREACHED
        jobs = {call.number: call.job_id for call in alert.calls}
        return AlertChange(
            at.round,
            at.step + 1,
            at.time,
            position=at.to_text(),
            calls=self._planned(alert, move.calls, facts),
            cancel=tuple(filter(None, (jobs.get(number) for number in move.cancel))),
            next_at=move.next_at,
            state=state,
            reason=end.reason if end else None,
            acknowledged_by=by,
            acknowledged_how=Acknowledgement.ANSWERED if by else None,
            lines=move.lines,
        )

    def _tell_resolved(self, alert: Alert, facts: Facts) -> AlertChange:
        """Return the calls that tell those who were called that it is over."""
        jobs = chain_calls.jobs(self._store, [call.job_id for call in alert.calls if call.job_id])
        rings = chain_calls.who_heard(alert, jobs)
        return AlertChange(
            alert.round,
            alert.step,
            alert.turn,
            calls=self._planned(alert, rings, facts),
            lines=tuple(f"{ring.contact} is told that it is over" for ring in rings),
        )

    def _planned(
        self, alert: Alert, rings: Sequence[Ring], facts: Facts
    ) -> tuple[PlannedCall, ...]:
        if not rings:
            return ()
        members = self._store.alerts.members(alert.id) if alert.is_bundle else ()
        told = chain_calls.Told(alert, members, self._how_to, facts.texts, facts.lang)
        return tuple(
            chain_calls.planned(number, ring, told)
            for number, ring in enumerate(rings, alert.last_call + 1)
        )


def _is_news(alert: Alert, change: AlertChange) -> bool:
    told = change.calls or change.cancel or change.lines or change.state
    return alert.telling or bool(told) or change.position != alert.position
