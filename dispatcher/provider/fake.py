"""A provider without a network, for tests: it calls nobody, and does as it is told.

    provider = FakeProvider({"0002": Outcome.NO_ANSWER}, clock=clock)
    provider.next(Throttled("slow down", retry_after=2), Lost(Outcome.ANSWERED))

A call's outcome is that of the first of `outcomes` whose key its number ends with, and else
`answered`. What is given to `next` goes before that, a step for each request to place a call.
Its words are its own: what takes them for another provider's is found out.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from dispatcher.model.call import CallRef, CallReport, Leg
from dispatcher.model.outcome import Outcome, of_conference
from dispatcher.provider.base import CallbackRequest, Capabilities, OutgoingCall
from dispatcher.provider.dial_in import DialIn, DialInAnswer, RentedNumber
from dispatcher.provider.errors import (
    AnswerLost,
    NotEnoughCredits,
    NotSent,
    ProviderError,
    UnexpectedShape,
    UnknownCall,
)
from dispatcher.values.languages import ISO_639_1

_JSON: Final = "application/json"
WORDS: Final = {
    Outcome.ANSWERED: "picked up",
    Outcome.NO_ANSWER: "rang in vain",
    Outcome.CALL_FAILED: "unreachable",
    Outcome.IN_PROGRESS: "ringing",
}
CAPABILITIES: Final = Capabilities(
    callbacks=True,
    balance=True,
    participants=range(2, 4),
    languages=ISO_639_1,
    conference_languages=ISO_639_1,
    longest_text=4000,
    dial_in=True,
)


@dataclass(frozen=True, slots=True)
class Lost:
    """A step of the script: the call is placed, and the answer to the request is lost."""

    outcome: Outcome = Outcome.ANSWERED


Step = Outcome | Lost | ProviderError
"""What becomes of a request to place a call: how the call ends, or the error that is raised."""


@dataclass(frozen=True, slots=True)
class FakeCall:
    """One number that is called: `asked` is what was asked for, moments are the clock's seconds."""

    callid: str
    number: str
    asked: OutgoingCall
    outcome: Outcome
    placed_at: float
    ends_at: float
    conferenceid: str = ""


