"""The account's credit as Redis keeps it: the ledger, looks at the balance, learned costs.

Amounts are in credits. store/lua/_ledger.lua lists what stands where.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from dispatcher.model.states import WAITING
from dispatcher.store.redis_url import plain_errors
from dispatcher.store.store import Store
from dispatcher.values.tariffs import Priced, tariff, to_credits, to_units

BLIND_AFTER = 3
"""As in _budget.lua: looks in a row that fail, after which the budget binds nobody."""
BUCKET, BUCKETS = 600, 6
"""As in _ledger.lua: spending is counted by so many seconds, and so many of these are kept."""


@dataclass(frozen=True, slots=True)
class Look:
    """The right to look at the balance once, with the ledger as it stood then."""

    spent: int
    guessed: int


@dataclass(frozen=True, slots=True)
class Told:
    """Something that an operation told: see dispatcher/store/events.py."""

    kind: str
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Account:
    """How the account stands.

    `balance` is as last seen at `seen_at` (ms since the epoch), both None if it never was, and
    `misses` counts the looks in a row that failed since. `spent` is what all ended calls have
    cost, for good; `spent_since` those of it since the look, with what ended calls of unknown
    cost are taken to have cost; `in_flight` is reserved by calls under way. `floor` is None for a
    post-paid account.
    """

    balance: Decimal | None
    seen_at: float | None
    misses: int
    next_look_at: float | None
    spent: Decimal
    spent_since: Decimal
    in_flight: Decimal
    floor: Decimal | None
    burn_per_hour: Decimal
    waiting: dict[str, int]
    waiting_needs: Decimal
    warned: Decimal | None = None
    """The lowest level a warning was given for, until the balance is above it again."""

    @property
    def available(self) -> Decimal | None:
        """What may still be given out; None where no balance was ever seen."""
        if self.balance is None:
            return None
        return self.balance - self.spent_since - self.in_flight

    @property
    def blind(self) -> bool:
        """Whether the balance is not known well enough to bind anybody."""
        return self.balance is None or self.misses >= BLIND_AFTER

    @property
    def hours_left(self) -> float | None:
        """Hours until the floor at the present pace; None where nothing is spent, or known."""
        if self.balance is None or self.floor is None or self.burn_per_hour <= 0:
            return None
        left = self.balance - self.spent_since - self.floor
        return max(0.0, float(left / self.burn_per_hour))


@dataclass(frozen=True, slots=True)
class Costs:
    """What calls were learned to cost, by tariff: the mean of all that ended, and of those that
    cost anything.

    A tariff that is not known goes by the dearest of its kind, a kind by the start value.
    """

    means: dict[str, Decimal]
    paid: dict[str, Decimal]
    start: Decimal

    def of(self, call: str) -> Decimal:
        """Return what a call of this tariff costs on the average, those in vain included."""
        return self._known(self.means, call)

    def if_answered(self, call: str) -> Decimal:
        """Return what a call of this tariff costs on the average where it costs anything."""
        return self._known(self.paid, call)

    def _known(self, learned: dict[str, Decimal], call: str) -> Decimal:
        kind = call.partition(":")[0]
        alike = [mean for name, mean in learned.items() if name.partition(":")[0] == kind]
        size = int(kind.partition("/")[2] or 1)
        return learned.get(call, max(alike, default=self.start * size))


def watch(store: Store, *, lease: float, now: bool = False) -> Look | None:
    """Take the right to look at the balance, if it is time or is to be `now`.

    Nobody else gets it for `lease` seconds, or until the look is noted or has failed.
    """
    found = store.run("watch", round(lease * 1000), int(now))
    return Look(int(found[0]), int(found[1])) if found else None


def look_soon(store: Store) -> None:
    """Have the workers look at the balance at their next tick."""
    with plain_errors():
        store.redis.hset(store.key("credit"), "look_at", 0)


def note_balance(store: Store, balance: Decimal, look: Look, every: float) -> list[Told]:
    """Keep what the provider said; return what follows. `every`: seconds until the next look."""
    seen = to_units(balance)
    flat = store.run("note_balance", seen, look.spent, look.guessed, round(every * 1000))
    return _told(flat)


def look_failed(store: Store, why: str, every: float, *, refused: bool = False) -> list[Told]:
    """Keep that the balance could not be seen; return what follows.

    `refused`: since the provider refuses the account, so that a call would fare no better.
    """
    return _told(store.run("look_failed", why, round(every * 1000), int(refused)))


def account(store: Store) -> Account:
    """Return how the account stands."""
    with plain_errors():
        pipe = store.redis.pipeline(transaction=True)
        for name in ("credit", "burn", "waiting", "costs", "limits"):
            pipe.hgetall(store.key(name))
        ledger, burn, waiting, learned, limits = (
            {k.decode(): v for k, v in found.items()} for found in pipe.execute()
        )
    waits = _waiting(waiting)
    means = _costs(learned, limits)
    spent, at_look = int(ledger.get("spent", 0)), int(ledger.get("seen_spent", 0))
    return Account(
        balance=_amount(ledger.get("balance")),
        seen_at=_moment(ledger.get("seen")),
        misses=int(ledger.get("misses", 0)),
        next_look_at=_moment(ledger.get("look_at")),
        spent=to_credits(spent),
        spent_since=to_credits(spent - at_look + int(ledger.get("guessed", 0))),
        in_flight=to_credits(int(ledger.get("flying", 0))),
        floor=_amount(limits.get("floor")),
        burn_per_hour=_burn(burn, store.now()),
        waiting=waits,
        waiting_needs=sum((means.of(name) * many for name, many in waits.items()), Decimal(0)),
        warned=_amount(ledger.get("warned")),
    )


def costs(store: Store) -> Costs:
    """Return what was learned so far."""
    with plain_errors():
        pipe = store.redis.pipeline(transaction=True)
        for name in ("costs", "limits"):
            pipe.hgetall(store.key(name))
        learned, limits = (_named(found) for found in pipe.execute())
    return _costs(learned, limits)


def expected_credits(store: Store, calls: Iterable[Priced]) -> Decimal:
    """Return what these requests or jobs will probably cost, one call each, by what was learned.

    Reads the costs once, however many calls there are.
    """
    known = costs(store)
    return sum((known.of(tariff(call)) for call in calls), Decimal(0))


Raw = dict[str, bytes]


def _named(fields: dict[bytes, bytes]) -> Raw:
    return {name.decode(): value for name, value in fields.items()}


def _costs(learned: Raw, limits: Raw) -> Costs:
    rows = {name: text.decode().split() for name, text in learned.items()}
    return Costs(
        means={name: Decimal(row[1]) / to_units(1) for name, row in rows.items()},
        paid={name: Decimal(row[3]) / to_units(1) for name, row in rows.items() if row[2] != "0"},
        start=_amount(limits.get("expected")) or Decimal(20),
    )


def _waiting(counts: Raw) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, number in counts.items():
        state, _, call = name.partition(":")
        if state in WAITING and int(number):
            found[call] = found.get(call, 0) + int(number)
    return found


def _burn(buckets: Raw, now: float) -> Decimal:
    """Return credits per hour: what the last hour took, or as much of it as there is."""
    present = int(now / 1000 // BUCKET)
    recent = {
        int(name): int(took) for name, took in buckets.items() if int(name) > present - BUCKETS
    }
    if not recent:
        return Decimal(0)
    seconds = max(60.0, now / 1000 - min(recent) * BUCKET)
    return to_credits(sum(recent.values())) * 3600 / Decimal(f"{seconds:.3f}")


def _amount(units: bytes | None) -> Decimal | None:
    return None if units is None else to_credits(int(units))


def _moment(milliseconds: bytes | None) -> float | None:
    return None if milliseconds is None else float(milliseconds)


def _told(flat: list[bytes]) -> list[Told]:
    rows = zip(flat[::2], flat[1::2], strict=True)
    return [Told(kind.decode(), json.loads(facts)) for kind, facts in rows]
