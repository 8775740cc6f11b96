"""What a number in a workbook is by its format: a date, a time, a number with zeros before it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from dispatcher.rows.dates import from_serial

_DATE_TIME, _DATE, _TIME = {22}, {14, 15, 16, 17}, {18, 19, 20, 21, 45, 46, 47}
_EAST_ASIAN_DATES, _EAST_ASIAN_TIMES = {27, 28, 29, 30, 31, 36, *range(50, 59)}, {32, 33, 34, 35}
_LEFT_OUT = re.compile(
    r'"[^"]*"|\\.|_.|\*.|\[(?![hms]+\])[^\]]*\]|am/pm|a/p|上午/下午', re.IGNORECASE
)
_PICTURE = re.compile(r"\+?[0# ()-]*")
MOST_PLACES = 20  # before or behind the point
_LONGEST_WHOLE = 15  # digits that a spreadsheet keeps


@dataclass(frozen=True, slots=True)
class CellFormat:
    """How a number is shown, as far as it changes what it is. `zeros`: digits at least."""

    date: bool = False
    time: bool = False
    plus: bool = False
    zeros: int = 0


def cell_format(number: int, code: str = "") -> CellFormat:
    """Return a format by its number, or by its code where the workbook has one."""
    if code:
        return _by_code(code)
    date = number in _DATE | _DATE_TIME | _EAST_ASIAN_DATES
    return CellFormat(date, number in _TIME | _DATE_TIME | _EAST_ASIAN_TIMES)


def _by_code(code: str) -> CellFormat:
    bare = _LEFT_OUT.sub("", code.partition(";")[0]).lower()
    if bare.strip() == "general":
        return CellFormat()
    time = "h" in bare or "s" in bare
    date = any(each in bare for each in "ydg") or ("m" in bare and not time)
    if date or time:
        return CellFormat(date, time)
    picture = code.replace("\\", "").replace('"', "")
    if ";" in code or not _PICTURE.fullmatch(picture):
        return CellFormat()
    return CellFormat(plus=picture.startswith("+"), zeros=picture.count("0"))


def shown(number: str, format_: CellFormat, *, later: bool) -> str:
    """Return a number as people read it in its cell: dates in ISO 8601, without a zone.

    `later`: the workbook counts days from 1904. Raises ValueError for what is no number or date.
    """
    try:
        value = Decimal(number)
    except InvalidOperation:
        raise ValueError(f"{number[:20]!r} is no number") from None
    if not value.is_finite() or (value and abs(value.adjusted()) > MOST_PLACES):
        raise ValueError("its number is too large or too small")
    if format_.date or format_.time:
        return _moment(float(value), format_, later=later)
    value = Decimal(f"{value:.{_LONGEST_WHOLE}g}")
    if value == value.to_integral_value():
        digits = f"{value:.0f}"
        padded = digits.zfill(format_.zeros) if value >= 0 else digits
        return f"+{padded}" if format_.plus and value > 0 else padded
    return f"{value:f}".rstrip("0")


def _moment(number: float, format_: CellFormat, *, later: bool) -> str:
    alone = 0 <= number < 1 and not format_.date  # a time of no day, in either system
    found = from_serial(number, later=later or alone)
    if found is None or number < 0:
        raise ValueError("it is no date that the workbook can have")
    clock = f"{found:%H:%M:%S}" if found.second else f"{found:%H:%M}"
    if alone:
        return clock
    day = f"{found:%Y-%m-%d}"
    return f"{day} {clock}" if format_.time or number % 1 else day
