"""Between the frozen values of the model and the flat fields of a record in Redis."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from dispatcher.model.attempt import Attempt
from dispatcher.model.call import CallReport, Leg
from dispatcher.model.decision import Decision
from dispatcher.model.job import Event, Job
from dispatcher.model.kinds import Kind
from dispatcher.model.states import Dnc, OnUncertain, Priority, State
from dispatcher.store.event_text import EventText
from dispatcher.store.schema import (
    DEFAULT_ACCOUNT,
    DEFAULT_PRIORITY,
    PIECE_MARK,
    AttemptField,
    Field,
)

Fields = dict[str, str]
"""A record's fields as they are written; what there is no value of is left out."""
Record = Mapping[str, str]
"""A record's fields as text."""
_MARK = PIECE_MARK.encode()

# -- written -------------------------------------------------------------------------------


def moment(value: datetime | timedelta | None) -> str:
    """Return a moment as the operations take it: ms since the epoch, +ms from now, or ''."""
    if value is None:
        return ""
    if isinstance(value, timedelta):
        return f"+{round(value.total_seconds() * 1000)}"
    return str(round(value.timestamp() * 1000))


def decision_fields(decision: Decision) -> tuple[Fields, Fields]:
    """Return what a decision leaves with its attempt, by the names that operations have for that,
    and with the job.
    """
    own: dict[AttemptField, str | None] = {AttemptField.RESULT: decision.result}
    if decision.call:
        own[AttemptField.CALLID] = ",".join(decision.call.callids)
        own[AttemptField.CONFERENCE] = decision.call.conferenceid or None
    of_job: dict[str, str | None] = {Field.COST_CHECK: _milliseconds(decision.cost_check_after)}
    if report := decision.report:
        own[AttemptField.COST] = _text(report.cost)
        own[AttemptField.DURATION] = _duration(report)
        own[AttemptField.PARTICIPANTS] = legs_text(report.legs) or None
        of_job |= {Field.OUTCOME: report.word, Field.DURATION: _duration(report)}
    if decision.to not in {State.IN_PROGRESS, State.COMPLETED}:
        own[AttemptField.ERROR] = decision.why
    return _given({name.name.lower(): value for name, value in own.items()}), _given(of_job)


def legs_text(legs: Iterable[Leg]) -> str:
    """Return the legs as a record keeps them, '' where there are none."""
    rows = [
        [leg.callid, leg.number, leg.status, _text(leg.cost), _text(leg.duration)] for leg in legs
    ]
    return _json(rows) if rows else ""


def _given(fields: Mapping[str, str | None]) -> Fields:
    return {str(name): str(value) for name, value in fields.items() if value is not None}


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)


def _milliseconds(value: float | None) -> str | None:
    return None if value is None else str(round(value * 1000))


def _text(value: Decimal | float | None) -> str | None:
    return None if value is None else str(value)


def _duration(report: CallReport) -> str | None:
    return None if report.duration is None else f"{report.duration:g}"


# -- read ----------------------------------------------------------------------------------


def record(raw: Mapping[bytes, bytes] | Iterable[bytes]) -> dict[str, str]:
    """Return a record's fields as text, with long values put together again."""
    if not isinstance(raw, Mapping):
        flat = iter(raw)
        raw = dict(zip(flat, flat, strict=True))
    if not any(_MARK in name for name in raw):
        return {n.decode("latin-1"): each.decode("utf-8", "replace") for n, each in raw.items()}
    return _whole({name.decode("latin-1"): each.decode("latin-1") for name, each in raw.items()})


def record_of_json(text: bytes) -> dict[str, str]:
    """Return a record's fields as text, of those that an operation wrote as one JSON object."""
    return _whole(json.loads(text.decode("latin-1")))


def _whole(fields: Mapping[str, str]) -> dict[str, str]:
    """Put pieces together. Until then each byte is a letter: pieces are cut anywhere."""
    pieces = {name for name in fields if PIECE_MARK in name}
    long = {name.partition(PIECE_MARK)[0] for name in pieces}
    return {
        name: _decoded(_joined(name, fields) if name in long else value)
        for name, value in fields.items()
        if name not in pieces
    }


def _joined(name: str, fields: Mapping[str, str]) -> str:
    parts = [fields[name]]
    while (part := fields.get(f"{name}{PIECE_MARK}{len(parts)}")) is not None:
        parts.append(part)
    return "".join(parts)


def _decoded(text: str) -> str:
    return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")


def claimed(id_: str, text: bytes) -> Job:
    """Return a job for its turn, of the record that an operation wrote as JSON: without its
    timeline, which nobody looks at there and which takes a fifth of the reading.
    """
    return job(id_, {**record_of_json(text), Field.EVENTS: "0"})


