"""The account's credit and what calls were learned to cost: frozen values, amounts in credits."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

BLIND_AFTER = 3
"""Balance checks in a row that fail, after which the budget binds nobody."""


@dataclass(frozen=True, slots=True)
class Credit:
    """How the account's credit stands.

    `balance` is as last seen at `seen_at` (ms since the epoch), both None if it never was, and
    `failed_checks` counts those in a row that failed since. `spent` is what all ended calls have
    cost, for good; `spent_since` that part of it since the check, with what ended calls of unknown
    cost are taken to have cost; `in_flight` is reserved by calls under way. `floor` is None for a
    post-paid account.
    """

    balance: Decimal | None
    seen_at: float | None
    failed_checks: int
    next_check_at: float | None
    spent: Decimal
    spent_since: Decimal
    in_flight: Decimal
    floor: Decimal | None
    burn_per_hour: Decimal
    waiting: dict[str, int]
    waiting_needs: Decimal
    warned: Decimal | None = None
    """The lowest level a warning was given for, until the balance is above it again."""
    scheduled_needs: Decimal = Decimal(0)
    """The part of `waiting_needs` that scheduled jobs need."""

    @property
    def available(self) -> Decimal | None:
        """What may still be given out; None where no balance was ever seen."""
        if self.balance is None:
            return None
        return self.balance - self.spent_since - self.in_flight

    @property
    def blind(self) -> bool:
        """Whether the balance is not known well enough to bind anybody."""
        return self.balance is None or self.failed_checks >= BLIND_AFTER

    @property
    def hours_left(self) -> float | None:
        """Hours until the floor at the present pace; None where nothing is spent, or known."""
        if self.balance is None or self.floor is None or self.burn_per_hour <= 0:
            return None
        left = self.balance - self.spent_since - self.floor
        return max(0.0, float(left / self.burn_per_hour))


@dataclass(frozen=True, slots=True)
class Learned:
    """What is learned of the calls of a tariff, in credits.

    `ended` of them count, of which `paid` cost anything, `usual` on the average. `lowest` and
    `highest` are what status checks told; None: of none yet.
    """

    tariff: str
    ended: int
    paid: int
    usual: Decimal
    lowest: Decimal | None
    highest: Decimal | None

    def to_dict(self) -> dict[str, str | int | float | None]:
        """Return it for JSON."""
        return {
            "tariff": self.tariff,
            "ended": self.ended,
            "paid": self.paid,
            "usual": float(self.usual),
            "lowest": None if self.lowest is None else float(self.lowest),
            "highest": None if self.highest is None else float(self.highest),
        }


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
