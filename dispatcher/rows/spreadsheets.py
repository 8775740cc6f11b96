"""What spreadsheets do to cells: to numbers they read, and to texts they take for formulas."""

from __future__ import annotations

import re

_STARTS = frozenset("=+-@\t\r\n'＝＋－＠")  # noqa: RUF001 - some take the wide ones for formulas, too

_SCIENTIFIC = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+", re.ASCII)
_DECIMAL = re.compile(r"\+?\d{5,}[.,]0+", re.ASCII)
_TEXT = re.compile(r'="((?:[^"]|"")*)"')
_MARKED = re.compile(r"'\s*(?=[+(\d])")
_EXACT = re.compile(r"(\+?)(\d)[.,](\d+)[eE]\+?(\d{1,2})", re.ASCII)
_WHOLE = re.compile(r"(\+?\d{5,})[.,]0+", re.ASCII)
_DIGITS = re.compile(r"[\d(][\d ()./-]{3,}\d", re.ASCII)
NO_CODE = (
    "no country code: give --region JP if such numbers are written as in Japan, or --plus if each"
    " begins with its country code and only the plus is missing, as spreadsheets take it away"
)
"""What a number without a plus needs; it is the same for all rows of a file."""


def shield(text: str) -> str:
    """Return a cell that a spreadsheet takes for a text: ' stands before what starts a formula.

    A number's plus starts one, too: without the apostrophe `+818012345678` comes back from a
    spreadsheet as `8.18012E+11`. `unshield` undoes it.
    """
    return f"'{text}" if text[:1] in _STARTS and text else text


def unshield(text: str) -> str:
    """Return what a cell said before `shield`; other cells as they are."""
    return text[1:] if text[:1] == "'" and text[1:2] and text[1:2] in _STARTS else text


def said(cell: str) -> str:
    """Return what a cell says: `="0901"`, by which programs make a text of digits, says 0901."""
    if cell[:2] == '="' and (found := _TEXT.fullmatch(cell)):
        return found[1].replace('""', '"')
    return unshield(cell) if cell[:1] == "'" else cell


def typed(number: str) -> str:
    """Return a telephone number as it was typed, where what a spreadsheet did to it lost no digit.

    So an apostrophe before it goes, and `.0` behind it; `8.18011234567E+11` has all its digits, and
    `8.18011E+11` has not.
    """
    number = _MARKED.sub("", number, count=1) if number[:1] == "'" else number
    if (found := _EXACT.fullmatch(number)) and len(found[3]) == int(found[4]):
        return "".join(found.group(1, 2, 3))
    found = _WHOLE.fullmatch(number)
    return found[1] if found else number


def mangled(number: str) -> str | None:
    """Return what a spreadsheet did to a telephone number, and what to do; None: nothing.

    What `typed` could not undo is not repaired: digits may be lost, or a country guessed.
    """
    if _SCIENTIFIC.fullmatch(number):
        return (
            "a spreadsheet wrote it in its scientific form, and its last digits are lost:"
            " format the column as text and enter the numbers again"
        )
    if _DECIMAL.fullmatch(number):
        return "a spreadsheet changed it to an amount (.0 at the end): format the column as text"
    if number.startswith("#"):
        return "a spreadsheet wrote an error there, or its column was too narrow"
    if number.startswith("'"):
        return "it begins with an apostrophe, as spreadsheets mark texts: remove it and write +"
    if _DIGITS.fullmatch(number):
        return NO_CODE
    return None
