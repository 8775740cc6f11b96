"""Schema 1, which 0.1.0 wrote: its keys, its fields and its words, and what each is called now."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import lru_cache
from typing import Any

from phonenumbers import NumberParseException

from dispatcher.model.job import LONGEST_PRODUCER
from dispatcher.model.states import State
from dispatcher.model.tags import CAMPAIGN
from dispatcher.store.event_text import EventText
from dispatcher.store.schema import (
    DEFAULT_PRIORITY,
    LONGEST_PIECE,
    PIECE_MARK,
    AttemptField,
    BulkField,
    Config,
    Credit,
    Delivery,
    Field,
    Pace,
    callid_place,
)
from dispatcher.values.number_types import number_types

Raw = dict[bytes, bytes]
"""A hash as Redis answers it."""

RENAMED: Mapping[str, str] = {
    "job": "job", "next": "due", "usual": "typical_durations",
    "held": "held", "holds": "holds_used", "fed": "set_aside",
    "calls": "by_call",
    "person": "called", "busy": "calling", "connections": "connections",
    "breaker": "breaker", "limits": "config", "pace": "pace",
    "credit": "credit", "burn": "burn", "waiting": "waiting", "costs": "costs",
    "caps": "spending_limits", "used": "spent",
    "reports": "callbacks", "counts": "counters", "ended": "outcomes",
    "keys": "api_keys", "apikey": "api_key", "quota": "quota",
    "act": "bulk_action", "acts": "bulk_actions", "acts:open": "bulk_actions_running",
    "hook": "delivery", "hooks": "webhook_targets", "hooks:due": "webhooks_due",
    "hooks:out": "webhooks_out", "hooks:dead": "webhooks_dead", "hooks:line": "webhook_target",
    "hooks:seq": "webhook_sequence", "hooks:notices": "events_taken",
    "console:session": "session", "console:failed": "login_failures",
}  # fmt: skip
"""The name of a key -> its name in schema.KEYS. The rest of a key's name stays."""
OUT_OF_TARGET = "hooks:out:"
"""`hooks:out` is of all targets, and with one behind it of that target."""
IN_PARTS = ("act", "hooks", "acts", "console")
"""Where the second part of a key's name says what it is."""

