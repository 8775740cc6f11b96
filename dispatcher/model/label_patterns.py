"""Patterns for labels that cannot take for ever.

Python tries what a pattern allows one after another, and holds everything else up meanwhile: for
`(a+)+b` a label of 40 characters is more than a day's work. What monitoring sends is not ours to
choose, so that the pattern must be harmless.
"""

from __future__ import annotations

import math
import re
from re import _constants, _parser  # type: ignore[attr-defined]  # what `re` itself goes by
from typing import Any

LONGEST_PATTERN = 200
LONGEST_LABEL = 200
"""Characters of a label that a pattern is held against."""
_MOST = 26.0
"""How many ways there may be to fit it, as a power of 2: three `.*`, and some alternatives."""
_REPEATS = {_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT}


def check(text: str) -> None:
    """Raise ValueError, with what is wrong, where a text is no pattern or could take for long."""
    if len(text) > LONGEST_PATTERN:
        raise ValueError(f"a pattern has at most {LONGEST_PATTERN} characters")
    try:
        re.compile(text)
        ways = _ways(_parser.parse(text))
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{text[:60]!r} is no pattern: {error}") from None
    if ways > _MOST:
        raise ValueError(
            f"{text[:60]!r} could take for very long: use at most three of `*` and `+`, none of"
            " them around another one or around alternatives"
        )


def fits(text: str, value: str) -> bool:
    """Whether a label's value is, from its beginning to its end, what a pattern says."""
    return re.fullmatch(text, value[:LONGEST_LABEL]) is not None


def _ways(parts: Any) -> float:
    """Return in how many ways a part may fit at most, as a power of 2."""
    return sum(_ways_of(kind, given) for kind, given in parts)


def _ways_of(kind: Any, given: Any) -> float:
    if kind in _REPEATS:
        least, most, part = given
        return _repeated(int(least), min(int(most), LONGEST_LABEL), _ways(part))
    if kind is _constants.BRANCH:
        return math.log2(len(given[1])) + max(map(_ways, given[1]))
    # Groups and looks ahead: what stands in them is the last that is given.
    parts = given if isinstance(given, tuple) else (given,)
    return sum(_ways(part) for part in parts if isinstance(part, _parser.SubPattern))


def _repeated(least: int, most: int, within: float) -> float:
    if least >= most:
        return most * within
    return math.log2(most - least + 1) + most * within
