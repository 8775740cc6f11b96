"""Between a request or a job and the flat fields of its record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.request import JobRequest
from dispatcher.store.values import Packed, job_id
from dispatcher.values.tariffs import tariff, to_units

Fields = list[str]
"""field, value, field, value, …, as Redis' HSET takes them."""


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
    }
    return [
        text for pair in pairs.items() if pair[1] is not None for text in (pair[0], pair[1] or "")
    ]


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


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)


def _milliseconds(value: float | None) -> str | None:
    return None if value is None else str(round(value * 1000))


def _units(amount: float | None) -> str | None:
    return None if amount is None else str(to_units(amount))
