"""The rules of the account that Redis keeps at every dial; the workers publish them there."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.values.calling_hours import CallingHours
from dispatcher.values.rate import Rate
from dispatcher.values.tariffs import to_units


@dataclass(frozen=True, slots=True)
class AccountConfig:
    """Limits of the account and protection of people. Durations in seconds.

    `rate` None is no limit; `margin` is the part of a period by which the way to the provider
    may vary; `share` is what status checks are sure of while jobs wait to be dialled; after a
    429 the working rate is back at `rate` within `recovery`; `lease` ends the connection of a
    request whose process is gone. `gap` and `per_day` bound the calls to one number;
    `one_at_a_time` keeps a second call waiting while one may be ringing.
    `countries` are those that may be called (empty: all), `blocked` those that may not.
    Amounts are in credits: `floor` is the least balance that calls need (None: a post-paid
    account, which has no budget either), `expected_cost` what a call is taken to cost, for each
    who is called, until its costs are learned; `warn` the balances at which a warning is given;
    `spend_per_day` what all calls of a day in `zone` may cost, `spend_per_call` what a single
    one may. `breaker` failures of the provider in a row hold all calls.
    `webhooks` is how many targets of the account are told of jobs' ends, or with
    `every_change` of every change of their states.
    """

    rate: Rate | None = None
    margin: float = 0.012
    share: float = 0.1
    recovery: float = 600
    connections: int = 8
    lease: float = 64
    gap: float = 0
    per_day: int | None = None
    one_at_a_time: bool = True
    hours: CallingHours | None = None
    countries: frozenset[str] = frozenset()
    blocked: frozenset[str] = frozenset()
    floor: float | None = None
    expected_cost: float = 20
    warn: tuple[float, ...] = ()
    spend_per_day: float | None = None
    spend_per_call: float | None = None
    zone: str = "UTC"
    breaker: int = 5
    webhooks: int = 0
    every_change: bool = False

    def fields(self) -> dict[str, str]:
        """Return the fields of ns:limits (store/lua/_record.lua lists them)."""
        found = {
            "rate": None if self.rate is None else repr(self.rate.per_second),
            "margin": repr(self.margin),
            "share": repr(self.share),
            "recovery": str(round(self.recovery * 1000)),
            "connections": str(self.connections),
            "least": str(max(16, 2 * self.connections)),
            "window": str(max(64, 16 * self.connections)),
            "lease": str(round(self.lease * 1000)),
            "gap": str(round(self.gap * 1000)) if self.gap else None,
            "per_day": None if self.per_day is None else str(self.per_day),
            "alone": "1" if self.one_at_a_time else None,
            "hours": None if self.hours is None else self.hours.text,
            "countries": ",".join(sorted(self.countries)) or None,
            "blocked": ",".join(sorted(self.blocked)) or None,
            "floor": _units(self.floor),
            "expected": _units(self.expected_cost),
            "warn": ",".join(str(to_units(level)) for level in self.warn) or None,
            "spend_day": _units(self.spend_per_day),
            "spend_call": _units(self.spend_per_call),
            "zone": self.zone,
            "breaker": str(self.breaker),
            "hooks": str(self.webhooks) if self.webhooks else None,
            "every": "1" if self.every_change else None,
        }
        return {name: value for name, value in found.items() if value is not None}


def _units(amount: float | None) -> str | None:
    return None if amount is None else str(to_units(amount))
