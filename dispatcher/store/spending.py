"""Spending limits that users set: what a tag or a producer may cost, a day or altogether."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from dispatcher.errors import UsageError
from dispatcher.model.job import LONGEST_PRODUCER
from dispatcher.model.states import Reason
from dispatcher.model.tags import tag
from dispatcher.store.connection import Repository, pairs
from dispatcher.store.schema import SPENDING_DAY, Config
from dispatcher.values.tariffs import to_credits, to_units
from dispatcher.values.zones import zone as zone_named

MOST = 10**9
_AMOUNT = re.compile(r"([0-9]{1,10}(?:\.[0-9]{1,4})?)(?:/(day|total))?")


class InvalidLimit(UsageError, ValueError):
    """A scope or an amount that is none; the message says what is accepted."""


class Period(StrEnum):
    """What a limit is for."""

    DAY = "day"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class SpendingLimit:
    """What may be spent within a scope, in credits; `used` is spent or reserved by calls under way.

    `scope` is `account`, `tag:<tag>` or `client:<producer>`.
    """

    scope: str
    amount: Decimal
    period: Period
    used: Decimal = Decimal(0)

    @property
    def hold(self) -> str:
        """The name of the hold that starts when it is reached."""
        return f"{Reason.LIMIT}:{self.scope}"

    def to_dict(self) -> dict[str, Any]:
        """Return the limit as JSON knows it."""
        return {
            "scope": self.scope,
            "credits": float(self.amount),
            "per": self.period,
            "used": float(self.used),
        }


def limit_scope(text: str) -> str:
    """Return `tag:<tag>` or `client:<producer>`, or raise InvalidLimit."""
    kind, _, what = text.partition(":")
    if kind == "client" and 0 < len(what) <= LONGEST_PRODUCER and not re.search(r"\s", what):
        return text
    if kind == "tag":
        try:
            return f"tag:{tag(what)}"
        except ValueError as error:
            raise InvalidLimit(str(error)) from None
    raise InvalidLimit(
        f"{text!r} is not a scope: write tag:<tag> (tag:campaign:spring) or client:<producer>"
        f" (1 to {LONGEST_PRODUCER} characters without spaces)"
    )


def limit_amount(text: str) -> tuple[Decimal, Period]:
    """Read `500/day` or `10000/total` (also `10000`), or raise InvalidLimit."""
    found = _AMOUNT.fullmatch(text.strip())
    if not found or not 0 < Decimal(found[1]) <= MOST:
        raise InvalidLimit(
            f"{text!r} is not a limit: write credits above 0, a day or in total, such as 500/day"
            " or 10000/total"
        )
    return Decimal(found[1]), Period(found[2] or Period.TOTAL)


class Spending(Repository):
    """The limits that users set, and what was counted under them."""

    def set(self, limit: SpendingLimit, *, actor: str = "", note: str = "") -> bool:
        """Set a limit, or change it: what was spent so far keeps counting. True where there was
        one. `actor` is the person who sets it, if one does, and `note` why.
        """
        units = to_units(limit.amount)
        return bool(self._set(limit.scope, actor, note, units=units, period=limit.period))

    def clear(self, scope: str, *, actor: str = "", note: str = "") -> bool:
        """Forget a limit and what was counted under it. False where there was none."""
        return bool(self._set(scope, actor, note))

    def _set(self, scope: str, actor: str, note: str, **limit: Any) -> int:
        found = self._run(
            "set_spending_limit", scope=scope, actor=actor or None, note=note, **limit
        )
        return int(found)

    def limits(self) -> Iterator[SpendingLimit]:
        """Yield the limits that stand, the account's own first."""
        account, *found = self._read_together(
            ("HGET", self._key("config"), Config.SPEND_PER_DAY),
            ("HGETALL", self._key("spending_limits")),
            *(("HGETALL", self._key("spent", period)) for period in Period),
        )
        limits, *used = map(pairs, found)
        by_period = dict(zip(Period, used, strict=True))
        counted_day = limits.pop(SPENDING_DAY.encode(), b"0 0 UTC").split()
        if int(counted_day[1]) <= self._now():
            by_period[Period.DAY] = {}
        rows = [] if account is None else [(b"account", account + b" 0 day")]
        for name, text in rows + sorted(limits.items()):
            units, _, period = text.decode().split()
            used_units = int(by_period[Period(period)].get(name, 0))
            amount = to_credits(int(units))
            yield SpendingLimit(name.decode(), amount, Period(period), to_credits(used_units))

    def begin_day(self, zone: str) -> None:
        """Set the day that daily limits count, by the calendar of an IANA zone."""
        starts, ends = day(datetime.fromtimestamp(self._now() / 1000, UTC), zone)
        first, last = (round(each.timestamp() * 1000) for each in (starts, ends))
        self._run("begin_spending_day", starts=first, ends=last, zone=zone)


def day(now: datetime, zone: str) -> tuple[datetime, datetime]:
    """Return when the day of `now` began in a zone, and when the next one does.

    A day has 23 or 25 hours where clocks change, and none begins at an hour that is left out.
    """
    there = now.astimezone(zone_named(zone))
    midnight = there.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    following = midnight.replace(tzinfo=None) + timedelta(days=1)
    return midnight.astimezone(UTC), following.replace(tzinfo=there.tzinfo).astimezone(UTC)
