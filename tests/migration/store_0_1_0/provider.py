"""The provider's part in the play: what it does with a request is drawn, what it says is real."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from dispatcher.provider.answers import CallStatus, Conference, ConferenceStatus, Participant
from dispatcher.provider.verdict import explain
from dispatcher.store.inbox import CallReport

from dispatcher.provider.errors import (
    AnswerLost,
    BadCredentials,
    InvalidRequest,
    NeverReached,
    NotAllowed,
    NotEnoughCredits,
    NotSent,
    ProviderError,
    ServerTrouble,
    Throttled,
    Unavailable,
    UnknownCall,
    UnreadableAnswer,
)

FATES = {
    "answered": 600, "no_answer": 150, "failed": 40, "odd_word": 12, "long": 6,
    "lost_placed": 20, "lost": 12, "trouble": 12, "unreadable": 8, "killed": 8, "killed_placed": 8,
    "invalid": 20, "not_allowed": 12, "never_reached": 12, "unavailable": 8,
    "throttled": 4, "not_sent": 4,
}  # fmt: skip
WORDS = {
    "answered": "ANSWERED",
    "no_answer": "NO ANSWER",
    "failed": "FAILED",
    "odd_word": "BUSY",
    "long": "IN PROGRESS",
}
PLACED = WORDS.keys() | {"lost_placed", "unreadable", "killed_placed"}
FLOOR = Decimal(50)
PRICES = {"81": "19.5", "1": "10.25", "44": "14", "49": "13.1", "65": "11.3"}


class Killed(BaseException):
    """The worker dies here: nobody writes what became of its request."""


@dataclass
class Call:
    callid: str
    number: str
    placed: float
    ends: float
    word: str
    cost: Decimal
    callback: tuple[str, int] | None
    conference: str = ""
    told: int = 0


class ScriptedProvider:
    """Has the methods of 0.1.0's client. Moments in ms by the play's clock."""

    def __init__(self, clock: Callable[[], float], rng: random.Random) -> None:
        self.clock, self.rng = clock, rng
        self.balance = Decimal(90_000)
        self.calls: dict[str, Call] = {}
        self.open: list[Call] = []
        self.outage: ProviderError | None = None
        self.next_fate: str | None = None

    # -- what 0.1.0 asks for ---------------------------------------------------------------

    def say(self, *, recipient: str, callback_url: str | None, **_: Any) -> str:
        return self._place([recipient], callback_url)[0].callid

    play = say

    def confer(self, *, participants: tuple[str, ...], **_: Any) -> Conference:
        legs = self._place(list(participants), None)
        for leg in legs:
            leg.conference = legs[0].callid + "c"
        rows = tuple(Participant(callid=leg.callid, participant=leg.number) for leg in legs)
        return Conference(conferenceid=legs[0].conference, participants=rows)

    def call_status(self, callid: str) -> CallStatus:
        if callid not in self.calls:
            raise explain(UnknownCall, 404, "Not found.")
        return self._status(self.calls[callid])

    def conference_status(self, conferenceid: str) -> ConferenceStatus:
        legs = [call for call in self.calls.values() if call.conference == conferenceid]
        rows = tuple(self._status(leg) for leg in legs)
        cost = sum((leg.cost for leg in legs), Decimal(0)) if self._over(legs) else None
        return ConferenceStatus(conferenceid=conferenceid, participants=rows, cost=cost)

    def credits(self) -> Decimal:
        if self.outage is not None:
            raise self.outage
        return self.balance

    # -- what it says by itself --------------------------------------------------------------

    def callbacks(self) -> list[CallReport]:
        """Return the reports that come now; some come twice, and some never."""
        ended = [call for call in self.open if self._over([call])]
        self.open = [call for call in self.open if not self._over([call])]
        reports = [
            self._report(call) for call in ended if call.callback and self.rng.random() < 0.8
        ]
        return reports + [report for report in reports if self.rng.random() < 0.05]

    def _report(self, call: Call) -> CallReport:
        assert call.callback is not None
        cost = call.cost if self.rng.random() < 0.95 else None
        lasted = float(round((call.ends - call.placed) / 1000)) if call.cost else None
        return CallReport(*call.callback, call.callid, call.word, cost, lasted)

    # -- below -------------------------------------------------------------------------------

    def _place(self, numbers: list[str], url: str | None) -> list[Call]:
        if self.outage is not None:
            raise self.outage
        if self.balance < FLOOR:
            words = '{"detail": "Not enough credits, required: 50"}'
            raise explain(NotEnoughCredits, 403, words, required=FLOOR)
        fate = self.next_fate or self.rng.choices(list(FATES), list(FATES.values()))[0]
        self.next_fate = None
        made = [self._call(number, url, fate) for number in numbers] if fate in PLACED else []
        if fate in {"killed", "killed_placed"}:
            raise Killed
        if error := _ERRORS.get(fate):
            raise error()
        return made

    def _call(self, number: str, url: str | None, fate: str) -> Call:
        now = self.clock()
        seconds = 6 * 3600 if fate == "long" else self.rng.randint(8, 55)
        word = WORDS.get(fate, "ANSWERED")
        price = next(p for code, p in PRICES.items() if number.removeprefix("+").startswith(code))
        cost = Decimal(price) if word == "ANSWERED" else Decimal(0)
        callback = (url.split("/")[-4], int(url.split("/")[-3])) if url else None
        callid = f"9c1e{len(self.calls):05x}{self.rng.getrandbits(4):x}"
        call = Call(callid, number, now, now + seconds * 1000, word, cost, callback)
        self.calls[callid] = call
        self.open.append(call)
        self.balance -= cost
        return call

    def _over(self, calls: list[Call]) -> bool:
        return all(self.clock() >= call.ends for call in calls)

    def _status(self, call: Call) -> CallStatus:
        over = self._over([call])
        late = call.callid[-1] in "01"  # its cost is worked out some minutes later
        told = over and not (late and self.clock() < call.ends + 300_000)
        return CallStatus(
            callid=call.callid,
            status=call.word if over else "IN PROGRESS",
            recipient=call.number.removeprefix("+"),
            start_time=_text(call.placed),
            end_time=_text(call.ends) if over else None,
            duration=12 if over and call.cost else None,
            cost=str(call.cost) if told else None,
        )


def _text(milliseconds: float) -> str:
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M:%S}"


_ERRORS: dict[str, Callable[[], ProviderError]] = {
    "lost_placed": lambda: explain(AnswerLost, None, "read timeout"),
    "lost": lambda: explain(AnswerLost, None, "read timeout"),
    "trouble": lambda: explain(ServerTrouble, 500, "Internal Server Error"),
    "unreadable": lambda: explain(UnreadableAnswer, 201, "not JSON: <html>"),
    "invalid": lambda: explain(
        InvalidRequest, 400, '{"recipient": ["Not a valid number."]}', fields={"recipient": ["x"]}
    ),
    "not_allowed": lambda: explain(NotAllowed, 403, "Country not allowed"),
    "never_reached": lambda: explain(NeverReached, None, "connection refused"),
    "unavailable": lambda: explain(Unavailable, 503, "Service Unavailable"),
    "throttled": lambda: explain(
        Throttled, 429, "Request was throttled. Expected available in 2 seconds.", retry_after=2.0
    ),
    "not_sent": lambda: NotSent("The lease was nearly over when it was about to be sent."),
}


def bad_credentials() -> ProviderError:
    return explain(BadCredentials, 401, "Invalid username/password.")


def no_route() -> ProviderError:
    return explain(NeverReached, None, "connection refused")
