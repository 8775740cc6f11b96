"""Between the frozen values of alerts and the flat fields of a record in Redis."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dispatcher.model.alert import (
    Acknowledgement,
    Alert,
    AlertCall,
    AlertEvent,
    AlertReason,
    AlertState,
    Severity,
    TimelineLine,
)
from dispatcher.store import codec
from dispatcher.store.connection import milliseconds
from dispatcher.store.schema import ALERT_HISTORY, AlertField
from dispatcher.store.values import job_id

if TYPE_CHECKING:
    from dispatcher.model.alert_change import AlertChange, PlannedCall
    from dispatcher.model.on_call import Chain
    from dispatcher.store.alert_values import AlertRow

Record = Mapping[str, str]

# -- written -------------------------------------------------------------------------------


def report(row: AlertRow) -> dict[str, Any]:
    """Return what monitoring reported as `record_alerts` takes it."""
    event = row.event
    started = codec.moment(event.started_at)
    given = {
        "id": alert_id(event, started),
        "incident": job_id(f"{event.source}\0{event.fingerprint}", "incident"),
        "started": started or None,
        "firing": event.firing,
        "repeats": event.repeats,
        "called": row.called,
        "fields": {k: v for k, v in (_told(event) | _of_chain(row)).items() if v is not None},
    }
    return {name: value for name, value in given.items() if value is not None}


def alert_id(event: AlertEvent, started: str) -> str:
    """Return the id of a new alert: of an incident whose start is known always the same."""
    incident = f"{event.source}\0{event.fingerprint}\0{started}"
    return job_id(incident if started else None, "alert")


def _told(event: AlertEvent) -> dict[str, str | None]:
    return {
        AlertField.SOURCE: event.source,
        AlertField.FINGERPRINT: event.fingerprint,
        AlertField.SEVERITY: str(event.severity),
        AlertField.SUMMARY: event.summary,
        AlertField.LABELS: _json(event.labels),
        AlertField.ANNOTATIONS: _json(event.annotations),
        AlertField.LINK: event.link,
        AlertField.TRACEPARENT: event.traceparent,
    }


def _of_chain(row: AlertRow) -> dict[str, str | None]:
    rules = row.rules
    if not (row.called and row.chain and rules):
        return {}
    return {
        AlertField.CHAIN: row.chain,
        AlertField.RULES: rules.model_dump_json(),
        AlertField.STORM_MORE_THAN: str(rules.storm.more_than),
        AlertField.STORM_WITHIN: str(milliseconds(rules.storm.within.total_seconds())),
        AlertField.REPEAT_AFTER: str(milliseconds(rules.repeat_after.total_seconds())),
        AlertField.TELL_RESOLVED: "1" if rules.tell_resolved else None,
    }


def change(id_: str, change: AlertChange) -> dict[str, Any]:
    """Return a decision as `advance_alert` takes it."""
    return {
        "round": change.round,
        "step": change.step,
        "turn": change.turn,
        "position": change.position,
        "calls": [_planned(id_, call) for call in change.calls],
        "cancel": list(change.cancel),
        "state": change.state,
        "reason": change.reason,
        "by": change.acknowledged_by,
        "how": change.acknowledged_how,
        "next": codec.moment(change.next_at) or None,
        "lines": list(change.lines),
    }


def _planned(id_: str, call: PlannedCall) -> dict[str, Any]:
    planned: dict[str, Any] = {"number": call.number, "contact": call.contact}
    planned |= {
        name: str(value)
        for name, value in (("round", call.round), ("step", call.step))
        if value is not None
    }
    if call.request is None:
        return {**planned, "skipped": call.skipped or "nobody knows why"}
    from dispatcher.store import packing  # noqa: PLC0415 - who only reads has no use for it

    row = packing.packed(call.request, id_=job_id(f"{id_}\0{call.number}", "alert"))
    return {**planned, "row": json.loads(row.text)}


def _json(value: Mapping[str, str]) -> str:
    return json.dumps(dict(value), separators=(",", ":"), ensure_ascii=False)


# -- read ----------------------------------------------------------------------------------


def alert(id_: str, record: Record) -> Alert:
    """Return the alert that a record tells of."""
    get = record.get
    how, reason = get(AlertField.ACKNOWLEDGED_HOW), get(AlertField.REASON)
    return Alert(
        id=id_,
        version=int(record[AlertField.VERSION]),
        source=record[AlertField.SOURCE],
        fingerprint=record[AlertField.FINGERPRINT],
        state=AlertState(record[AlertField.STATE]),
        reason=AlertReason(reason) if reason else None,
        severity=Severity(record[AlertField.SEVERITY]),
        summary=record[AlertField.SUMMARY],
        labels=json.loads(record[AlertField.LABELS]),
        annotations=json.loads(record[AlertField.ANNOTATIONS]),
        link=get(AlertField.LINK),
        chain=get(AlertField.CHAIN),
        rules=_chain(rules) if (rules := get(AlertField.RULES)) else None,
        started_at=_time(record[AlertField.STARTED]),
        received_at=_time(record[AlertField.RECEIVED]),
        heard_at=_time(record[AlertField.HEARD]),
        reports=int(record[AlertField.REPORTS]),
        rung_at=_moment(record, AlertField.RUNG),
        acknowledged_at=_moment(record, AlertField.ACKNOWLEDGED),
        acknowledged_by=get(AlertField.ACKNOWLEDGED_BY),
        acknowledged_how=Acknowledgement(how) if how else None,
        ended_at=_moment(record, AlertField.ENDED),
        told_by=get(AlertField.TOLD_BY),
        members=_count(record, AlertField.MEMBERS),
        firing_members=_count(record, AlertField.FIRING),
        round=_count(record, AlertField.ROUND),
        step=_count(record, AlertField.STEP),
        turn=_count(record, AlertField.TURN),
        began_at=_moment(record, AlertField.BEGAN),
        since=_moment(record, AlertField.SINCE),
        position=get(AlertField.POSITION, ""),
        telling=AlertField.TELLING in record,
        next_at=_moment(record, AlertField.NEXT),
        last_call=_count(record, AlertField.CALLS),
        calls=tuple(_calls(record)),
        timeline=tuple(_timeline(record)),
        traceparent=get(AlertField.TRACEPARENT),
    )


def _calls(record: Record) -> Iterator[AlertCall]:
    for number, line in _latest(record, "c", AlertField.CALLS):
        at, round_, step, turn, contact, job, *skipped = line.split(" ", 6)
        yield AlertCall(
            number=number,
            contact=contact,
            round=int(round_),
            step=int(step),
            at=_time(at),
            job_id=None if job == "-" else job,
            skipped=_why(contact, skipped[0]) if skipped else None,
            turn=int(turn),
        )


def _timeline(record: Record) -> Iterator[TimelineLine]:
    for _, line in _latest(record, "t", AlertField.LINES):
        at, who, what = line.split(" ", 2)
        yield TimelineLine(_time(at), what, who)


def _latest(record: Record, mark: str, count: AlertField) -> Iterator[tuple[int, str]]:
    last = _count(record, count)
    for number in range(max(last - ALERT_HISTORY, 0) + 1, last + 1):
        if line := record.get(f"{mark}{number}"):
            yield number, line


_REFUSED = {
    "listed": "{} is on the do-not-call list",
    "country": "the account does not call numbers of {what}, such as that of {}",
    "type": "the account does not call {what} numbers, such as that of {}",
    "language": "the provider does not speak {what} of late",
}


def _why(contact: str, skipped: str) -> str:
    """Return why somebody was not called, from what enqueue answered or as it was decided."""
    kind, colon, what = skipped.partition(":")
    if colon and kind in _REFUSED and " " not in what:
        return _REFUSED[kind].format(contact, what=what)
    return skipped


@lru_cache(maxsize=256)
def _chain(text: str) -> Chain | None:
    """Return a chain; None for one that another version wrote and this one cannot read."""
    from dispatcher.model.on_call import Chain  # noqa: PLC0415 - pydantic, which a look can spare

    try:
        return Chain.model_validate_json(text)
    except ValueError:
        return None


def _time(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(float(milliseconds) / 1000, UTC)


def _moment(record: Record, name: AlertField) -> datetime | None:
    return _time(record[name]) if record.get(name) else None


def _count(record: Record, name: AlertField) -> int:
    return int(record.get(name) or 0)
