"""Columns in which a file itself says who is not to be called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dispatcher.model.invalid_job import InvalidJob
from dispatcher.values.masking import mask_text

_NAMES = frozenset(
    {
        "donotcall", "donotphone", "dnc", "nocalls", "optout", "optedout", "phoneoptout",
        "calloptout", "optedoutofcalls", "hasoptedoutofcalls", "unsubscribed", "keineanrufe",
        "nichtanrufen",
        "nepasappeler", "nollamar", "電話拒否", "架電禁止", "架電不可", "電話不可",
    }
)  # fmt: skip
_NO = frozenset(
    {"0", "0.0", "false", "f", "no", "n", "off", "-", "falsch", "nein", "non", "いいえ"}
)
"""What says that somebody may be called, as an empty cell does."""
_FIELD = frozenset({"obey", "exempt"})
"""What a column `dnc` says as the option of a call."""


def named(header: Iterable[str], by_hand: Iterable[str]) -> tuple[str, ...]:
    """Return the columns of a header that say who is not to be called, but those read by hand."""
    given = {_plain(name) for name in by_hand}
    return tuple(name for name in header if _plain(name) in _NAMES - given)


def says_no(value: Any) -> bool:
    """Whether such a cell says that somebody may be called."""
    text = str(value if value is not None else "").strip().casefold()
    return not text or text in _NO


def refuse(values: Mapping[str, Any], columns: Iterable[str]) -> None:
    """Raise InvalidJob for a row whose person is not to be called, by what the file itself says."""
    for name in columns:
        cell = values.get(name)
        if not says_no(cell) and not (
            _plain(name) == "dnc" and str(cell).strip().casefold() in _FIELD
        ):
            said = repr(mask_text(str(cell))[:20])
            why = (
                f"{name!r} says {said}: this person is not to be called"
                f" (--map {name!r}= ignores that column)"
            )
            raise InvalidJob([("row", why)])


def _plain(name: str) -> str:
    return "".join(each for each in name.casefold() if each.isalnum())
