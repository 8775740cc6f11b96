"""How a call came out, in words of our own: every decision goes by these, for any provider."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

ENOUGH_TO_TALK = 2
TOO_SHORT = "too_short"
"""The result of an attempt that was answered for less than the job's `answered_after`."""


class Outcome(StrEnum):
    """How a call stands, or how it ended. The provider's own word stands beside it in a report."""

    ANSWERED = "answered"
    """Answered by a person, or by a mailbox where the provider cannot tell the two apart."""
    NO_ANSWER = "no_answer"
    """It ended and nobody was reached: not answered, busy, or ended in a way that only the
    provider has a word for. Another call may reach the person."""
    CALL_FAILED = "call_failed"
    """The number could not be connected. Another call would fail in the same way."""
    IN_PROGRESS = "in_progress"
    """It is not over, as far as the provider says."""

    @property
    def final(self) -> bool:
        """Whether the call is over."""
        return self is not Outcome.IN_PROGRESS


def of_conference(legs: Sequence[Outcome]) -> Outcome:
    """Return the outcome of a conference from its participants' calls.

    It is over when all of them are, and was answered where at least two could talk.
    """
    if not legs or Outcome.IN_PROGRESS in legs:
        return Outcome.IN_PROGRESS
    if legs.count(Outcome.ANSWERED) >= ENOUGH_TO_TALK:
        return Outcome.ANSWERED
    return Outcome.NO_ANSWER if Outcome.NO_ANSWER in legs else Outcome.CALL_FAILED
