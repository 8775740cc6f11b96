"""A text with gaps that each row fills: `Dear {name}, your parcel is here.`"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any, Self

from dispatcher.errors import DispatcherError, UsageError


class InvalidTemplate(UsageError, ValueError):
    """Not a template; the message says what is wrong and how one is written."""


class Unfilled(DispatcherError, ValueError):
    """A row has nothing for a gap."""


@dataclass(frozen=True, slots=True)
class Template:
    """Literal texts and, after each, the column that fills the gap; '' for none.

    Columns are told apart without regard to case: `gaps` has each that is wanted once, casefolded.
    A brace is written twice.
    """

    parts: tuple[tuple[str, str], ...]
    gaps: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the template, or raise InvalidTemplate. Gaps name columns and nothing else."""
        try:
            found = list(Formatter().parse(text))
        except ValueError as error:
            raise InvalidTemplate(f"{text!r}: {error}; {_HOW}") from None
        for _, gap, spec, conversion in found:
            if gap is not None and (not gap.strip() or spec or conversion):
                raise InvalidTemplate(f"{text!r}: braces hold the name of a column; {_HOW}")
        parts = tuple((literal, (gap or "").strip().casefold()) for literal, gap, *_ in found)
        return cls(parts, tuple(dict.fromkeys(gap for _, gap in parts if gap)))

    def fill(self, values: Mapping[str, Any]) -> str:
        """Return the text with values put in by casefolded column.

        Raises Unfilled where one is missing or empty: half a sentence is not said to anybody.
        """
        for gap in self.gaps:
            if values.get(gap) in (None, ""):
                raise Unfilled(f"{{{gap}}} is empty in this row")
        return "".join(literal + (str(values[gap]) if gap else "") for literal, gap in self.parts)


_HOW = "write {column} for the value of a column, and {{ or }} for a brace"
