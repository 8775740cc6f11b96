"""Telephone numbers as logs, lists and errors may show them: `+8180****4567`.

The only place that decides what may be a telephone number, in whatever writing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

TAIL = 4
"""Last digits that a masked number shows."""
LEAST = 8
"""Digits alone that may be a number; fewer are too often an amount or a count."""
MOST = 15
"""Digits alone that may be a number (E.164); more are an id or a finer clock."""
LEAST_WRITTEN = 7
"""Digits with separators, or after a 0, that may be a number."""
_LEAST_SURE = 5  # after a plus, or where a number was asked for
_LEAST_GLUED = 9  # between letters: written with separators, after a 0
_HIDDEN = 4  # digits that never show, however short the number

# As `repr` and JSON write them: a message that quotes a value must not hide it from us.
_DIGIT = r"(?:\d|\\uff1\d)"
_ESCAPED = r"\\(?:xa0|xad|u20[0-6][0-9a-f]|u2212|u3000|u30fc|ufeff|uff(?:0[89def]|3[bd]|5e))"
_SEPARATORS = (
    r"[ _()\[\].~/\u00a0\u00ad\u00b7\u2000-\u2015\u202a-\u202f\u2053\u205f-\u206f\u2212\u223c"
    r"\u3000\u30fb\u30fc\ufeff\uff08\uff09\uff0d-\uff0f\uff3b\uff3d\uff5e-]"
)
_SEPARATOR = rf"""
    (?:{_SEPARATORS}
    | {_ESCAPED} | %(?:20|28|29|2d|2e|2f|[c-f][0-9a-f](?:%[89ab][0-9a-f])+))
