"""Between the frozen values of the model and the flat fields of a record in Redis."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.attempt import Attempt
from dispatcher.model.call import CallReport, Leg
from dispatcher.model.decision import Decision
from dispatcher.model.job import Event, Job
from dispatcher.model.request import JobRequest, Kind
from dispatcher.model.states import OnUncertain, Priority, State
from dispatcher.store.values import Packed, job_id
from dispatcher.values.tariffs import tariff, to_units

Fields = list[str]
"""field, value, field, value, …, as Redis' HSET takes them."""
Record = Mapping[str, str]
"""A record's fields as text."""

# -- written -------------------------------------------------------------------------------


def request_fields(request: JobRequest, price: str | None = None) -> Fields:
    """Return what a request adds to its job's record; what was left out is not stored.

    `price` is its tariff, where that is worked out already.
    """
    pairs = {
        "to": ",".join(number.removeprefix("+") for number in request.called),
        "say": request.say,
        "play": request.play,
        "lang": request.lang,
        "caller": request.caller,
        "tags": ",".join(request.tags) or None,
        "key": request.key,
        "max": _number(request.max_attempts),
        "redial": _number(request.redial),
        "after": _milliseconds(request.redial_after),
        "unsure": request.on_uncertain.value if request.on_uncertain else None,
        "window": _milliseconds(request.evidence_window),
        "limit": _milliseconds(request.call_deadline),
        "hours": request.hours,
        "wait": _milliseconds(request.backoff_longest),
        "tariff": price or tariff(request),
        "hook": request.webhook,
        "params": _json(request.params) if request.params else None,
    }
    return _flat(pairs)


def account_fields(config: AccountConfig) -> dict[str, str]:
    """Return the fields of ns:limits (store/lua/_record.lua lists them)."""
    found = {
        "rate": None if config.rate is None else repr(config.rate.per_second),
        "margin": repr(config.margin),
        "share": repr(config.share),
        "recovery": str(round(config.recovery * 1000)),
        "connections": str(config.connections),
        "least": str(max(16, 2 * config.connections)),
        "window": str(max(64, 16 * config.connections)),
        "lease": str(round(config.lease * 1000)),
        "gap": str(round(config.gap * 1000)) if config.gap else None,
        "per_day": None if config.per_day is None else str(config.per_day),
        "alone": "1" if config.one_at_a_time else None,
        "hours": None if config.hours is None else config.hours.text,
        "countries": ",".join(sorted(config.countries)) or None,
        "blocked": ",".join(sorted(config.blocked)) or None,
        "floor": _units(config.floor),
        "expected": _units(config.expected_cost),
        "warn": ",".join(str(to_units(level)) for level in config.warn) or None,
        "spend_day": _units(config.spend_per_day),
        "spend_call": _units(config.spend_per_call),
        "zone": config.zone,
        "breaker": str(config.breaker),
        "hooks": str(config.webhooks) if config.webhooks else None,
        "every": "1" if config.every_change else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def packed(request: JobRequest, scope: str = "") -> Packed:
    """Return a request as it is sent to be enqueued; its key is looked for within the scope."""
    id_, fingerprint, price = job_id(request.key, scope), request.fingerprint(), tariff(request)
    due, end = moment(request.at) or "+0", moment(request.expires)
    row = [id_, fingerprint, request.priority, due, end, *request_fields(request, price)]
    return Packed(id_, fingerprint, price, json.dumps(row, ensure_ascii=False))


def moment(value: datetime | timedelta | None) -> str:
    """Return a moment as the scripts take it: ms since the epoch, +ms from now, or ''."""
    if value is None:
        return ""
    if isinstance(value, timedelta):
        return f"+{round(value.total_seconds() * 1000)}"
    return str(round(value.timestamp() * 1000))


def decision_fields(attempt: int, decision: Decision) -> Fields:
    """Return what a decision leaves in its job's record: `<attempt>.…` is the attempt's own."""
    own: dict[str, str | None] = {"result": decision.result}
    if decision.call:
        own["callid"] = ",".join(decision.call.callids)
        own["conf"] = decision.call.conferenceid or None
    of_job: dict[str, str | None] = {"owed": _milliseconds(decision.cost_check_after)}
    if report := decision.report:
        own |= {"cost": _text(report.cost), "legs": legs_text(report.legs) or None}
        of_job |= {"outcome": report.word, "duration": _duration(report)}
    if decision.to not in {State.IN_PROGRESS, State.COMPLETED}:
        own["error"] = decision.why
    return _flat({f"{attempt}.{name}": value for name, value in own.items()} | of_job)


def legs_text(legs: Iterable[Leg]) -> str:
    """Return the legs as a record keeps them, '' where there are none."""
    rows = [
        [leg.callid, leg.number, leg.status, _text(leg.cost), _text(leg.duration)] for leg in legs
    ]
    return _json(rows) if rows else ""


def _flat(pairs: Mapping[str, str | None]) -> Fields:
    """Return the fields that have a value."""
    return [text for name, value in pairs.items() if value is not None for text in (name, value)]


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)


