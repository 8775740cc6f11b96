"""The account's credits, to the last decimal."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from decimal import Decimal

SHOWN_LINES = 100
"""How many of the newest lines are kept to be read; the sums hold all of them."""


def amount(value: float) -> Decimal:
    """Return a number of credits as the decimal it is written as, to four places."""
    return Decimal(str(value)).quantize(Decimal("0.0001"))


@dataclass(frozen=True, slots=True)
class Line:
    """One change of the balance, and the balance after it."""

    at: float
    what: str
    amount: Decimal
    balance: Decimal
    callid: str | None = None


class Ledger:
    """What came in, what calls took, and what calls under way may still take.

    A placed call reserves its price; at its end it is charged what it really cost and the
    reservation is lifted. So `balance == start + added - charged` always, and calls under
    way can never overspend the account.
    """

    def __init__(self, start: Decimal, at: float) -> None:
        self.start = start
        self.added = Decimal(0)
        self.charged = Decimal(0)
        self.reserved = Decimal(0)
        self.lines: deque[Line] = deque(maxlen=SHOWN_LINES)
        self.lines.append(Line(at, "start", start, start))

    @property
    def balance(self) -> Decimal:
        """What the provider's credits page says."""
        return self.start + self.added - self.charged

    @property
    def available(self) -> Decimal:
        """What a new call is measured against."""
        return self.balance - self.reserved

    def add(self, credit: Decimal, at: float) -> None:
        """Top up, or take away a negative amount."""
        self.added += credit
        self.lines.append(Line(at, "added", credit, self.balance))

    def set_balance(self, balance: Decimal, at: float) -> None:
        self.add(balance - self.balance, at)

    def reserve(self, price: Decimal) -> None:
        self.reserved += price

    def charge(self, callid: str, cost: Decimal, price: Decimal, at: float) -> None:
        """End a call: lift the reservation of `price`, take `cost`."""
        self.reserved -= price
        if cost:
            self.charged += cost
            self.lines.append(Line(at, "charged", -cost, self.balance, callid))