_ATTEMPT = re.compile(rb"([0-9]+)\.([a-z]+)")
_LINE = re.compile(rb"t[0-9]+")
_SINCE_CREATION = re.compile(
    rf"{Field.FINISHED}|[0-9]+({AttemptField.SENT}|{AttemptField.ENDED})".encode()
)
_OF_JOB: Mapping[str, str] = {field.name.lower(): field for field in Field} | {
    "lang": Field.LANGUAGE, "fp": Field.FINGERPRINT, "prio": Field.PRIORITY, "n": Field.ATTEMPTS,
    "moves": Field.EVENTS,
    "span": Field.LIFETIME, "since": Field.COUNTED_FROM, "within": Field.WINDOW_OF,
    "owed": Field.COST_CHECK, "max": Field.MAX_ATTEMPTS, "after": Field.REDIAL_AFTER,
    "unsure": Field.ON_UNCERTAIN, "window": Field.EVIDENCE_WINDOW, "limit": Field.CALL_DEADLINE,
    "wait": Field.BACKOFF_LONGEST, "hook": Field.WEBHOOK,
}  # fmt: skip
_OF_ATTEMPT: Mapping[str, str] = {field.name.lower(): field for field in AttemptField} | {
    "exp": AttemptField.RESERVED, "end": AttemptField.ENDED, "conf": AttemptField.CONFERENCE,
    "legs": AttemptField.PARTICIPANTS,
}  # fmt: skip
_OF_DELIVERY: Mapping[str, str] = {"@seq": Delivery.SEQUENCE, "@line": Delivery.TARGET}
_OF_BULK: Mapping[str, str] = {
    "what": BulkField.ACTION, "meant": BulkField.SELECTION, "wish": BulkField.OPTIONS,
    "chosen": BulkField.SELECTED, "credits": BulkField.EXPECTED_CREDITS,
    "answered": BulkField.CREDITS_IF_ANSWERED, "unknown": BulkField.MAY_HAVE_BEEN_CALLED,
    "left_out": BulkField.EXCLUDED, "why": BulkField.NOTE, "begun": BulkField.STARTED,
    "did": BulkField.DONE, "left": BulkField.REMAINING,
}  # fmt: skip
_OF_BREAKER = {"row": "failures", "clear": "certain"}
_OF_CONFIG: Mapping[str, str] = {
    "share": Config.CHECK_SHARE, "lease": Config.CONNECTION_LEASE, "gap": Config.RECIPIENT_GAP,
    "per_day": Config.RECIPIENT_PER_DAY, "alone": Config.ONE_AT_A_TIME,
    "hours": Config.CALLING_HOURS, "blocked": Config.BLOCKED_COUNTRIES,
    "floor": Config.CREDIT_FLOOR, "expected": Config.EXPECTED_COST,
    "warn": Config.CREDIT_WARNINGS, "spend_day": Config.SPEND_PER_DAY,
    "spend_call": Config.SPEND_PER_CALL, "breaker": Config.BREAKER_FAILURES,
    "hooks": Config.WEBHOOK_TARGETS, "every": Config.EVERY_CHANGE,
}  # fmt: skip
_OF_PACE: Mapping[str, str] = {
    "tat": Pace.NEXT_SLOT, "check_tat": Pace.NEXT_CHECK_SLOT, "blocked": Pace.BLOCKED_UNTIL,
    "since": Pace.THROTTLED_AT, "last": Pace.LAST_REQUEST, "cold": Pace.COLD_SINCE,
}  # fmt: skip
_OF_CREDIT: Mapping[str, str] = {
    "seen": Credit.CHECKED, "seen_spent": Credit.SPENT_AT_CHECK, "flying": Credit.RESERVED,
    "guessed": Credit.ESTIMATED, "look_at": Credit.NEXT_CHECK, "looks": Credit.CHECKS,
}  # fmt: skip

_OF_FACTS = {
    "gate": "hold", "act": "action", "chosen": "selected", "did": "done", "left": "remaining",
}  # fmt: skip
KINDS = {
    "gate.closed": "hold.started",
    "gate.ajar": "hold.half_open",
    "gate.opened": "hold.ended",
}
"""What happens to the account, as 0.1.0 called it."""
_CHECKS = {"balance.look", "look"}


def new_name(old: str) -> tuple[str, list[str]] | None:
    """Return the name in schema.KEYS, and its parts, of a key of 0.1.0; None: it has none."""
    if old.startswith(OUT_OF_TARGET):
        return "webhooks_under_way", [old.removeprefix(OUT_OF_TARGET)]
    first, _, rest = old.partition(":")
    second, _, behind = rest.partition(":")
    if first == "act" and behind:
        return "bulk_action_ids", [second, behind]
    if first in IN_PARTS and f"{first}:{second}" in RENAMED:
        first, rest = f"{first}:{second}", behind
    if first not in RENAMED:
        return None
    parts = list(rest.rpartition(":")[::2]) if first == "held" else [rest] if rest else []
    return RENAMED[first], parts


def new_hash(old: str, fields: Raw) -> Raw | None:
    """Return what is to stand in place of a hash of 0.1.0, by its old name; None: it stays."""
    if old.startswith("act:") and old.count(":") > 1:
        return None
    convert = _HASHES.get(old.partition(":")[0])
    return convert(fields) if convert else None


def campaign_tag(fields: Raw) -> bytes:
    """Return the tag of the campaign that a job is of, by its record of now; empty: of none."""
    tags = whole(fields, Field.TAGS.encode()).split(b",")
    mark = CAMPAIGN.encode()
    return next((tag for tag in tags if tag.startswith(mark) and tag != mark), b"")