def _milliseconds(value: float | None) -> str | None:
    return None if value is None else str(round(value * 1000))


def _units(amount: float | None) -> str | None:
    return None if amount is None else str(to_units(amount))


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
    return {
        name.decode(): _joined(name, value, raw).decode("utf-8", "replace")
        for name, value in raw.items()
        if b"~" not in name
    }


def _joined(name: bytes, value: bytes, raw: Mapping[bytes, bytes]) -> bytes:
    parts = [value]
    while (part := raw.get(b"%b~%d" % (name, len(parts)))) is not None:
        parts.append(part)
    return b"".join(parts)


def job(id_: str, record: Record, next_at: float | None = None) -> Job:
    """Return the job that a record tells of; `next_at` in ms since the epoch."""
    get = record.get
    state = State(record["state"])
    reason = get("reason") or None
    attempts = tuple(_attempt(record, n) for n in range(1, int(record["n"]) + 1))
    return Job(
        id=id_,
        kind=_kind(record),
        state=state,
        reason=None if state is State.HELD else reason,
        hold_reason=reason if state is State.HELD else None,
        outcome=get("outcome"),
        priority=Priority(record["prio"]),
        numbers=tuple(f"+{digits}" for digits in record["to"].split(",")),
        say=get("say"),
        lang=get("lang"),
        play=get("play"),
        caller=get("caller"),
        tags=tuple(record["tags"].split(",")) if get("tags") else (),
        key=get("key"),
        max_attempts=_int(get("max")),
        redial=_int(get("redial")),
        redial_after=_seconds(get("after")),
        on_uncertain=OnUncertain(record["unsure"]) if get("unsure") else None,
        evidence_window=_seconds(get("window")),
        call_deadline=_seconds(get("limit")),
        hours=get("hours"),
        backoff_longest=_seconds(get("wait")),
        webhook=get("hook"),
        spent=int(record["spent"]),
        since=int(get("since") or 0),
        created_at=_time(record["created"]),
        due_at=_time(record["due"]),
        expires_at=_time_or_none(get("expires")),
        finished_at=_time_or_none(get("finished")),
        duration=float(record["duration"]) if get("duration") else None,
        attempts=attempts,
        timeline=_timeline(record),
        next_at=None if next_at is None else _time(str(next_at)),
        cost_check_after=_seconds(get("owed")),
        params=json.loads(record.get("params", "{}")),
    )


def _kind(record: Record) -> Kind:
    if "," in record["to"]:
        return Kind.CONFERENCE
    return Kind.PLAYBACK if "play" in record else Kind.TTS


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


def _time_or_none(milliseconds: str | None) -> datetime | None:
    return _time(milliseconds) if milliseconds else None


def _int(text: str | None) -> int | None:
    return int(text) if text else None


def _seconds(milliseconds: str | None) -> float | None:
    return int(milliseconds) / 1000 if milliseconds else None


def _attempt(record: Record, number: int) -> Attempt:
    return Attempt(
        number=number,
        sent_at=_time_or_none(record.get(f"{number}.sent")),
        ended_at=_time_or_none(record.get(f"{number}.end")),
        result=record.get(f"{number}.result"),
        callid=record.get(f"{number}.callid"),
        conferenceid=record.get(f"{number}.conf"),
        error=record.get(f"{number}.error"),
        cost=Decimal(cost) if (cost := record.get(f"{number}.cost")) else None,
        legs=legs(record.get(f"{number}.legs", "")),
    )


_EVENT = re.compile(r"(\d+) (\S+) (\S+) ?(.*)", re.DOTALL)


def _timeline(record: Record) -> tuple[Event, ...]:
    created = int(record["created"])
    events: list[Event] = []
    for index in range(int(record["moves"])):
        found = _EVENT.fullmatch(record.get(f"t{index}", ""))
        if found:
            before = events[-1].to if events else None
            to, _, reason = found[2].partition(":")
            at = _time(str(created + int(found[1])))
            events.append(Event(at, before, to, reason or None, found[3], found[4]))
    return tuple(events)
