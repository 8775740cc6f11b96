"""How the credit falls in the coming hours, as a line: pure functions."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.model.credit import Credit
from dispatcher.policy.credit_forecast import HORIZON, Forecast

WIDTH, HEIGHT = 300, 80


@dataclass(frozen=True, slots=True)
class CreditLine:
    """The path of the credit as it is forecast, in a drawing of WIDTH by HEIGHT that ends in
    HORIZON hours; `floor` is how far down the floor is. In words, what it says at a glance.
    """

    path: str
    floor: float
    words: str


def credit_line(credit: Credit, ahead: Forecast | None) -> CreditLine | None:
    """Return the line; None where the balance is not known, or none is needed."""
    if credit.available is None or credit.floor is None or ahead is None or ahead.left is None:
        return None
    now, floor, needed = float(credit.available), float(credit.floor), float(ahead.needed)
    top = max(now, floor, 1.0) * 1.1
    then = max(now - needed, min(floor, now))
    meets = WIDTH * (now - then) / needed if needed else WIDTH
    path = f"M0 {_y(now, top):.1f}L{meets:.1f} {_y(then, top):.1f}"
    path += f"H{WIDTH}" if meets < WIDTH else ""
    words = "reaches the floor" if ahead.short else "suffices"
    return CreditLine(path, _y(floor, top), f"The credit {words} within {HORIZON} hours")


def _y(amount: float, top: float) -> float:
    return min(float(HEIGHT), HEIGHT * (1 - amount / top))
