"""One permission to ask the provider for a job's call, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from dispatcher.model.call import CallRef, Leg


@dataclass(frozen=True, slots=True)
class Attempt:
    """One permission to ask the provider: numbered from 1, never reused.

    `result` is a word of our own (`answered`, `no_answer`, `call_failed`, `placed`,
    `maybe_placed`, …), the same for every provider.
    """

    number: int
    sent_at: datetime | None
    ended_at: datetime | None
    result: str | None
    callid: str | None
    conferenceid: str | None
    error: str | None
    cost: Decimal | None = None
    """Credits; None where it is not known."""
    duration: float | None = None
    """Seconds that were talked; None where that is not known."""
    legs: tuple[Leg, ...] = ()
    provider: str | None = None
    """Who was asked; None where a release before 0.2 did not say."""
    account: str = "default"
    numbers: tuple[str, ...] = ()
    """The E.164 numbers that were called."""

    @property
    def callids(self) -> tuple[str, ...]:
        """The calls of this attempt: one, or one for each participant."""
        return tuple(self.callid.split(",")) if self.callid else ()

    @property
    def call(self) -> CallRef:
        """By what the provider finds its call again."""
        return CallRef(self.callids, self.conferenceid or "")
