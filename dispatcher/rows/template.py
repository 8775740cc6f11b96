"""A text with gaps that each row fills: `Dear {name}, we expect you on {due|date}.`"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any, Self

from dispatcher.errors import DispatcherError, UsageError
from dispatcher.rows.blank import blank, no_value
from dispatcher.rows.filters import Gap, Voice, parse


class InvalidTemplate(UsageError, ValueError):
    """Not a template; the message says what is wrong and how one is written."""


class Unfilled(DispatcherError, ValueError):
    """A row has nothing for a gap, or nothing that can be said."""


@dataclass(frozen=True, slots=True)
class Template:
    """Literal texts and, after each, the gap that a column fills; None for none.

    Columns are told apart without regard to case: `gaps` has each that is wanted once, casefolded.
    A brace is written twice.
    """

    parts: tuple[tuple[str, Gap | None], ...]
    gaps: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the template, or raise InvalidTemplate."""
        try:
            found = list(Formatter().parse(text))
            parts = tuple(_part(*each) for each in found)
        except ValueError as error:
            raise InvalidTemplate(f"{text!r}: {error}; {_HOW}") from None
        return cls(parts, tuple(dict.fromkeys(gap.column for _, gap in parts if gap)))

    def fill(self, values: Mapping[str, Any], voice: Voice) -> str:
        """Return the text with values put in by casefolded column, said by a voice.

        Raises Unfilled where one is missing or cannot be said: half a sentence is not said to
        anybody.
        """
        return "".join(
            literal + (_filled(gap, values.get(gap.column), voice) if gap else "")
            for literal, gap in self.parts
        )


def _part(
    literal: str, field: str | None, spec: str | None, conversion: str | None
) -> tuple[str, Gap | None]:
    if field is None:
        return literal, None
    if conversion or "{" in (spec or ""):
        raise ValueError("braces hold the name of a column")
    return literal, parse(field, spec or "")


def _filled(gap: Gap, value: Any, voice: Voice) -> str:
    if blank(value):
        raise Unfilled(f"{{{gap.column}}} is empty in this row")
    if fault := no_value(value):
        raise Unfilled(f"{{{gap.column}}} is {fault!r} in this row, which is no value")
    if isinstance(value, dict | list | bool):
        raise Unfilled(f"{{{gap.column}}} is neither a text nor a number in this row")
    try:
        return gap.said(value, voice)
    except ValueError as error:
        raise Unfilled(f"{{{gap.column}}}: {error}") from None


_HOW = (
    "write {column} for the value of a column, {column|filter} for how it is said, and {{ or }}"
    " for a brace"
)
