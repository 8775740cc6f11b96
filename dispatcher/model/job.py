"""A job as it stands: what was asked for, where it is, and how it got there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from dispatcher.model import spoken_code
from dispatcher.model.attempt import Attempt
from dispatcher.model.call import Leg
from dispatcher.model.kinds import Kind
from dispatcher.model.outcome import TOO_SHORT, Outcome
from dispatcher.model.states import TERMINAL, Dnc, OnUncertain, Priority, State
from dispatcher.values.masking import mask_number, mask_text
from dispatcher.values.scripts import misfit
from dispatcher.values.webhook_url import origin

LONGEST_PRODUCER = 40
HIDDEN = "hidden"
"""What is shown of a code, to everybody and always."""

NEXT = {
    State.SCHEDULED: "is queued when due",
    State.QUEUED: "is dialled when its turn comes",
    State.HELD: "is released when its hold ends",
    State.DIALING: "the provider answers, or the job is rescued when its lease ends",
    State.UNCERTAIN: "its policy decides when the evidence window is over",
    State.IN_PROGRESS: "the call's status is checked",
}


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline: the job came to `to`; `before` is where it was."""

    at: datetime
    before: str | None
    to: str
    reason: str | None
    actor: str
    why: str


@dataclass(frozen=True, slots=True)
class NextAction:
    """What happens next, and when, where that is known."""

    what: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Job:
    """A snapshot of a job. Durations are in seconds, times aware and UTC, cost in credits."""

    id: str
    kind: Kind
    state: State
    reason: str | None
    hold_reason: str | None
    outcome: str | None
    priority: Priority
    numbers: tuple[str, ...]
    say: str | None
    lang: str | None
    play: str | None
    caller: str | None
    tags: tuple[str, ...]
    key: str | None
    max_attempts: int | None
    redial: int | None
    redial_after: float | None
    on_uncertain: OnUncertain | None
    evidence_window: float | None
    call_deadline: float | None
    hours: str | None
    backoff_longest: float | None
    webhook: str | None
    spent: int
    since: int
    created_at: datetime
    due_at: datetime
    expires_at: datetime | None
    finished_at: datetime | None
    duration: float | None
    attempts: tuple[Attempt, ...]
    timeline: tuple[Event, ...]
    next_at: datetime | None = None
    cost_check_after: float | None = None
    """Seconds from the end, or from the check before, to the next check of a cost not yet told."""
    params: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further fields of the provider's own, sent as they are."""
    code: str | None = field(default=None, repr=False)
    """Digits that are read one by one; no digits where they were removed. Shown nowhere."""
    answered_after: float | None = None
    """Seconds for which a call must be answered to count as reached."""
    dnc: Dnc = Dnc.OBEY
    """Whether the do-not-call list is looked at."""
    meta: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Fields of the producer's own, which come back with the job."""
    alert: str | None = None
    """The id of the alert whose chain it is a call of."""
    traceparent: str | None = None
    """Which trace it belongs to, in the W3C's form."""

    @property
    def terminal(self) -> bool:
        """Whether only a retrigger can change it."""
        return self.state in TERMINAL

    @property
    def called(self) -> tuple[str, ...]:
        """The numbers, by the name that a request has for them."""
        return self.numbers

    @property
    def spoken(self) -> str | None:
        """What is said: the text, or the code after it."""
        if self.code is None:
            return self.say
        return spoken_code.spoken(self.code, self.lang or "", self.say)

    @property
    def misfit(self) -> str:
        """In words that the text is not written as its language is, '' where it is."""
        return misfit(self.say or "", self.lang or "")

    @property
    def producer(self) -> str:
        """Who asked for it, as far as lines and spending limits tell producers apart."""
        return self.timeline[0].actor[:LONGEST_PRODUCER] if self.timeline else ""

    @property
    def cost(self) -> Decimal | None:
        """What its attempts have cost, None where that is known of none."""
        known = [item.cost for item in self.attempts if item.cost is not None]
        return sum(known, Decimal(0)) if known else None

    @property
    def unanswered(self) -> int:
        """How many attempts reached nobody since the job was accepted or last retriggered."""
        in_vain = {Outcome.NO_ANSWER, TOO_SHORT}
        return sum(item.number > self.since and item.result in in_vain for item in self.attempts)

    @property
    def attempt(self) -> Attempt | None:
        """The latest attempt."""
        return self.attempts[-1] if self.attempts else None

    @property
    def next_action(self) -> NextAction | None:
        """What happens next, or None where nothing will."""
        if self.terminal:
            return None
        return NextAction(NEXT[self.state], None if self.state is State.QUEUED else self.next_at)

    def to_dict(self, *, mask: bool = False) -> dict[str, Any]:
        """Return the job as JSON knows it.

        `mask` hides all but the ends of numbers, and what is said. `outcome` and a participant's
        `status` are the provider's own words, an attempt's `result` is ours.
        """
        shown = [mask_number(number) if mask else number for number in self.numbers]
        who: dict[str, Any] = (
            {"participants": shown} if self.kind is Kind.CONFERENCE else {"recipient": shown[0]}
        )
        attempt = self.attempt
        return {
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "reason": self.reason,
            "hold_reason": self.hold_reason,
            "outcome": mask_text(self.outcome) if mask and self.outcome else self.outcome,
            "priority": self.priority,
            **who,
            **({} if mask else self._content()),
            **({} if self.code is None else {"code": HIDDEN}),
            "caller": mask_text(self.caller, asked=True) if mask and self.caller else self.caller,
            "tags": [mask_text(tag) for tag in self.tags] if mask else list(self.tags),
            "key": mask_text(self.key) if mask and self.key else self.key,
            "meta": _masked(self.meta) if mask else dict(self.meta),
            "webhook": origin(self.webhook) if mask and self.webhook else self.webhook,
            "dnc": self.dnc,
            "alert": self.alert,
            "traceparent": self.traceparent,
            "created_at": iso(self.created_at),
            "due_at": iso(self.due_at),
            "expires_at": iso(self.expires_at),
            "finished_at": iso(self.finished_at),
            "attempts": [_attempt_dict(item, mask=mask) for item in self.attempts],
            "callid": attempt.callid if attempt else None,
            "conferenceid": attempt.conferenceid if attempt else None,
            "cost": float(self.cost) if self.cost is not None else None,
            "duration": self.duration,
            "next_action": _next_dict(self.next_action),
            "timeline": [event_dict(event, mask=mask) for event in self.timeline],
        }

    def _content(self) -> dict[str, Any]:
        """Return what is said or played, and what else the provider is told."""
        params = dict(self.params)
        return {"say": self.say, "lang": self.lang, "play": self.play, "params": params}


