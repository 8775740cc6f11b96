"""How long the credit lasts, in words and in numbers: pure functions of the account.

The forecast goes by what waits, and by what is usual at these hours of the week: the pace of the
last minutes says nothing of the next hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from statistics import median
from typing import Any

from dispatcher.model.credit import Credit
from dispatcher.model.job import iso_of
from dispatcher.values.durations import spoken

HORIZON = 4
"""Hours that the forecast looks ahead: somebody can top up within them."""
_HOUR = 3_600_000  # ms


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is needed within HORIZON, in credits: what waits and is due by then, and what is usual
    at these hours. `left` is what is there above the floor; None: not known, or post-paid.
    """

    waiting: Decimal
    usual: Decimal
    left: Decimal | None

    @property
    def needed(self) -> Decimal:
        """Both together."""
        return self.waiting + self.usual

    @property
    def short(self) -> bool:
        """Whether more is needed than there is."""
        return self.left is not None and self.needed > self.left

    def __str__(self) -> str:
        parts = {"for what waits": self.waiting, "as is usual at these hours": self.usual}
        told = " and ".join(f"{whole(much)} {what}" for what, much in parts.items() if much)
        are = "is" if whole(self.needed) == "1" else "are"
        needs = f"{about(self.needed)} {are} needed within {HORIZON} hours ({told})"
        return needs if self.left is None else f"{needs}; {shown(self.left)} are above the floor"

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {
            "hours": HORIZON,
            "waiting": _number(self.waiting),
            "usual": _number(self.usual),
            "needed": _number(self.needed),
            "left": _number(self.left),
            "short": self.short,
        }


def forecast(
    account: Credit, alike: Sequence[Sequence[Decimal | None]], now: float, due_by_then: float
) -> Forecast:
    """Return what the account needs within HORIZON; `now` in ms since the epoch.

    `alike` are, for the hour that runs and each of the next HORIZON, the credits that were spent in
    that hour of earlier weeks, None where that is not known. `due_by_then` is the part of the
    scheduled jobs that are due by then.
    """
    later = account.scheduled_needs * Decimal(f"{1 - due_by_then:.6f}")
    left = None if account.floor is None or account.blind else _left(account)
    return Forecast(account.waiting_needs - later, _usual(alike, now), left)


def _left(account: Credit) -> Decimal:
    return max(Decimal(0), (account.available or Decimal(0)) - (account.floor or Decimal(0)))


def _usual(alike: Sequence[Sequence[Decimal | None]], now: float) -> Decimal:
    """Return what is usually spent: of the first hour what is left of it, of the last the rest."""
    over = Decimal(f"{now % _HOUR / _HOUR:.6f}")
    parts = [1 - over, *[Decimal(1)] * (len(alike) - 2), over][: len(alike)]
    return sum((_typical(each) * part for each, part in zip(alike, parts, strict=True)), Decimal(0))


def _typical(spent: Sequence[Decimal | None]) -> Decimal:
    known = [each for each in spent if each is not None]
    return median(known) if known else Decimal(0)


def words(account: Credit, now: float, ahead: Forecast | None = None) -> list[str]:
    """Return a sentence each on the balance, the pace, what waits, and what is `ahead`; `now` is in
    ms since the epoch.
    """
    found = [_balance(account, now), _pace(account), *_waiting(account)]
    if ahead and ahead.needed:
        said = str(ahead)
        found.append(said[0].upper() + said[1:])
    return found


def _balance(account: Credit, now: float) -> str:
    if account.balance is None or account.seen_at is None:
        return "The balance is not known yet, and stops no call"
    text = f"{in_credits(account.balance)}, checked {_ago(now - account.seen_at)}"
    parts = {"spent since": account.spent_since, "reserved for calls under way": account.in_flight}
    since = [f"{shown(amount)} {what}" for what, amount in parts.items() if amount]
    if since:
        text += f"; {', '.join(since)}: {shown(account.available or Decimal(0))} available"
    if account.blind:
        failed = f"the last {account.failed_checks} balance checks failed"
        text += f"; {failed}, so the balance stops no call"
    return text


def _pace(account: Credit) -> str:
    if not account.burn_per_hour:
        return "Nothing was spent in the last hour"
    pace = f"{in_credits(account.burn_per_hour)} an hour"
    if account.hours_left is None:
        return f"The pace is {pace}"
    floor, left = shown(account.floor or Decimal(0)), account.hours_left * 3600
    if left < 1:
        return f"The floor of {floor} is reached; the pace was {pace}"
    return f"At this pace ({pace}) the floor of {floor} is reached in {spoken(left)}"


def _waiting(account: Credit) -> list[str]:
    jobs = sum(account.waiting.values())
    if not jobs:
        return []
    waiting = "The waiting job needs" if jobs == 1 else f"The {jobs:,} waiting jobs need"
    text = f"{waiting} {about(account.waiting_needs)}"
    if account.balance is not None:
        text += f"; the balance is {shown(account.balance)}"
    return [text]


def as_json(account: Credit) -> dict[str, Any]:
    """Return the account as JSON knows it."""
    seen, check = account.seen_at, account.next_check_at
    return {
        "balance": _number(account.balance),
        "checked_at": None if seen is None else iso_of(seen),
        "next_check_at": None if check is None else iso_of(check),
        "checks_failed": account.failed_checks,
        "floor": _number(account.floor),
        "available": _number(account.available),
        "reserved": _number(account.in_flight),
        "spent": _number(account.spent),
        "spent_since_check": _number(account.spent_since),
        "burn_per_hour": _number(account.burn_per_hour),
        "hours_left": account.hours_left,
        "warned_level": _number(account.warned),
        "waiting": {
            "jobs": sum(account.waiting.values()),
            "credits": _number(account.waiting_needs),
        },
    }


def whole(amount: Decimal) -> str:
    """Return an estimate as people read it: whole credits, at least 1 where it is more than 0."""
    rounded = amount.quantize(Decimal(1), ROUND_HALF_UP)
    return f"{max(rounded, Decimal(1)) if amount else rounded:,f}"


def shown(amount: Decimal) -> str:
    """Return an amount as people read it: thousands apart, at most two decimals."""
    text = f"{amount.quantize(Decimal('0.01'), ROUND_HALF_UP):,f}"
    return text.rstrip("0").rstrip(".")


def about(amount: Decimal) -> str:
    """Return an estimate with its unit: about 1 credit, about 96,000 credits."""
    estimate = whole(amount)
    return f"about {estimate} {'credit' if estimate == '1' else 'credits'}"


def in_credits(amount: Decimal) -> str:
    """Return an amount with its unit: 1 credit, 12.5 credits."""
    return f"{shown(amount)} {'credit' if amount == 1 else 'credits'}"


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _ago(milliseconds: float) -> str:
    seconds = milliseconds / 1000
    return "now" if seconds < 1 else f"{spoken(seconds)} ago"
