"""What decides a call's price: its kind, how many are called, their countries and types."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from dispatcher.model.kinds import Kind

MOBILE = "mobile"
UNITS = 10_000
"""Whole units of a credit that Redis counts in, so that sums do not drift."""

_MOST = 9 * 10**15
"""What Lua's numbers hold exactly; a balance beyond it is as good as this one."""


_KINDS: dict[str, str] = {
    Kind.PLAYBACK: "recordings",
    Kind.TTS: "spoken texts",
    Kind.CONFERENCE: "conferences",
}


class Priced(Protocol):
    """A request or a job."""

    @property
    def kind(self) -> Kind: ...

    @property
    def called(self) -> Sequence[str]: ...


def tariff(call: Priced) -> str:
    """Return `playback:JP-mobile`, `tts:US` or, by how many take part, `conference/3:JP,US`.

    Calls of one tariff are taken to cost about the same, which is learned.
    """
    places = ",".join(sorted({_place(number) for number in call.called}))
    size = f"/{len(call.called)}" if call.kind is Kind.CONFERENCE else ""
    return f"{call.kind}{size}:{places}"


def in_words(name: str) -> str:
    """Return a tariff as people say it: `spoken texts to JP mobile numbers`."""
    kind, _, where = name.partition(":")
    what, _, many = kind.partition("/")
    said = f"{_KINDS.get(what, what)}{f' of {many}' if many else ''}"
    return f"{said} to {where.replace(',', ' and ').replace('-', ' ').replace('_', ' ')} numbers"


def _place(number: str) -> str:
    """Return the country of a number and, where it is none of a place, its type."""
    # Not at the top: the store needs these words, and what is known of all numbers is large.
    from dispatcher.values.number_types import number_type  # noqa: PLC0415
    from dispatcher.values.numbers import country, is_mobile  # noqa: PLC0415

    kind = number_type(number) or (MOBILE if is_mobile(number) else "")
    return f"{country(number)}-{kind}" if kind else country(number)


def to_units(credits_: Decimal | float) -> int:
    """Return credits in whole units, rounded; what Lua cannot hold is cut."""
    return max(-_MOST, min(_MOST, round(Decimal(str(credits_)) * UNITS)))


def to_credits(units: int) -> Decimal:
    """Return units in credits, exactly."""
    return Decimal(units) / UNITS
