"""What decides a call's price: its kind, how many are called, and their countries."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from dispatcher.model.request import Kind
from dispatcher.values.numbers import country

UNITS = 10_000
"""Whole units of a credit that Redis counts in, so that sums do not drift."""

_MOST = 9 * 10**15
"""What Lua's numbers hold exactly; a balance beyond it is as good as this one."""


class Priced(Protocol):
    """A request or a job."""

    @property
    def kind(self) -> Kind: ...

    @property
    def called(self) -> Sequence[str]: ...


def tariff(call: Priced) -> str:
    """Return `playback:JP`, `tts:US` or, by how many take part, `conference/3:JP,US`.

    Calls of one tariff are taken to cost about the same, which is learned.
    """
    countries = ",".join(sorted({country(number) for number in call.called}))
    size = f"/{len(call.called)}" if call.kind is Kind.CONFERENCE else ""
    return f"{call.kind}{size}:{countries}"


def to_units(credits_: Decimal | float) -> int:
    """Return credits in whole units, rounded; what Lua cannot hold is cut."""
    return max(-_MOST, min(_MOST, round(Decimal(str(credits_)) * UNITS)))


def to_credits(units: int) -> Decimal:
    """Return units in credits, exactly."""
    return Decimal(units) / UNITS
