"""What decides a call's price: its kind, how many are called, their countries and types."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import cache
from typing import Protocol

from dispatcher.model.kinds import Kind

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
    kind, numbers = call.kind, call.called
    if len(numbers) == 1 and kind is not Kind.CONFERENCE:
        return f"{kind}:{_place(numbers[0])}"
    places = ",".join(sorted({_place(number) for number in numbers}))
    size = f"/{len(numbers)}" if kind is Kind.CONFERENCE else ""
    return f"{kind}{size}:{places}"


def in_words(name: str) -> str:
    """Return a tariff as people say it: `spoken texts to JP mobile numbers`."""
    kind, _, where = name.partition(":")
    what, _, many = kind.partition("/")
    said = f"{_KINDS.get(what, what)}{f' of {many}' if many else ''}"
    return f"{said} to {where.replace(',', ' and ').replace('-', ' ').replace('_', ' ')} numbers"


def _place(number: str) -> str:
    return _places()(number)


@cache
def _places() -> Callable[[str], str]:
    # Not at the top: the store needs these words, and what is known of all numbers is large.
    from dispatcher.values.number_types import place  # noqa: PLC0415

    return place


def to_units(credits_: Decimal | float) -> int:
    """Return credits in whole units, rounded; what Lua cannot hold is cut."""
    return max(-_MOST, min(_MOST, round(Decimal(str(credits_)) * UNITS)))


def to_credits(units: int) -> Decimal:
    """Return units in credits, exactly."""
    return Decimal(units) / UNITS
