"""Names with commas between of which each is one of a few."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import TypeVar

from dispatcher.errors import UsageError

Choice = TypeVar("Choice", bound=StrEnum)


class UnknownChoice(UsageError, ValueError):
    """There is no such choice; the message says which there are."""


def parse_choices(kind: type[Choice], texts: Iterable[str], *, what: str) -> frozenset[Choice]:
    """Read names in any case. `what` says what an unknown one is not. Raises UnknownChoice."""
    names = [text.strip().lower() for text in texts if text.strip()]
    unknown = sorted(set(names) - set(kind))
    if unknown:
        raise UnknownChoice(f"{unknown[0][:40]!r} is {what}: choose from {', '.join(kind)}")
    return frozenset(map(kind, names))
