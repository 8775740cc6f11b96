"""The provider itself: one account, its calls, conferences and credits. It knows no HTTP."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from decimal import Decimal
from itertools import count
from typing import NamedTuple
from uuid import UUID

from dispatcher.sandbox import calls, pricing, refusals
from dispatcher.sandbox.calls import Call
from dispatcher.sandbox.clock import Clock
from dispatcher.sandbox.forms import Conference, Playback
from dispatcher.sandbox.ledger import Ledger, amount
from dispatcher.sandbox.numbers import LONG, Quirk, behaviour
from dispatcher.sandbox.options import SandboxOptions
from dispatcher.sandbox.refusals import Refusal

# What the POST's answer hides of calls that were placed.
_ANSWER_QUIRKS = frozenset({Quirk.ERROR_PLACED, Quirk.CUT, Quirk.SLOW, Quirk.NOT_JSON})
_NOT_ALLOWED = "Country not allowed"


class Placed(NamedTuple):
    """Calls that were placed, and what becomes of the answer that should say so."""

    calls: list[Call]
    quirk: Quirk
    conferenceid: str | None = None


class Provider:
    """Places calls and knows what became of them. Methods raise Refusal for a no."""

    def __init__(self, options: SandboxOptions, clock: Clock) -> None:
        self.options = options
        self.calls: dict[str, Call] = {}
        self._conferences: dict[str, list[Call]] = {}
        self._clock = clock
        self._ledger = Ledger(amount(options.credits), clock.now())
        self._endings: list[tuple[float, int, Call]] = []
        self._numbers: Counter[str] = Counter()  # calls placed to each
        self._throttled: set[str] = set()
        self._serial = count(1)

    def place_playback(self, order: Playback) -> Placed:
        usual = pricing.TTS if order.tts_message else pricing.PLAYBACK
        price = pricing.of_number(order.recipient, usual)
        not_allowed = Refusal(403, {"non_field_errors": [_NOT_ALLOWED]})
        self._admit((order.recipient,), price, not_allowed)
        call = self._call(
            order.recipient,
            price,
            caller=order.caller,
            url=order.url,
            tts_message=order.tts_message,
            tts_lang=order.tts_lang,
            callbackurl=order.callbackurl,
            tags=order.tags,
            params=order.params,
        )
        return Placed([call], _answer_quirk((order.recipient,)))

    def place_conference(self, order: Conference) -> Placed:
        numbers = order.participants
        not_allowed = refusals.field_errors({"participants": [_NOT_ALLOWED]})
        prices = [pricing.of_number(number, pricing.PARTICIPANT) for number in numbers]
        self._admit(numbers, sum(prices, Decimal(0)), not_allowed)
        conferenceid = self._id("conference", next(self._serial))
        placed = [
            self._call(
                number,
                price,
                caller=order.caller,
                call_type=calls.CONFERENCE,
                conferenceid=conferenceid,
                params=order.params,
            )
            for number, price in zip(numbers, prices, strict=True)
        ]
        self._conferences[conferenceid] = placed
        return Placed(placed, _answer_quirk(numbers), conferenceid)

    def call(self, callid: str) -> Call:
        call = self.calls.get(callid)
        if call and self._shows(call):
            return call
        raise refusals.not_found()

    def conference(self, conferenceid: str) -> list[Call]:
        placed = self._conferences.get(conferenceid)
        if placed and self._shows(placed[0]):
            return placed
        raise refusals.not_found()

    def _shows(self, call: Call) -> bool:
        return self._clock.now() >= call.placed_at + self.options.lag

    @property
    def conferences_placed(self) -> int:
        return len(self._conferences)

    @property
    def in_progress(self) -> int:
        self._settle()
        return len(self._endings)

    def ledger(self) -> Ledger:
        """Return the ledger with every call charged that has ended by now."""
        self._settle()
        return self._ledger

    def _admit(self, numbers: tuple[str, ...], price: Decimal, not_allowed: Refusal) -> None:
        for number in numbers:
            self._refuse_by_number(number, not_allowed)
        if not self.options.postpaid:
            self._refuse_unpayable(price)

    def _refuse_by_number(self, number: str, not_allowed: Refusal) -> None:
        quirk = behaviour(number).quirk
        if quirk is Quirk.COUNTRY:
            raise not_allowed
        if quirk is Quirk.THROTTLED_ONCE and number not in self._throttled:
            self._throttled.add(number)
            raise refusals.throttled(1)
        if quirk is Quirk.ERROR_NOT_PLACED:
            raise refusals.server_error()

    def _refuse_unpayable(self, price: Decimal) -> None:
        if self.ledger().available < max(pricing.LEAST_BALANCE, price):
            raise refusals.not_enough_credits(price)

    def _call(self, number: str, price: Decimal, **details: object) -> Call:
        now = self._clock.now()
        serial = next(self._serial)
        lasts = LONG if behaviour(number).lasts_long else self.options.ring
        call = Call(
            callid=self._id("call", serial),
            recipient=number,
            placed_at=now,
            ends_at=now + lasts,
            cost_told_at=now + lasts + self.options.cost_delay,
            outcome=self._outcome(number),
            under_way=behaviour(number).under_way,
            price=price,
            **details,  # type: ignore[arg-type]
        )
        self.calls[call.callid] = call
        self._ledger.reserve(price)
        heapq.heappush(self._endings, (call.ends_at, serial, call))
        return call

    def _outcome(self, number: str) -> str:
        acts = behaviour(number)
        self._numbers[number] += 1
        if acts.first_outcome and self._numbers[number] == 1:
            return acts.first_outcome
        return acts.outcome

    def _settle(self) -> None:
        """Charge the calls that have ended since the last look."""
        now = self._clock.now()
        while self._endings and self._endings[0][0] <= now:
            ended_at, _, call = heapq.heappop(self._endings)
            self._ledger.charge(call.callid, call.final_cost, call.price, ended_at)

    def _id(self, kind: str, serial: int) -> str:
        digest = hashlib.blake2b(f"{self.options.seed} {kind} {serial}".encode(), digest_size=16)
        return str(UUID(bytes=digest.digest(), version=4))


def _answer_quirk(numbers: tuple[str, ...]) -> Quirk:
    """Return what becomes of the answer; of several participants the first unusual one decides."""
    quirks = (behaviour(number).quirk for number in numbers)
    return next((quirk for quirk in quirks if quirk in _ANSWER_QUIRKS), Quirk.NONE)