def line_of(fields: Raw) -> bytes:
    """Return the line of a job, by its record of now: its campaign's, or its producer's."""
    first = EventText.read(whole(fields, b"t0").decode("utf-8", "surrogateescape"))
    producer = first.actor.encode("utf-8", "surrogateescape") if first else b""
    return campaign_tag(fields) or producer[:LONGEST_PRODUCER]


def new_number_types(digits: bytes) -> Raw:
    """Return the types of a job's numbers, which 0.1.0 did not keep; a number that is in no
    numbering plan any more has none.
    """
    texts = [f"+{each}" for each in digits.decode().split(",") if each]
    with suppress(NumberParseException):
        if found := number_types(texts):
            return {Field.NUMBER_TYPES.encode(): ",".join(found).encode()}
    return {}


def new_duration(fields: Raw) -> Raw:
    """Return how long was talked in the latest attempt: 0.1.0 kept it with the job alone."""
    duration, last = fields.get(Field.DURATION.encode()), fields.get(Field.ATTEMPTS.encode())
    if not duration or not last:
        return {}
    return {b"%b%b" % (last, AttemptField.DURATION.encode()): duration}


def whole(fields: Raw, name: bytes) -> bytes:
    """Return a value whose pieces are put together; empty where there is none."""
    value, piece = fields.get(name, b""), 1
    while (part := fields.get(b"%b%b%d" % (name, PIECE_MARK.encode(), piece))) is not None:
        value, piece = value + part, piece + 1
    return value


def cut(name: bytes, value: bytes) -> Raw:
    """Return a value as it is written, cut into pieces."""
    starts = range(0, max(len(value), 1), LONGEST_PIECE)
    names = [b"%b%b%d" % (name, PIECE_MARK.encode(), n) if n else name for n in range(len(starts))]
    return {
        name: value[start : start + LONGEST_PIECE]
        for name, start in zip(names, starts, strict=True)
    }


# -- records -----------------------------------------------------------------------------------


def job(fields: Raw) -> Raw:
    """Return the record of a job as it is now; what has no state is none of 0.1.0's."""
    if b"state" not in fields:
        return fields
    found = record(fields)
    found |= new_number_types(whole(found, Field.TO.encode()))
    found |= new_duration(found)
    if fields.get(b"state") != State.HELD.encode():
        found.pop(Field.HOLD.encode(), None)
    return found


def record(fields: Raw) -> Raw:
    """Return a job's fields as they are written now; what follows from others is absent."""
    found = {_job_field(name): v for name, v in fields.items() if not _has_no_name(name)}
    for name in filter(_LINE.fullmatch, fields):
        found |= cut(name, new_line(whole(fields, name)))
    created = int(fields.get(b"created", b"0"))
    for name in filter(_SINCE_CREATION.fullmatch, found):
        found[name] = b"%d" % (int(found[name]) - created)
    usual = {
        Field.REASON: b"",
        Field.PRIORITY: DEFAULT_PRIORITY.encode(),
        Field.DUE: fields.get(b"created", b""),
    }
    for field, value in usual.items():
        if found.get(field.encode()) == value:
            del found[field.encode()]
    return found


def calls(fields: Raw) -> Raw:
    """Return which jobs some calls belong to."""
    return {callid_place(callid.decode())[1].encode(): id_ for callid, id_ in fields.items()}


def new_line(old: bytes) -> bytes:
    """Return a line of the timeline, which was '<ms> <state>[:<reason>] <who> <why>'."""
    ms, kind, actor, *why = old.decode("utf-8", "surrogateescape").split(" ", 3)
    state, _, reason = kind.partition(":")
    line = EventText(int(ms), state, reason, actor, "".join(why))
    return str(line).encode("utf-8", "surrogateescape")


def delivery(fields: Raw) -> Raw:
    """Return a webhook that waits, or was given up."""
    found = record(_named(fields, _OF_DELIVERY))
    kind = found.get(Delivery.TYPE.encode(), b"").decode()
    if kind in KINDS:
        found[Delivery.TYPE.encode()] = KINDS[kind].encode()
    if facts := found.get(Delivery.FACTS.encode()):
        found |= cut(Delivery.FACTS.encode(), new_facts(facts))
    return found


