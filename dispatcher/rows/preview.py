"""What an import will probably cost, said before it happens: pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dispatcher.model.credit import Costs, Credit
from dispatcher.policy.credit_forecast import in_credits, shown
from dispatcher.values.counts import counted


@dataclass(frozen=True, slots=True)
class Preview:
    """Rows that were read, and of these: jobs to be made, standing already, refused, and of those
    on the do-not-call list.

    `credits_` is what the jobs will probably cost, one call each; `balance` what is left for them
    (None where it was never seen), `waiting` what jobs that wait already need of it. `seconds` is
    about how long the shortest and the longest text takes to be said; None: there is none.
    """

    rows: int
    new: int
    existing: int
    refused: int
    do_not_call: int
    credits_: Decimal
    balance: Decimal | None
    waiting: Decimal
    seconds: tuple[float, float] | None = None

    @property
    def affordable(self) -> bool:
        """Whether the balance pays for all of it, and for what waits already."""
        return self.balance is None or self.credits_ + self.waiting <= self.balance

    def words(self, name: str) -> list[str]:
        """Return what is to be said to a person, a sentence each."""
        of_these = [counted(self.new, "new job")]
        if self.existing:
            of_these.append(f"{self.existing:,} already enqueued")
        if self.refused:
            listed = f" ({self.do_not_call:,} on the do-not-call list)" if self.do_not_call else ""
            of_these.append(f"{self.refused:,} refused{listed}")
        return [
            f"{name}: {counted(self.rows, 'row')}: {', '.join(of_these)}",
            *self._length(),
            *self._cost(),
        ]

    def _length(self) -> list[str]:
        if self.seconds is None:
            return []
        shortest, longest = map(round, self.seconds)
        span = f"{shortest} to {longest}" if shortest < longest else str(longest)
        return [f"What is said takes about {span} s (an estimate)"]

    def _cost(self) -> list[str]:
        if not self.new:
            return []
        who = "It" if self.new == 1 else "They"
        cost = f"{who} will probably cost about {in_credits(self.credits_)}"
        if self.balance is None:
            return [f"{cost}; the balance is not known yet"]
        waiting = f", and waiting jobs need {shown(self.waiting)}" if self.waiting else ""
        said = [f"{cost}; {shown(self.balance)} are available{waiting}"]
        if not self.affordable:
            said.append("The credit is not enough for all: the rest is held until there is more")
        return said

    def as_json(self) -> dict[str, Any]:
        """Return the preview as JSON knows it."""
        return {
            "expected_seconds": None if self.seconds is None else [*map(round, self.seconds)],
            "expected_credits": float(self.credits_),
            "balance": None if self.balance is None else float(self.balance),
            "waiting_credits": float(self.waiting),
            "affordable": self.affordable,
        }


def expected(tariffs: Mapping[str, int], costs: Costs) -> Decimal:
    """Return what so many calls of each tariff will probably cost."""
    return sum((costs.of(each) * many for each, many in tariffs.items()), Decimal(0))


def left(account: Credit) -> Decimal | None:
    """Return what of the balance may be spent, down to its floor; None where nobody knows."""
    available = None if account.blind else account.available
    return available if available is None else available - (account.floor or Decimal(0))