def iso(at: datetime | None) -> str | None:
    """Return a UTC time as ISO 8601 with milliseconds and Z."""
    if at is None:
        return None
    utc = at if at.tzinfo is UTC else at.astimezone(UTC)
    return f"{utc.isoformat(timespec='milliseconds').removesuffix('+00:00')}Z"


def _masked(meta: Mapping[str, str]) -> dict[str, str]:
    """Return the fields with numbers masked, in names and texts."""
    return {mask_text(name): mask_text(text) for name, text in meta.items()}


def _attempt_dict(attempt: Attempt, *, mask: bool) -> dict[str, Any]:
    legs = {"participants": [_leg_dict(leg, mask=mask) for leg in attempt.legs]}
    return {
        "number": attempt.number,
        "provider": attempt.provider,
        "account": attempt.account,
        "recipients": [mask_number(n) if mask else n for n in attempt.numbers],
        "started_at": iso(attempt.sent_at),
        "sent_at": iso(attempt.sent_at),
        "ended_at": iso(attempt.ended_at),
        "result": attempt.result,
        "callid": attempt.callid,
        "conferenceid": attempt.conferenceid,
        "cost": None if attempt.cost is None else float(attempt.cost),
        "duration": attempt.duration,
        "error": mask_text(attempt.error) if mask and attempt.error else attempt.error,
        **(legs if attempt.legs else {}),
    }


def _leg_dict(leg: Leg, *, mask: bool) -> dict[str, Any]:
    return {
        "recipient": mask_number(leg.number) if mask else leg.number,
        "callid": leg.callid,
        "status": mask_text(leg.status) if mask and leg.status else leg.status,
        "cost": float(leg.cost) if leg.cost is not None else None,
        "duration": leg.duration,
    }


def event_dict(event: Event, *, mask: bool) -> dict[str, Any]:
    """Return a line of the timeline as JSON knows it; `mask` hides numbers in what people wrote."""
    return {
        "at": iso(event.at),
        "from": event.before,
        "to": event.to,
        "reason": event.reason,
        "actor": event.actor,
        "why": mask_text(event.why) if mask else event.why,
    }


def _next_dict(action: NextAction | None) -> dict[str, Any] | None:
    return None if action is None else {"what": action.what, "at": iso(action.at)}


def iso_of(milliseconds: float) -> str:
    """Return a moment in ms since the epoch as ISO 8601 with milliseconds and Z."""
    return str(iso(datetime.fromtimestamp(milliseconds / 1000, UTC)))
