"""Amounts, units and moments in the text of an alert, as people say them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple


class Words(NamedTuple):
    """How a language says them. A unit stands behind its amount, after `gap`."""

    units: Mapping[str, str]
    steps: tuple[tuple[float, str], ...]
    """Large amounts: from which on, and the word."""
    above: str
    below: str
    moment: str
    """A format of datetime; the zone is always UTC."""
    gap: str = " "


_SHORT_SCALE = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))
_LATIN_SIGNS: Final = {"%": "%", "°C": "°C"}
WORDS: Final[Mapping[str, Words]] = {
    "en": Words(
        {
            "%": "percent",
            "°C": "degrees",
            "B": "bytes",
            "KB": "kilobytes",
            "MB": "megabytes",
            "GB": "gigabytes",
            "TB": "terabytes",
            "ms": "milliseconds",
            "s": "seconds",
            "m": "minutes",
            "min": "minutes",
            "h": "hours",
            "d": "days",
        },
        _SHORT_SCALE,
        "above",
        "below",
        "%-d %B %H:%M UTC",
    ),
    "ja": Words(
        {
            "%": "パーセント",
            "°C": "度",
            "B": "バイト",
            "KB": "キロバイト",
            "MB": "メガバイト",
            "GB": "ギガバイト",
            "TB": "テラバイト",
            "ms": "ミリ秒",
            "s": "秒",
            "m": "分",
            "min": "分",
            "h": "時間",
            "d": "日",
        },
        ((1e12, "兆"), (1e8, "億"), (1e4, "万")),
        "、しきい値",
        "、しきい値",
        "協定世界時%-m月%-d日%-H時%M分",
        "",
    ),
}
OTHERS: Final = Words({}, (), "", "", "%H:%M UTC")
"""Voices know the units' signs; words of ours would be of the wrong language."""

_MOMENT = re.compile(
    r"(?<!\d)(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::\d\d(?:\.\d{1,9})?)?"
    r"\s?(Z|UTC|[+-]\d\d:?\d\d)?(?: \+0000(?: UTC)?)?(?!\d)",
    re.ASCII,
)
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])", re.ASCII)
_UNIT = r"(?:[KkMGT]i?B|[KMGT]i|[GT]|[Bb]ytes|B|%|percent|°C|ms|min|s|m|h|d)"
_AMOUNT = re.compile(
    rf"(?<![\w.:/-])([+-]?\d{{1,25}}(?:\.\d{{1,25}})?(?:[eE][+-]?\d{{1,3}})?)(?:\s?({_UNIT})(?![\w]))?"
    r"(?![\d:/-])(?!\.\d)",
    re.ASCII,
)
_COMPARED = re.compile(r"(?<=[\w)% ])(>=?|<=?)(?= ?-?\d)")
_EACH_STEP: Final = 1024.0
_SIZES: Final = ("B", "KB", "MB", "GB", "TB")
_LARGE: Final = 1e6
_THREE_FIGURES: Final = 100
_SMALLEST: Final = 0.001
_LARGEST: Final = 1e15
_NAMES: Final = {"bytes": "B", "percent": "%"}


def said(text: str, lang: str) -> str:
    """Return the text with its moments, amounts and units as a voice of the language says them."""
    words = WORDS.get(lang, OTHERS)
    text = _MOMENT.sub(lambda found: _moment(found, words), text)
    text = _THOUSANDS.sub(lambda found: _together(found[0]), text)
    text = _COMPARED.sub(lambda found: f" {_compared(found[1], words)} ", text)
    return _AMOUNT.sub(lambda found: _amount(found, words), text)


def _together(number: str) -> str:
    """Return a number without its commas; with them a large one is an amount, and no id."""
    digits = number.replace(",", "")
    return digits if float(digits) < _LARGE else f"{digits}.00"


def _compared(sign: str, words: Words) -> str:
    return words.above if sign.startswith(">") else words.below


def _moment(found: re.Match[str], words: Words) -> str:
    """Return a moment in UTC; what has no zone is taken for it, as monitoring writes."""
    zone = (found[3] or "Z").replace("UTC", "Z")
    try:
        at = datetime.fromisoformat(f"{found[1]}T{found[2]}{zone}")
        return at.astimezone(UTC).strftime(words.moment)
    except (ValueError, OverflowError):
        return " "


def _amount(found: re.Match[str], words: Words) -> str:
    value, unit = float(found[1]), _name(found[2] or "")
    if not abs(value) < _LARGEST:
        return " "
    if "." not in found[1] and "e" not in found[1].lower() and not unit and abs(value) >= _LARGE:
        return " "  # an id as often as an amount, and nobody keeps it in mind
    if unit in _SIZES:
        value, unit = _size(value, unit)
    if not unit and abs(value) >= _LARGE:
        return _large(value, words)
    amount = _rounded(value) if not _is_plain(found[1]) or unit in _SIZES else found[1]
    return f"{amount}{_said_unit(unit, found[2] or '', words)}"


def _name(unit: str) -> str:
    """Return the unit's own name: `GiB` and `G` are gigabytes, `percent` is the sign."""
    if unit.lower() in _NAMES:
        return _NAMES[unit.lower()]
    if unit and unit[0] in "KkMGT":
        return f"{unit[0].upper()}B"
    return unit


def _said_unit(unit: str, written: str, words: Words) -> str:
    if not unit:
        return ""
    word = words.units.get(unit)
    if word is not None:
        return f"{words.gap}{word}"
    return unit if unit == "%" else f" {unit or written}"


def _size(value: float, unit: str) -> tuple[float, str]:
    step = _SIZES.index(unit)
    while abs(value) >= _EACH_STEP and step < len(_SIZES) - 1:
        value, step = value / _EACH_STEP, step + 1
    return value, _SIZES[step]


def _large(value: float, words: Words) -> str:
    for least, word in words.steps:
        if abs(value) >= least:
            return f"{_rounded(value / least)}{words.gap}{word}"
    return " "


def _rounded(value: float) -> str:
    """Return three figures of it, and no more than one behind the point."""
    size = abs(value)
    if size >= 1:
        return f"{value:.{0 if size >= _THREE_FIGURES else 1}f}".removesuffix(".0")
    return f"{value:.2g}" if size >= _SMALLEST else "0"


def _is_plain(number: str) -> bool:
    _, _, behind = number.partition(".")
    return len(behind) <= 1 and "e" not in number.lower()