def job(id_: str, record: Record, next_at: float | None = None) -> Job:
    """Return the job that a record tells of; `next_at` in ms since the epoch."""
    get = record.get
    created = record[Field.CREATED]
    state, reason = State(record[Field.STATE]), get(Field.REASON) or None
    return Job(
        id=id_,
        kind=_kind(record),
        state=state,
        reason=None if state is State.HELD else reason,
        hold_reason=reason if state is State.HELD else None,
        outcome=get(Field.OUTCOME),
        priority=Priority(get(Field.PRIORITY) or DEFAULT_PRIORITY),
        numbers=_numbers(record[Field.TO]),
        say=get(Field.SAY),
        lang=get(Field.LANGUAGE),
        play=get(Field.PLAY),
        caller=get(Field.CALLER),
        tags=tuple(record[Field.TAGS].split(",")) if get(Field.TAGS) else (),
        key=get(Field.KEY),
        max_attempts=_int(get(Field.MAX_ATTEMPTS)),
        redial=_int(get(Field.REDIAL)),
        redial_after=_seconds(get(Field.REDIAL_AFTER)),
        on_uncertain=OnUncertain(chosen) if (chosen := get(Field.ON_UNCERTAIN)) else None,
        evidence_window=_seconds(get(Field.EVIDENCE_WINDOW)),
        call_deadline=_seconds(get(Field.CALL_DEADLINE)),
        hours=get(Field.HOURS),
        backoff_longest=_seconds(get(Field.BACKOFF_LONGEST)),
        webhook=get(Field.WEBHOOK),
        spent=int(get(Field.SPENT) or 0),
        since=int(get(Field.COUNTED_FROM) or 0),
        created_at=_time(created),
        due_at=_time(get(Field.DUE) or created),
        expires_at=_time_or_none(get(Field.EXPIRES)),
        finished_at=_time_since(created, get(Field.FINISHED)),
        duration=float(text) if (text := get(Field.DURATION)) else None,
        attempts=tuple(_attempt(record, n) for n in range(1, int(get(Field.ATTEMPTS) or 0) + 1)),
        timeline=_timeline(record),
        next_at=None if next_at is None else _time(str(next_at)),
        cost_check_after=_seconds(get(Field.COST_CHECK)),
        params=_object(get(Field.PARAMS)),
        code=get(Field.CODE),
        answered_after=_seconds(get(Field.ANSWERED_AFTER)),
        dnc=Dnc(chosen) if (chosen := get(Field.DNC)) else Dnc.OBEY,
        meta=_object(get(Field.META)),
        alert=get(Field.ALERT),
        traceparent=get(Field.TRACEPARENT),
    )


def _kind(record: Record) -> Kind:
    if "," in record[Field.TO]:
        return Kind.CONFERENCE
    return Kind.PLAYBACK if Field.PLAY in record else Kind.TTS


def _numbers(digits: str) -> tuple[str, ...]:
    return tuple(f"+{each}" for each in digits.split(","))


def legs(text: str) -> tuple[Leg, ...]:
    """Return what `legs_text` wrote."""
    return tuple(
        Leg(
            callid,
            number,
            status,
            None if cost is None else Decimal(cost),
            None if duration is None else float(duration),
        )
        for callid, number, status, cost, duration in json.loads(text or "[]")
    )


def _time(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(float(milliseconds) / 1000, UTC)


def _time_since(created: str, milliseconds: str | None) -> datetime | None:
    return _time(str(int(created) + int(milliseconds))) if milliseconds else None


def _time_or_none(milliseconds: str | None) -> datetime | None:
    return _time(milliseconds) if milliseconds else None


def _object(text: str | None) -> dict[str, str]:
    found: dict[str, str] = json.loads(text) if text else {}
    return found


def _int(text: str | None) -> int | None:
    return int(text) if text else None


def _seconds(milliseconds: str | None) -> float | None:
    return int(milliseconds) / 1000 if milliseconds else None


def _attempt(record: Record, number: int) -> Attempt:
    before = str(number)

    def get(name: AttemptField) -> str | None:
        return record.get(before + name)  # to format a member of an enumeration takes longer

    return Attempt(
        number=number,
        sent_at=_time_since(record[Field.CREATED], get(AttemptField.SENT)),
        ended_at=_time_since(record[Field.CREATED], get(AttemptField.ENDED)),
        result=get(AttemptField.RESULT),
        callid=get(AttemptField.CALLID),
        conferenceid=get(AttemptField.CONFERENCE),
        error=get(AttemptField.ERROR),
        cost=Decimal(cost) if (cost := get(AttemptField.COST)) else None,
        duration=float(text) if (text := get(AttemptField.DURATION)) else None,
        legs=legs(text) if (text := get(AttemptField.PARTICIPANTS)) else (),
        provider=get(AttemptField.PROVIDER),
        account=get(AttemptField.ACCOUNT) or DEFAULT_ACCOUNT,
        numbers=_numbers(get(AttemptField.TO) or record[Field.TO]),
    )


def _timeline(record: Record) -> tuple[Event, ...]:
    created = int(record[Field.CREATED])
    events: list[Event] = []
    for index in range(int(record[Field.EVENTS])):
        found = EventText.read(record.get(f"t{index}", ""))
        if found:
            before = events[-1].to if events else None
            at = _time(str(created + found.ms))
            reason = found.reason or None
            events.append(Event(at, before, found.state, reason, found.actor, found.why))
    return tuple(events)