"""
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_ABROAD = rf"0\d{{{MOST},{MOST + 3}}}(?!\d)"  # as dialled from abroad: up to 0011 before it
_ALONE = (
    r"(?<!\d\))(?<!\d\)\ )"
    + "".join(  # not behind an area code: (268) 460.1234, 030 123456/57
        rf"(?<!(?<![\d:./-])0\d{{{more}}}\ )" for more in (1, 2, 3, 4)
    )
)
_YEAR, _MONTH, _DAY = r"(?:19|20)\d\d", r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"

# What people on call need and would look like a number.
_IDENTIFIER = rf"""
    (?<![0-9a-f])[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}(?![0-9a-f])  # UUID
  | (?=\d)(?:
    (?<!\d){_YEAR}(?:-{_MONTH}-{_DAY}|\.{_MONTH}\.{_DAY}|/{_MONTH}/{_DAY}|_{_MONTH}_{_DAY})
    (?:[ T]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?(?!\d)
  | (?<![\d.])(?:{_DAY}\.{_MONTH}\.|{_DAY}/{_MONTH}/|{_MONTH}/{_DAY}/){_YEAR}(?!\d)
  | (?<!\d){_YEAR}{_MONTH}{_DAY}(?!\d)
  | (?<![\d:])\d{{1,2}}(?::\d\d){{1,2}}(?:[.,]\d+)?(?!\d)                         # time of day
  | (?<!\d)1\d{{12}}(?:-\d{{1,9}})?(?!\d)                                         # ms, stream id
  | (?<!\d)(?!{_ABROAD})[0-9]{{{MOST + 1},}}(?!\d)
  | (?<![\d.]){_OCTET}(?:\.{_OCTET}){{3}}(?![\d.])                                # IPv4
  | (?<=ip-){_OCTET}(?:-{_OCTET}){{3}}(?![\d-])
  | {_ALONE}(?<![\d.])(?:0\.\d+|[1-9]\d{{0,6}}\.\d{{1,4}})(?![\d./-])(?!\ \d)     # amount
  | {_ALONE}(?<![\d.+])[1-9]\d{{0,2}}\.\d{{5,17}}(?=\ ?%(?![0-9a-f]{{2}}))              # share
  | {_ALONE}(?<![\d/])[1-9]\d{{0,6}}/[1-9]\d{{0,6}}(?![\d./-])(?!\ \d)            # done/all
  )
"""
_GOES_ON = rf"(?:{_DIGIT}|{_SEPARATOR}{{1,4}}(?!{_IDENTIFIER}){_DIGIT})*"
_EXTENSION = rf"""
    (?:{_SEPARATOR}{{0,3}}
       (?:;ext=|%3bext%3d|extn?\.?|int\.?|anexo|x|\#|%23|,,|%2c%2c|\u5185\u7dda|\u0434\u043e\u0431\.?)
       {_SEPARATOR}{{0,2}}{_DIGIT}{{1,7}}(?![0-9a-z]))?
"""
_ESCAPE = r"(?:\\(?:u(?!ff1\d)[0-9a-f]{4}|x[0-9a-f]{2}|[nrtvf])|%[0-9a-f]{2})"
_LONGEST_ESCAPE = 6
# After a sign the first digits are no date, whatever they look like.
_FOUND = rf"""
    (?=[\da-f+\uff0b%\\])(?:  # where none of these is, nothing else is looked for
    (?P<identifier>{_IDENTIFIER})
  | (?:[+\uff0b]|%2b|\\uff0b)
    (?P<signed>{_SEPARATOR}{{0,2}}{_DIGIT}(?:{_SEPARATOR}{{0,4}}{_DIGIT}){{0,6}}{_GOES_ON})
    {_EXTENSION}
  | (?P<escape>{_ESCAPE})
  | (?P<run>{_DIGIT}{_GOES_ON}){_EXTENSION}
    )
    """
_SCHEME = "tel:"
_POSSIBLE = re.compile(
    rf"[+\uff0b%\\]|{_SCHEME}|\d(?:{_SEPARATORS}{{0,4}}\d){{{LEAST_WRITTEN - 1}}}", re.IGNORECASE
)
"""What a text has that has a number in it: what `_FOUND` is too dear to look for in every line."""
_RUN = re.compile(rf"{_DIGIT}(?:{_SEPARATOR}{{0,4}}{_DIGIT})*", re.VERBOSE | re.IGNORECASE)
_GAP = re.compile(rf"{_SEPARATOR}+", re.VERBOSE | re.IGNORECASE)
_ESCAPED_DIGIT = re.compile(r"\\uff1(\d)", re.IGNORECASE)
_WORD_BEFORE = re.compile(r"[a-z*]$", re.IGNORECASE)
_ESCAPE_BEFORE = re.compile(rf"{_ESCAPE}$", re.IGNORECASE)
_WORD_AFTER = re.compile(r"[a-z]", re.IGNORECASE)


def mask_number(e164: str) -> str:
    """Return a number with its first five characters and last four, `+8180****4567`.

    Shorter numbers show less, so that at least four characters are always hidden.
    """
    shown = max(0, len(e164) - _HIDDEN)
    tail = min(TAIL, shown // 2)
    head = min(5, shown - tail)
    return f"{e164[:head]}****{e164[len(e164) - tail :]}"


def mask_text(text: str, *, asked: bool = False) -> str:
    """Return the text with everything masked that may be a telephone number, in any writing.

    That is a plus and digits; 8 to 15 digits alone; 7 or more with separators or after a 0; and
    an extension behind them; whatever the digits' script. Where a number was `asked` for, five
    digits are enough. Dates, times, UUIDs, ids that mix digits with letters, milliseconds since
    the epoch, amounts such as 1234.5 and IPv4 addresses stay as they are.
    """
    if not (asked or _POSSIBLE.search(text)) or sum(map(str.isdecimal, text)) < _LEAST_SURE:
        return text
    return _finder().sub(lambda found: _masked(found, asked=asked), text)


@cache
def _finder() -> re.Pattern[str]:
    """Compile it when it is first needed: many a process never meets a text with so many digits."""
    return re.compile(_FOUND, re.VERBOSE | re.IGNORECASE)


def mask_all(value: Any) -> Any:
    """Return what JSON may hold with all its texts masked, the names of members as well."""
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {mask_all(name): mask_all(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [mask_all(each) for each in value]
    return value


def hide_digits(text: str, meant: Callable[[str], bool]) -> str:
    """Return the text with each run of digits and separators masked of which `meant` is true; it
    gets the digits alone.
    """

    def hidden(found: re.Match[str]) -> str:
        digits = _digits(found[0])
        return mask_number(digits) if meant(digits) else found[0]

    return _RUN.sub(hidden, text)


def _masked(found: re.Match[str], *, asked: bool) -> str:
    if found["identifier"] or found["escape"]:
        return found[0]
    if found["signed"]:
        digits, direct = _digits(found["signed"]), not _GAP.match(found["signed"])
        sure = len(digits) >= _LEAST_SURE and (direct or len(digits) <= MOST)
        return mask_number(f"+{digits}") if sure else found[0]
    start, end = _own(found)
    run = found["run"][start:end]
    if not _may_be_number(run, sure=asked or _is_uri(found)):
        return found[0]
    return found["run"][:start] + mask_number(_digits(run)) + found["run"][end:]


def _is_uri(found: re.Match[str]) -> bool:
    return found.string[max(0, found.start() - len(_SCHEME)) : found.start()].lower() == _SCHEME


def _own(found: re.Match[str]) -> tuple[int, int]:
    """Return where a run begins and ends without what is part of a word or an id beside it."""
    text, run, gaps = found.string, found["run"], [*_GAP.finditer(found["run"])]
    start, end = 0, len(run)
    if gaps and run[0] == "0" and len(_digits(run)) >= _LEAST_GLUED:
        return start, end
    before = text[max(0, found.start() - _LONGEST_ESCAPE) : found.start()]
    if _WORD_BEFORE.search(before) and not _ESCAPE_BEFORE.search(before):
        start = gaps[0].end() if gaps else end
    if _WORD_AFTER.match(text, found.end()):
        end = gaps[-1].start() if gaps else 0
    return start, max(start, end)


def _may_be_number(run: str, *, sure: bool) -> bool:
    digits = _digits(run)
    written = _GAP.search(run) is not None or digits.startswith("0")
    least = _LEAST_SURE if sure else LEAST_WRITTEN if written else LEAST
    return len(digits) >= least


def _digits(text: str) -> str:
    """Return the digits of what was found as ASCII ones."""
    plain = _GAP.sub("", _ESCAPED_DIGIT.sub(r"\1", text))
    return "".join(str(unicodedata.decimal(each)) for each in plain if each.isdecimal())


def hide_password(url: str) -> str:
    """Return the URL with everything that lets somebody in left out."""
    secret, at, place = url.rpartition("@")
    scheme, separator, _ = secret.partition("://")
    if "?" in secret:  # whether the @ ends the password or is a part of one, nobody can tell
        place = ""
    shown = f"{scheme}://" if separator else ""
    return f"{shown}{'***@' if at else ''}{place.partition('?')[0]}"
