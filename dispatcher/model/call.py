"""A call at a provider: by what it is found again, and what is reported of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from dispatcher.model.outcome import Outcome


@dataclass(frozen=True, slots=True)
class CallRef:
    """By what the provider finds a call again: its callid, or those of a conference's participants.

    `conferenceid` is '' where the call is no conference.
    """

    callids: tuple[str, ...]
    conferenceid: str = ""


@dataclass(frozen=True, slots=True)
class Leg:
    """One participant's call of a conference. `status` is the provider's word.

    `number` is E.164, or '' where it is not told; `cost` is in credits, `duration` in seconds.
    """

    callid: str
    number: str
    status: str
    cost: Decimal | None = None
    duration: float | None = None


@dataclass(frozen=True, slots=True)
class CallReport:
    """What a provider reports of a call, or of a conference as a whole.

    `word` is the provider's own, kept for people to read. `callid` is '' for a conference.
    `cost` is in credits and `duration` in seconds (how long was talked); None is not told.
    """

    outcome: Outcome
    word: str
    callid: str = ""
    cost: Decimal | None = None
    duration: float | None = None
    started_at: datetime | None = None
    """Aware, UTC; as for `ended_at`."""
    ended_at: datetime | None = None
    legs: tuple[Leg, ...] = ()

    @property
    def final(self) -> bool:
        """Whether the call is over."""
        return self.outcome.final

    @property
    def lasted(self) -> float | None:
        """Seconds from the start to the end, where both are told and make sense.

        One more than they are apart: providers round such times down to a second.
        """
        if self.started_at is None or self.ended_at is None or self.ended_at < self.started_at:
            return None
        return (self.ended_at - self.started_at).total_seconds() + 1
