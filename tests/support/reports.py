"""What providers report of calls, in short."""

from __future__ import annotations

from decimal import Decimal

from dispatcher.model.call import CallReport
from dispatcher.model.outcome import Outcome

OUTCOMES = {
    "ANSWERED": Outcome.ANSWERED,
    "NO ANSWER": Outcome.NO_ANSWER,
    "FAILED": Outcome.CALL_FAILED,
}


def ended(word: str, cost: Decimal | None = None, duration: float | None = None) -> CallReport:
    """Return the report of a call that ended so; any other word than the usual: nobody reached."""
    outcome = OUTCOMES.get(word, Outcome.NO_ANSWER)
    return CallReport(outcome, word, cost=cost, duration=duration)


def ringing(word: str = "IN PROGRESS") -> CallReport:
    """Return the report of a call that is not over."""
    return CallReport(Outcome.IN_PROGRESS, word)
