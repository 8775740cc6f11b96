"""Alerts: what monitoring reported, who was called because of it, and who has it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from dispatcher.model.alert import Acknowledgement, Alert, AlertState, UnknownAlert
from dispatcher.model.alert_change import AlertChange
from dispatcher.store import alert_codec
from dispatcher.store.alert_values import AlertActed, AlertPage, AlertRow, Recorded
from dispatcher.store.connection import Connection, Repository, milliseconds, pairs
from dispatcher.store.errors import StoreUnavailable, TooFewReplicas
from dispatcher.store.replicas import Replicas
from dispatcher.store.schema import AlertField
from dispatcher.store.search import InvalidCursor

AT_ONCE = 100
"""Reports written, and alerts read, in one step."""
LOOKED_AT = 1000
"""Alerts that a page looks at: one that finds too few of what was asked for leads on."""
LEASE = 10.0
"""Seconds after which an alert comes again whose taker did nothing about it."""
JOBS_LOOKED_AT = 5000
"""Jobs to a number, among which those of alerts are looked for."""
_T = TypeVar("_T")
_PLACE = re.compile(r"([0-9]{1,15})\.([0-9]{1,9})")


class Alerts(Repository):
    """The alerts of the account. Retention: as long as that of jobs, see purge_older."""

    def __init__(self, connection: Connection, replicas: Replicas) -> None:
        super().__init__(connection)
        self._replicas = replicas

    def record(self, rows: Sequence[AlertRow], *, actor: str) -> list[Recorded]:
        """Write down the reports of one body; return what became of each, in order.

        What is new and goes to the same chain rings together. It may be repeated: what is known
        rings nobody. Raises TooFewReplicas where accepted jobs would have to be on more replicas:
        report it again.
        """
        replicas = self._replicas.for_accepting()
        found: list[Recorded] = []
        bundles: dict[str, str] = {}
        for some in _batches(rows, AT_ONCE):  # an atomic step each
            step = self._record(some, actor, bundles, replicas)
            told = zip(some, step, strict=True)
            bundles |= {row.chain: it.told_by for row, it in told if row.chain and it.told_by}
            found += step
        return found

    def _record(
        self, rows: Sequence[AlertRow], actor: str, bundles: Mapping[str, str], replicas: int
    ) -> list[Recorded]:
        reports = [alert_codec.report(row) for row in rows]
        how = {"actor": actor, "reports": reports, "bundles": bundles}
        try:
            return _recorded(self._run("record_alerts", replicas=replicas, **how))
        except TooFewReplicas:
            with suppress(StoreUnavailable):
                self._replicas.look()  # the next report may meet another master
            raise

    def take_due(self, most: int = 100) -> list[str]:
        """Return the ids of alerts that are to be looked at now, and lease them to the caller."""
        lease = milliseconds(LEASE)
        return [id_.decode() for id_ in self._run("take_due_alerts", most=most, lease=lease)]

    def advance(self, id_: str, version: int, change: AlertChange) -> bool:
        """Write what was decided of an alert's chain; False where it changed since that version.

        Raises ValueError where the calls do not go on from its last one.
        """
        arguments = alert_codec.change(id_, change)
        return bool(self._run("advance_alert", id=id_, version=version, **arguments))

    def acknowledge(self, id_: str, *, by: str, how: Acknowledgement, note: str = "") -> AlertActed:
        """Say that somebody has an alert, and call nobody else for it. Raises UnknownAlert."""
        return self._act(id_, AlertState.ACKNOWLEDGED, by, note, how=how)

    def cancel(self, id_: str, *, by: str, note: str = "") -> AlertActed:
        """Call nobody else for an alert, although nobody has it. Raises UnknownAlert."""
        return self._act(id_, AlertState.CANCELLED, by, note)

    def _act(self, id_: str, to: AlertState, by: str, note: str, **how: Any) -> AlertActed:
        answer = self._run("act_on_alert", id=id_, state=to, actor=by, note=note, **how)
        before, done = answer
        if not before:
            raise UnknownAlert(id_)
        return AlertActed(bool(done), AlertState(before.decode()), self.get(id_))

    # -- reading ---------------------------------------------------------------------------

    def get(self, id_: str) -> Alert:
        """Return an alert as it stands. Raises UnknownAlert."""
        for found in self.get_many([id_]):
            return found
        raise UnknownAlert(id_)

    def get_many(self, ids: Sequence[str]) -> list[Alert]:
        """Return alerts in the order of their ids, without those that are gone."""
        records = (record for some in _batches(ids, AT_ONCE) for record in self._records(some))
        return [
            alert_codec.alert(id_, record)
            for id_, record in zip(ids, records, strict=True)
            if AlertField.STATE in record
        ]

    def members(self, id_: str, most: int = LOOKED_AT) -> list[Alert]:
        """Return the alerts of a bundle, at most so many, the earliest first."""
        key = self._key("alert_members", id_)
        (found,) = self._read_together(("ZRANGE", key, "0", str(most - 1)))
        return self.get_many([each.decode() for each in found])

    def rings_for(self, number: str) -> list[Alert]:
        """Return the open alerts whose chains called an E.164 number, the latest call first.

        The one that called last is among them also where it has ended.
        """
        digits = number.removeprefix("+")
        ids = self._run("alerts_calling", digits=digits, most=JOBS_LOOKED_AT)
        return self.get_many([id_.decode() for id_ in ids])

    def counts(self) -> Mapping[AlertState, int]:
        """Return how many alerts there are in each state, bundles among them."""
        keys = [self._key("alerts_by_state", state) for state in AlertState]
        found = self._read_together(*(("ZCARD", key) for key in keys))
        return {state: int(count) for state, count in zip(AlertState, found, strict=True)}

    def page(
        self,
        *,
        states: Collection[AlertState] | None = None,
        chain: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> AlertPage:
        """Return the next alerts of these states (None: any) and of a chain, newest first.

        A page may have fewer than `limit` and lead on nevertheless. Raises InvalidCursor.
        """
        start = ("+inf", 0) if cursor is None else _place(cursor)
        alerts: list[Alert] = []
        for looked_at, (alert, place) in enumerate(self._walk(self._index(states), *start)):
            if len(alerts) == limit or looked_at == LOOKED_AT:
                return AlertPage(alerts, cursor)
            if _wanted(alert, states, chain):
                alerts.append(alert)
            cursor = place
        return AlertPage(alerts, None)

    def purge_older(self, before: float) -> int:
        """Remove alerts that ended, or were heard of last, before a moment (ms since the epoch);
        return how many. What rings stays.
        """
        key = self._key("alerts")
        (found,) = self._read_together(("ZRANGEBYSCORE", key, "-inf", f"({before:.0f}"))
        return sum(self.purge(id_.decode(), before) for id_ in found)

    def purge(self, id_: str, before: float) -> bool:
        """Remove an alert that is as old, with all its traces."""
        return bool(self._run("purge_alert", id=id_, before=round(before)))

    # -- below -----------------------------------------------------------------------------

    def _records(self, ids: Sequence[str]) -> list[Mapping[str, str]]:
        keys = [self._key("alert", id_) for id_ in ids]
        found = self._read_together(*(("HGETALL", key) for key in keys)) if keys else []
        return [{k.decode(): _text(v) for k, v in pairs(flat).items()} for flat in found]

    def _index(self, states: Collection[AlertState] | None) -> str:
        if states is not None and len(states) == 1:
            return self._key("alerts_by_state", next(iter(states)))
        return self._key("alerts")

    def _places(self, key: str, most: str, seen: int) -> list[tuple[str, float]]:
        limit = ("LIMIT", str(seen), str(AT_ONCE))
        (flat,) = self._read_together(("ZREVRANGEBYSCORE", key, most, "-inf", "WITHSCORES", *limit))
        return [(name.decode(), float(at)) for name, at in pairs(flat).items()]

    def _walk(self, key: str, most: str, seen: int) -> Iterator[tuple[Alert, str]]:
        """Yield the alerts of an index, newest first, each with the cursor that leads on."""
        while True:
            places = self._places(key, most, seen)
            there = {alert.id: alert for alert in self.get_many([id_ for id_, _ in places])}
            for id_, at in places:
                most, seen = f"{at:.0f}", seen + 1 if most == f"{at:.0f}" else 1
                if id_ in there:
                    yield there[id_], f"{most}.{seen}"
            if len(places) < AT_ONCE:
                return


def _wanted(alert: Alert, states: Collection[AlertState] | None, chain: str | None) -> bool:
    return (states is None or alert.state in states) and chain in {None, alert.chain}


def _recorded(answer: Sequence[bytes]) -> list[Recorded]:
    words: Iterator[Any] = iter([word.decode() for word in answer])
    return [
        Recorded(id_, what, AlertState(state), told_by or None)
        for id_, what, state, told_by in zip(words, words, words, words, strict=True)
    ]


def _batches(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    return (items[start : start + size] for start in range(0, len(items), size))


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _place(cursor: str) -> tuple[str, int]:
    found = _PLACE.fullmatch(cursor)
    if found is None:
        raise InvalidCursor(cursor)
    return found[1], int(found[2])
