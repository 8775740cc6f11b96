"""How long the credit lasts, in words and in numbers: pure functions of the account."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from dispatcher.model.credit import Credit
from dispatcher.model.job import iso_of
from dispatcher.values.durations import spoken


def words(account: Credit, now: float) -> list[str]:
    """Return a sentence each on the balance, the pace, and what waits; `now` in ms."""
    return [_balance(account, now), _pace(account), *_waiting(account)]


def _balance(account: Credit, now: float) -> str:
    if account.balance is None or account.seen_at is None:
        return "The balance is not known yet: calls go out without a budget"
    text = f"{shown(account.balance)} credits, checked {_ago(now - account.seen_at)}"
    parts = {"spent since": account.spent_since, "reserved for calls under way": account.in_flight}
    since = [f"{shown(amount)} {what}" for what, amount in parts.items() if amount]
    if since:
        text += f"; {', '.join(since)}: {shown(account.available or Decimal(0))} available"
    if account.blind:
        text += f"; the last {account.failed_checks} balance checks failed:"
        text += " calls go out without a budget"
    return text


def _pace(account: Credit) -> str:
    if not account.burn_per_hour:
        return "Nothing was spent in the last hour"
    pace = f"{shown(account.burn_per_hour)} credits an hour"
    if account.hours_left is None:
        return f"The pace is {pace}"
    floor = shown(account.floor or Decimal(0))
    return f"At this pace ({pace}) the floor of {floor} is reached in {_hours(account.hours_left)}"


def _waiting(account: Credit) -> list[str]:
    jobs = sum(account.waiting.values())
    if not jobs:
        return []
    waiting = "The waiting job needs" if jobs == 1 else f"The {jobs:,} waiting jobs need"
    text = f"{waiting} about {shown(account.waiting_needs)} credits"
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


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _hours(hours: float) -> str:
    return "no time" if hours * 3600 < 1 else spoken(hours * 3600)


def _ago(milliseconds: float) -> str:
    seconds = milliseconds / 1000
    return "now" if seconds < 1 else f"{spoken(seconds)} ago"
