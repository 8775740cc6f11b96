"""Calls: all that becomes of one is settled when it is placed, and looked up when asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from dispatcher.sandbox.clock import Clock
from dispatcher.sandbox.numbers import ANSWERED, IN_PROGRESS

PLAYBACK = "simple/playbacks"
CONFERENCE = "simple/conferences"


@dataclass(frozen=True, slots=True)
class Try:
    """One try of a call's callback: the HTTP status it was answered with, or what went wrong."""

    at: float
    result: int | str


@dataclass(slots=True, kw_only=True, eq=False)
class Call:
    """One call. It ends by the clock, so that a hundred thousand under way cost nothing."""

    callid: str
    caller: str
    recipient: str
    placed_at: float
    ends_at: float
    outcome: str
    price: Decimal
    under_way: str = IN_PROGRESS
    cost_told_at: float = 0.0
    call_type: str = PLAYBACK
    url: str = ""
    tts_message: str = ""
    tts_lang: str = ""
    callbackurl: str = field(default="", repr=False)
    tags: tuple[str, ...] = ()
    params: dict[str, str] = field(default_factory=dict)
    conferenceid: str | None = None
    tries: tuple[Try, ...] = ()

    def ended(self, now: float) -> bool:
        return now >= self.ends_at

    def status(self, now: float) -> str:
        return self.outcome if self.ended(now) else self.under_way

    @property
    def final_cost(self) -> Decimal:
        """Credits the call takes at its end: nothing unless it is answered."""
        return self.price if self.outcome == ANSWERED else Decimal(0)

    def cost(self, now: float) -> Decimal:
        return self.final_cost if self.ended(now) else Decimal(0)

    def told_cost(self, now: float) -> float | None:
        """What the status page says of the cost: null until it is told, once the call is over."""
        return None if self.ended(now) and now < self.cost_told_at else float(self.cost(now))

    def duration(self, now: float) -> int:
        """Whole seconds, each begun one counted, of an answered call that has ended."""
        talked = self.ended(now) and self.outcome == ANSWERED
        return math.ceil(self.ends_at - self.placed_at) if talked else 0


def call_status(call: Call, now: float, clock: Clock) -> dict[str, Any]:
    """Return the answer of the call status page."""
    return {
        **_common(call, now, clock),
        "call_type": call.call_type,
        "direction": "outbound",
        "tags": list(call.tags),
    }


def conference_status(
    conferenceid: str, calls: list[Call], now: float, clock: Clock
) -> dict[str, Any]:
    """Return the answer of the conference status page: sums, and each participant's call."""
    over = all(call.ended(now) for call in calls)
    told = [call.told_cost(now) for call in calls]
    return {
        "conferenceid": conferenceid,
        "cost": None if None in told else sum(cost for cost in told if cost),
        "start_time": clock.provider_time(calls[0].placed_at),
        "end_time": clock.provider_time(max(call.ends_at for call in calls)) if over else None,
        "duration": max(call.duration(now) for call in calls),
        "participants": [_common(call, now, clock) for call in calls],
    }


def _common(call: Call, now: float, clock: Clock) -> dict[str, Any]:
    """What a call says of itself on both pages; an end that is yet to come is null."""
    return {
        "callid": call.callid,
        "status": call.status(now),
        "recipient": call.recipient,
        "caller": call.caller,
        "url": call.url,
        "cost": call.told_cost(now),
        "duration": call.duration(now),
        "start_time": clock.provider_time(call.placed_at),
        "end_time": clock.provider_time(call.ends_at) if call.ended(now) else None,
    }
