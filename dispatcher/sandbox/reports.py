"""What the control endpoints tell: calls, requests, credits and options as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from dispatcher.sandbox.calls import Call
from dispatcher.sandbox.clock import Clock
from dispatcher.sandbox.ledger import Ledger
from dispatcher.sandbox.state import Sandbox
from dispatcher.sandbox.traffic import Traffic


def call_report(call: Call, clock: Clock) -> dict[str, Any]:
    """Return one call with what was said and what became of its callback."""
    now = clock.now()
    return {
        "callid": call.callid,
        "conferenceid": call.conferenceid,
        "call_type": call.call_type,
        "caller": call.caller,
        "recipient": call.recipient,
        "url": call.url,
        "tts_message": call.tts_message,
        "tts_lang": call.tts_lang,
        "tags": list(call.tags),
        "params": call.params,
        "status": call.status(now),
        "cost": float(call.cost(now)),
        "placed_at": clock.iso(call.placed_at),
        "ended_at": clock.iso(call.ends_at) if call.ended(now) else None,
        "callbackurl": bool(call.callbackurl),
        "callback_tries": [
            {"at": clock.iso(each.at), "result": each.result} for each in call.tries
        ],
    }


def stats_report(sandbox: Sandbox) -> dict[str, Any]:
    provider = sandbox.provider
    return {
        "requests": _requests(sandbox.traffic),
        "calls": {
            "placed": len(provider.calls),
            "in_progress": provider.in_progress,
            "conferences": provider.conferences_placed,
            "callbacks_waiting": sandbox.callbacks.waiting,
        },
        "credits": credits_report(provider.ledger(), sandbox.clock),
    }


def credits_report(ledger: Ledger, clock: Clock) -> dict[str, Any]:
    """Return the sums, and the newest lines of the ledger."""
    lines = [
        {
            "at": clock.iso(line.at),
            "what": line.what,
            "amount": float(line.amount),
            "balance": float(line.balance),
            "callid": line.callid,
        }
        for line in ledger.lines
    ]
    names = ("start", "added", "charged", "balance", "reserved", "available")
    return {**_floats(ledger, names), "ledger": lines}


def options_report(sandbox: Sandbox) -> dict[str, Any]:
    """Return the options in force, without the token; `credits` are those of the start."""
    return {**sandbox.options.shown(), "down": sandbox.outage.mode}


def _requests(traffic: Traffic) -> dict[str, Any]:
    return {
        "total": traffic.total,
        "accepted": traffic.accepted,
        "by_status": dict(traffic.by_status),
        "by_kind": dict(traffic.by_kind),
        "worst_second": {
            "all": traffic.all_seconds.worst,
            "accepted": traffic.accepted_seconds.worst,
        },
        "peak_requests": traffic.peak_requests,
        "peak_connections": traffic.peak_connections,
    }


def _floats(ledger: Ledger, names: Iterable[str]) -> dict[str, float]:
    values: dict[str, Decimal] = {name: getattr(ledger, name) for name in names}
    return {name: float(value) for name, value in values.items()}