def bulk(fields: Raw) -> Raw:
    """Return an action on many jobs."""
    found = {}
    for name, value in _named(fields, _OF_BULK).items():
        kind, _, refusal = name.partition(b":")
        words = {b"no": b"skipped", b"ids": b"examples"}
        found[words[kind] + b":" + refusal if kind in words else name] = value
    if wish := found.get(BulkField.OPTIONS.encode()):
        options = {"lifetime" if k == "span" else k: v for k, v in json.loads(wish).items()}
        found[BulkField.OPTIONS.encode()] = _json(options)
    if found.get(BulkField.STATE.encode()) == b"proposed":
        found[BulkField.STATE.encode()] = b"previewed"
    return found


def pace(fields: Raw) -> Raw:
    """Return where the limiter stands; it counts in whole microseconds, and millionths."""
    found = _named(fields, _OF_PACE)
    parts = {Pace.FRACTION.encode(): 10**9}
    return {name: micros(value, parts.get(name, 1000)) for name, value in found.items()}


def micros(number: bytes, parts: int = 1000) -> bytes:
    """Return a number, such as of ms, in so many parts of it."""
    return b"%d" % round(Decimal(number.decode()) * parts)


def hold(text: bytes) -> bytes:
    """Return a gate, which is called a hold now."""
    words = {"ajar": "half_open", "trial": "probe"}
    return _json({words.get(name, name): value for name, value in json.loads(text).items()})


def event(fields: Raw) -> Raw:
    """Return what happened to the account."""
    kind = fields[b"kind"].decode()
    return {b"kind": KINDS.get(kind, kind).encode(), b"facts": new_facts(fields[b"facts"])}


def audit_entry(fields: Raw) -> Raw:
    """Return what somebody did."""
    found = {{b"act": b"action", b"why": b"note"}.get(name, name): v for name, v in fields.items()}
    if found[b"action"].decode() in _CHECKS:
        found |= {b"action": b"balance.check", b"target": b"account"}
    return {**found, b"facts": new_facts(found[b"facts"])}


def new_facts(text: bytes) -> bytes:
    """Return facts, JSON, by their names of now."""
    facts = json.loads(text)
    if not isinstance(facts, dict):  # Lua writes an empty object as a list
        return b"{}"
    return _json({_OF_FACTS.get(name, name): value for name, value in facts.items()})


# -- below -------------------------------------------------------------------------------------


def _has_no_name(name: bytes) -> bool:
    """Whether a field is of the timeline, or says the line of a job of 0.2.0: others tell it."""
    stem = name.partition(PIECE_MARK.encode())[0]
    return stem == b"line" or _LINE.fullmatch(stem) is not None


@lru_cache(4096)
def _job_field(name: bytes) -> bytes:
    stem, mark, piece = name.partition(PIECE_MARK.encode())
    if found := _ATTEMPT.fullmatch(stem):
        stem = found[1] + _word(found[2], _OF_ATTEMPT)
    else:
        stem = _word(stem, _OF_JOB)
    return stem + mark + piece


def _word(name: bytes, words: Mapping[str, str]) -> bytes:
    return words.get(name.decode(), name.decode()).encode()


def _named(fields: Raw, words: Mapping[str, str]) -> Raw:
    return {_word(name, words): value for name, value in fields.items()}


def _by(words: Mapping[str, str]) -> Callable[[Raw], Raw]:
    return lambda fields: _named(fields, words)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


_HASHES: Mapping[str, Callable[[Raw], Raw]] = {
    "job": job,
    "calls": calls,
    "hook": delivery,
    "act": bulk,
    "breaker": _by(_OF_BREAKER),
    "limits": _by(_OF_CONFIG),
    "pace": pace,
    "credit": _by(_OF_CREDIT),
}
