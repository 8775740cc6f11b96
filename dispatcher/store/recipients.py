"""Where the jobs of a number, or of last digits, stand; lua/lib/recipients.lua puts them there."""

from __future__ import annotations

from dispatcher.store.schema import RECIPIENT_BEFORE, RECIPIENT_LAST

FEWEST_DIGITS = 3
"""Last digits by which jobs are found so; of fewer there are too many jobs, and too many places."""

Range = tuple[str, str, str]
"""The last digits that an index is named by, and the lowest and highest score in it."""


def ranges(recipient: str) -> list[Range]:
    """Return where the jobs of an E.164 number stand, or of last digits: FEWEST_DIGITS or more."""
    digits = recipient.removeprefix("+")
    last, before = digits[-RECIPIENT_LAST:], digits[:-RECIPIENT_LAST][::-1]
    if recipient != digits:
        score = before.ljust(RECIPIENT_BEFORE, "0")
        return [(last, score, score)]
    if len(digits) < RECIPIENT_LAST:
        open_ = RECIPIENT_LAST - len(digits)
        return [(f"{n:0{open_}}{digits}", "-inf", "+inf") for n in range(10**open_)]
    return [(last, before.ljust(RECIPIENT_BEFORE, "0"), before.ljust(RECIPIENT_BEFORE, "9"))]


def member(id_: str, place: int) -> str:
    """Return what stands of a job in the index of its number at a place, the first is 1."""
    return id_ if place == 1 else f"{id_}:{place}"
