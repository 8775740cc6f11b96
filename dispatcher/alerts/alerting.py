"""Alerts from report to call: each is recorded once, and its chain goes on whoever looks at it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from dispatcher.alerts import chain_calls
from dispatcher.alerts.spoken import HowTo
from dispatcher.model.alert import (
    Acknowledgement,
    Alert,
    AlertEvent,
    AlertState,
    UnknownAlert,
)
from dispatcher.model.alert_change import AlertChange, PlannedCall
from dispatcher.model.alert_texts import Texts
from dispatcher.model.states import Priority
from dispatcher.policy.chain_book import Who
from dispatcher.policy.chain_position import Position
from dispatcher.policy.chain_values import Move, Ring
from dispatcher.policy.chains import next_move
from dispatcher.policy.rotas import who_is
from dispatcher.store import Store
from dispatcher.store.alert_values import AlertActed, AlertRow, Recorded

if TYPE_CHECKING:
    from dispatcher.model.job import Job
    from dispatcher.model.on_call import Chain, OnCall

log = logging.getLogger(__name__)

MOST_TRIES: Final = 5
"""Decisions about one alert in a row that came too late: whoever else decides goes on."""
MOST_PAUSES: Final = 10
"""Moves of a chain that are looked ahead to see who is called next."""
ON_CONSOLE: Final = HowTo()
TOGETHER: Final = 100
"""Alerts that are taken at once."""
ACTOR: Final = "alert"
"""Whose jobs the calls of chains are, as ops/advance_alert.lua writes them."""
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
        recorded = self.record(events, actor=actor, chain=chain)
        ids = [each.told_by or each.id for each in recorded if each.what in TO_RING]
        self._advance_all(dict.fromkeys(filter(None, ids)), due=False)
        return recorded

    def record(
        self, events: Sequence[AlertEvent], *, actor: str, chain: str | None = None
    ) -> list[Recorded]:
        """Do what `receive` does, but for the calls: a worker, which looks twice a second, makes
        them. For processes that do not know what calls are to say (`how_to_acknowledge`).
        """
        published = self._store.on_call.get()
        on_call = published.on_call if published else None
        rows = [_row(event, on_call, chain) for event in events]
        return self._store.alerts.record(rows, actor=actor)

    def acknowledge(self, id_: str, *, by: str, how: Acknowledgement, note: str = "") -> AlertActed:
        """Say that somebody has an alert: nobody else is called for it. Raises UnknownAlert,
        StoreUnavailable.
        """
        return self._store.alerts.acknowledge(id_, by=by, how=how, note=note)

    def cancel(self, id_: str, *, by: str, note: str = "") -> AlertActed:
        """Stop an alert's calls, although nobody has it. Raises UnknownAlert, StoreUnavailable."""
        return self._store.alerts.cancel(id_, by=by, note=note)

    # -- chains ----------------------------------------------------------------------------

    def next_planned(self, alert: Alert) -> Move | None:
        """Return whom a ringing alert's chain calls next if nobody takes the calls under way, or
        that it ends then; None where that is not known. Nothing is written. Raises
        StoreUnavailable.
        """
        position = _position(alert)
        if alert.state is not AlertState.RINGING or alert.rules is None or alert.next_at is None:
            return None
        facts, now = Facts(self._store), alert.next_at
        if facts.hold:
            return None
        made = chain_calls.made(alert, self._jobs(chain_calls.undecided(alert, position)))
        over = [chain_calls.in_vain(each, now) for each in made]
        for _ in range(MOST_PAUSES):
            move = next_move(alert.rules, facts.who, position, over, now, last_call=alert.last_call)
            if move.calls or move.next_at is None:
                return move
            position, now = move.position, move.next_at
        return None

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
        rules, position = alert.rules or facts.chain(alert), _position(alert)
        made = chain_calls.made(alert, self._jobs(chain_calls.undecided(alert, position)))
        move = next_move(
            rules,
            facts.who,
            position,
            made,
            self._now(),
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
        jobs = self._jobs([call.job_id for call in alert.calls if call.job_id])
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

    def _jobs(self, ids: Sequence[str]) -> dict[str, Job | None]:
        return dict(zip(ids, self._store.jobs.get_many(ids), strict=True)) if ids else {}

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._store.now() / 1000, UTC)


class Facts:
    """What the chains that are moved on together have in common, each read when it is asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @cached_property
    def who(self) -> Who:
        """Who is meant by a name now."""
        if self._on_call is None:
            return lambda _: ()
        now = datetime.fromtimestamp(self._store.now() / 1000, UTC)
        return who_is(self._on_call, now, self._store.on_call.overrides())

    def chain(self, alert: Alert) -> Chain:
        """Return the chain as it is now, of an alert whose own cannot be read: without steps, which
        is at its end at once, where there is none any more.
        """
        from dispatcher.model.on_call import Chain  # noqa: PLC0415 - pydantic, seldom needed

        log.warning(
            "the chain kept with alert %s is unreadable: the present one is taken", alert.id
        )
        chains = self._on_call.chains if self._on_call else {}
        return chains.get(alert.chain or "") or Chain.model_construct(steps=())

    @cached_property
    def texts(self) -> Mapping[str, Texts]:
        """What calls say in words of the users' own, by language."""
        return self._on_call.texts if self._on_call else {}

    @cached_property
    def lang(self) -> str:
        """The language of who is called and has none of their own."""
        return self._store.languages.default()

    @cached_property
    def _on_call(self) -> OnCall | None:
        published = self._store.on_call.get()
        return published.on_call if published else None

    @cached_property
    def hold(self) -> str:
        """Why nobody can be called for an alert, '' where they can."""
        stops = (each for each in self._store.holds.all() if each.stops(A_CALL))
        return next((each.why or each.name for each in stops), "")


@dataclass(frozen=True)
class _Call:
    """What holds go by."""

    tags: tuple[str, ...] = ()
    producer: str = ACTOR
    priority: Priority = Priority.URGENT


A_CALL: Final = _Call()


def _row(event: AlertEvent, on_call: OnCall | None, chain: str | None) -> AlertRow:
    """Return a report with the chain that its labels lead to.

    A route may go by `source` and `severity` as well, also where the source has no such labels.
    """
    if on_call is None:
        return AlertRow(event)
    if chain is None:
        ours = {"source": event.source, "severity": str(event.severity)}
        route = on_call.route({**ours, **event.labels})
        if route is not None and not route.called:
            return AlertRow(event, called=False)
        chain = route.chain if route else None
    rules = on_call.chains.get(chain or "")
    return AlertRow(event, chain if rules else None, rules)


def _is_news(alert: Alert, change: AlertChange) -> bool:
    told = change.calls or change.cancel or change.lines or change.state
    return alert.telling or bool(told) or change.position != alert.position


def _position(alert: Alert) -> Position | None:
    """Return where a chain stands; None where it is to be begun, or nobody can read where it is."""
    try:
        return Position.of_text(alert.position) if alert.position else None
    except (ValueError, TypeError, LookupError, AttributeError):
        log.warning("where the chain of alert %s is cannot be read: it begins again", alert.id)
        return None