@dataclass
class FakeProvider:
    """A provider of telephone calls that keeps everything in memory; the port says what it does.

    `rings` is in seconds from placing a call to its end, `cost` in credits for each number that
    answers, `clock` returns seconds since the epoch. `calls` are all that were placed, in order.
    `rented` are the account's own numbers, and the URLs that are asked when somebody calls them.
    """

    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    rings: float = 1.0
    cost: Decimal = Decimal(10)
    credits: Decimal = Decimal(1000)
    clock: Callable[[], float] = time.time
    name: str = "fake"
    capabilities: Capabilities = CAPABILITIES
    calls: list[FakeCall] = field(default_factory=list)
    rented: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._script: deque[Step] = deque()
        self._lock = threading.Lock()
        self._closed = False

    def next(self, *steps: Step) -> None:
        """Say what becomes of the next requests to place a call, one step for each."""
        self._script.extend(steps)

    def place(self, call: OutgoingCall, *, before_sending: Callable[[], None]) -> CallRef:
        """Place a call. See the port."""
        self._require_open()
        before_sending()
        with self._lock:
            step = self._script.popleft() if self._script else None
            if isinstance(step, ProviderError):
                raise step
            self._require_credits(len(call.numbers))
            placed = self._placed(call, step.outcome if isinstance(step, Lost) else step)
        if isinstance(step, Lost):
            raise AnswerLost("the call was placed, and the answer lost")
        return placed

    def status(self, call: CallRef) -> CallReport:
        """Return how a call or a conference stands. See the port."""
        self._require_open()
        found = [each for each in self.calls if each.callid in call.callids]
        if not found:
            raise UnknownCall("there is no call of this id")
        if not call.conferenceid:
            return self._report(found[0])
        outcome = of_conference([self._outcome(each) for each in found])
        whole = self._report(found[0], outcome)
        legs = [self._report(each) for each in found]
        cost = sum((each.cost or Decimal(0) for each in legs), Decimal(0))
        return CallReport(
            outcome,
            WORDS[outcome],
            cost=cost if outcome.final else None,
            duration=whole.duration,
            started_at=whole.started_at,
            ended_at=whole.ended_at,
            legs=tuple(_leg(each, told) for each, told in zip(found, legs, strict=True)),
        )

    def callback(self, callid: str) -> CallbackRequest:
        """Return what is sent to the callback URL of a call that has ended."""
        (call,) = [each for each in self.calls if each.callid == callid]
        report = self._report(call, call.outcome)
        told = {"call": callid, "outcome": report.outcome, "cost": str(report.cost)}
        return CallbackRequest(json.dumps(told).encode(), _JSON)

    def parse_callback(self, request: CallbackRequest) -> CallReport:
        """Return what `callback` told. See the port."""
        with suppress(ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
            told: Any = json.loads(request.body)
            outcome = Outcome(told["outcome"])
            return CallReport(outcome, WORDS[outcome], str(told["call"]), Decimal(told["cost"]))
        raise UnexpectedShape("not what this provider sends")

    def balance(self) -> Decimal:
        """Return the credits that are left. See the port."""
        self._require_open()
        spent = (self._report(call).cost or Decimal(0) for call in self.calls)
        return self.credits - sum(spent, Decimal(0))

    def rented_numbers(self) -> tuple[RentedNumber, ...]:
        """Return the account's own numbers. See the port."""
        self._require_open()
        return tuple(RentedNumber(each, each[1:], url) for each, url in self.rented.items())

    def set_action_url(self, rented: RentedNumber, url: str) -> None:
        """Have this URL asked when somebody calls the number. See the port."""
        self._require_open()
        self.rented[rented.number] = url

    def parse_dial_in(self, query: Iterable[tuple[str, str]]) -> DialIn:
        """Return who calls: `from` and `to`. See the port."""
        asked = dict(query)
        return DialIn(asked.get("from") or None, asked.get("to"))

    def dial_in_answer(self, answer: DialInAnswer) -> tuple[bytes, str]:
        """Return an answer as JSON. See the port."""
        return json.dumps({type(answer).__name__.lower(): asdict(answer)}).encode(), _JSON

    def close(self) -> None:
        """Answer nothing any more. See the port."""
        self._closed = True

    def _placed(self, asked: OutgoingCall, step: Outcome | None) -> CallRef:
        conferenceid = f"conference-{len(self.calls) + 1}" if asked.is_conference else ""
        calls = [self._call(number, asked, step, conferenceid) for number in asked.numbers]
        return CallRef(tuple(each.callid for each in calls), conferenceid)

    def _call(
        self, number: str, asked: OutgoingCall, step: Outcome | None, conferenceid: str
    ) -> FakeCall:
        now = self.clock()
        callid = f"call-{len(self.calls) + 1}"
        outcome = step or self._told(number)
        ends_at = now + self.rings if outcome.final else float("inf")
        call = FakeCall(callid, number, asked, outcome, now, ends_at, conferenceid)
        self.calls.append(call)
        return call

    def _told(self, number: str) -> Outcome:
        ends = (outcome for end, outcome in self.outcomes.items() if number.endswith(end))
        return next(ends, Outcome.ANSWERED)

    def _outcome(self, call: FakeCall) -> Outcome:
        return call.outcome if self.clock() >= call.ends_at else Outcome.IN_PROGRESS

    def _report(self, call: FakeCall, outcome: Outcome | None = None) -> CallReport:
        """Return the report of a call as it stands, or as it will end with this `outcome`."""
        outcome = outcome or self._outcome(call)
        answered = outcome is Outcome.ANSWERED
        return CallReport(
            outcome,
            WORDS[outcome],
            call.callid,
            (self.cost if answered else Decimal(0)) if outcome.final else None,
            (self.rings if answered else 0.0) if outcome.final else None,
            _moment(call.placed_at),
            _moment(call.ends_at) if outcome.final else None,
        )

    def _require_open(self) -> None:
        if self._closed:
            raise NotSent("the provider is closed")

    def _require_credits(self, numbers: int) -> None:
        required = self.cost * numbers
        if self.balance() < required:
            raise NotEnoughCredits(f"not enough credits: {required} needed", required=required)


def _leg(call: FakeCall, report: CallReport) -> Leg:
    return Leg(call.callid, call.number, report.word, report.cost, report.duration)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
