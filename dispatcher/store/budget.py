"""The account's budget: the ledger, balance checks, learned costs.

Amounts are in credits.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from dispatcher.model.credit import Costs, Credit, Learned
from dispatcher.model.states import WAITING, State
from dispatcher.store.connection import Repository, milliseconds, pairs
from dispatcher.store.errors import plain_errors
from dispatcher.store.events import AccountEvent, caused
from dispatcher.store.schema import BURN_BUCKET, BURN_BUCKETS, Config
from dispatcher.store.schema import Credit as Ledger
from dispatcher.values.tariffs import Priced, tariff, to_credits, to_units


@dataclass(frozen=True, slots=True)
class CheckRight:
    """The right to check the balance once, with the ledger (in units) as it stood then."""

    spent: int
    estimated: int


class Budget(Repository):
    """The ledger of the account and what it was last told of its balance."""

    def take_check(self, *, lease: float, now: bool = False) -> CheckRight | None:
        """Take the right to check the balance, if it is time or is to be `now`.

        Nobody else gets it for `lease` seconds, or until the check is noted or has failed.
        """
        found = self._run("begin_balance_check", lease=milliseconds(lease), by_request=now)
        return CheckRight(int(found[0]), int(found[1])) if found else None

    def request_check(self) -> None:
        """Have the workers check the balance at their next tick."""
        with plain_errors():
            self._redis.hset(self._key("credit"), Ledger.NEXT_CHECK, 0)

    def note_balance(self, balance: Decimal, right: CheckRight, every: float) -> list[AccountEvent]:
        """Keep what the provider said; return what follows. `every`: seconds to the next check."""
        flat = self._run(
            "note_balance",
            balance=to_units(balance),
            spent=right.spent,
            estimated=right.estimated,
            next_in=milliseconds(every),
        )
        return caused(flat)

    def check_failed(self, why: str, every: float, *, refused: bool = False) -> list[AccountEvent]:
        """Keep that the balance could not be seen; return what follows.

        `refused`: since the provider refuses the account, so that a call would fare no better.
        """
        flat = self._run(
            "note_failed_balance_check", why=why, next_in=milliseconds(every), refused=refused
        )
        return caused(flat)

    def credit(self) -> Credit:
        """Return how the account's credit stands."""
        names = ("credit", "burn", "waiting", "costs", "config")
        ledger, burn, counts, learned, config = self._hashes(*names)
        waiting, scheduled = _waiting(counts), _waiting(counts, frozenset({State.SCHEDULED}))
        means = _costs(learned, config)
        spent, at_check = (
            int(ledger.get(Ledger.SPENT, 0)),
            int(ledger.get(Ledger.SPENT_AT_CHECK, 0)),
        )
        return Credit(
            balance=_amount(ledger.get(Ledger.BALANCE)),
            seen_at=_moment(ledger.get(Ledger.CHECKED)),
            failed_checks=int(ledger.get(Ledger.MISSES, 0)),
            next_check_at=_moment(ledger.get(Ledger.NEXT_CHECK)),
            spent=to_credits(spent),
            spent_since=to_credits(spent - at_check + int(ledger.get(Ledger.ESTIMATED, 0))),
            in_flight=to_credits(int(ledger.get(Ledger.RESERVED, 0))),
            floor=_amount(config.get(Config.CREDIT_FLOOR)),
            burn_per_hour=_burn(burn, self._now()),
            waiting=waiting,
            waiting_needs=_needs(waiting, means),
            warned=_amount(ledger.get(Ledger.WARNED)),
            scheduled_needs=_needs(scheduled, means),
        )

    def costs(self) -> Costs:
        """Return what was learned so far."""
        return _costs(*self._hashes("costs", "config"))

    def learned(self) -> list[Learned]:
        """Return what was learned so far, by tariff."""
        (found,) = self._hashes("costs")
        return [_learned(name, text.decode().split()) for name, text in sorted(found.items())]

    def forget_costs(self, what: str, *, actor: str, note: str = "") -> list[str]:
        """Forget what was learned; it is learned again from the next calls. Return the tariffs.

        `what`: `all`, a country with or without a type (`JP`, `JP-mobile`), or a whole tariff.
        """
        gone = self._run("forget_costs", what=what, actor=actor, note=note)
        return [name.decode() for name in gone]

    def expected_credits(self, calls: Iterable[Priced]) -> Decimal:
        """Return what these requests or jobs will probably cost, one call each, by what was
        learned. Reads the costs once, however many calls there are.
        """
        known = self.costs()
        return sum((known.of(tariff(call)) for call in calls), Decimal(0))

    def _hashes(self, *names: str) -> list[Raw]:
        found = self._read_together(*(("HGETALL", self._key(name)) for name in names))
        return [{name.decode(): value for name, value in pairs(fields).items()} for fields in found]


Raw = dict[str, bytes]


def _costs(learned: Raw, config: Raw) -> Costs:
    rows = {name: text.decode().split() for name, text in learned.items()}
    return Costs(
        means={name: Decimal(row[1]) / to_units(1) for name, row in rows.items()},
        paid={name: Decimal(row[3]) / to_units(1) for name, row in rows.items() if row[2] != "0"},
        start=_amount(config.get(Config.EXPECTED_COST)) or Decimal(20),
    )


def _learned(tariff_: str, row: list[str]) -> Learned:
    low, high = row[5:7] or (None, None)  # version 0.1.0 wrote none
    return Learned(
        tariff_,
        ended=int(row[0]),
        paid=int(row[2]),
        usual=Decimal(row[3]) / to_units(1),
        lowest=_checked(low),
        highest=_checked(high),
    )


def _checked(units: str | None) -> Decimal | None:
    return None if units is None or int(units) < 0 else to_credits(int(units))


def _waiting(counts: Raw, states: frozenset[State] = WAITING) -> dict[str, int]:
    """Return how many jobs in these states there are, by tariff."""
    found: dict[str, int] = {}
    for name, number in counts.items():
        state, _, call = name.partition(":")
        if state in states and int(number):
            found[call] = found.get(call, 0) + int(number)
    return found


def _needs(waiting: dict[str, int], means: Costs) -> Decimal:
    return sum((means.of(name) * many for name, many in waiting.items()), Decimal(0))


def _burn(buckets: Raw, now: float) -> Decimal:
    """Return credits per hour: what the last hour took, or as much of it as there is."""
    present = int(now / 1000 // BURN_BUCKET)
    recent = {
        int(name): int(took)
        for name, took in buckets.items()
        if present - BURN_BUCKETS < int(name) <= present
    }
    if not recent:
        return Decimal(0)
    seconds = max(60.0, now / 1000 - min(recent) * BURN_BUCKET)
    return to_credits(sum(recent.values())) * 3600 / Decimal(f"{seconds:.3f}")


def _amount(units: bytes | None) -> Decimal | None:
    return None if units is None else to_credits(int(units))


def _moment(milliseconds: bytes | None) -> float | None:
    return None if milliseconds is None else float(milliseconds)
