"""Telephone numbers as logs, lists and errors may show them: `+8180****4567`."""

from __future__ import annotations

import re

TAIL = 4
"""Last digits that a masked number shows."""
_HIDDEN = 4  # digits that never show, however short the number
_SEPARATOR = r"[ \u00a0.()\u2010-\u2015-]"

# Dates with or without hyphens; milliseconds since the epoch look like no number, since those
# that begin with 1 (North America) have 11 digits.
_IDENTIFIER = r"""
    (?<![0-9a-f])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-f])  # UUID
  | (?<!\d)\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?!\d)
  | (?<!\d)(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)
  | (?<!\d)1\d{12}(?!\d)
"""
# Bare digits beside letters are part of an id.
_NUMBER = rf"""
    (?:[+\uff0b]|%2b)\d{{5,}}                                 # also as a form body has it
  | [+\uff0b][1-9]\d{{0,2}}(?:{_SEPARATOR}{{0,3}}\d){{6,13}}  # +81 (0)80-1123-4567
  | (?<![0-9a-z])\d{{8,15}}(?![0-9a-z])
"""
_FINDER = re.compile(f"(?P<identifier>{_IDENTIFIER})|{_NUMBER}", re.VERBOSE | re.IGNORECASE)


def mask_number(e164: str) -> str:
    """Return a number with its first five characters and last four, `+8180****4567`.

    Shorter numbers show less, so that at least four characters are always hidden.
    """
    shown = max(0, len(e164) - _HIDDEN)
    tail = min(TAIL, shown // 2)
    head = min(5, shown - tail)
    return f"{e164[:head]}****{e164[len(e164) - tail :]}"


def mask_text(text: str) -> str:
    """Return the text with everything masked that looks like a telephone number.

    That is a plus and digits, with or without separators, and 8 to 15 digits alone. ISO dates,
    UUIDs, ids that mix digits with letters, and milliseconds since the epoch stay as they are.
    """
    return _FINDER.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    if found["identifier"]:
        return found[0]
    digits = "".join(filter(str.isdigit, found[0].lower().removeprefix("%2b")))
    return mask_number(digits if found[0][0].isdigit() else f"+{digits}")


def hide_password(url: str) -> str:
    """Return the URL with everything that lets somebody in left out."""
    secret, at, place = url.rpartition("@")
    scheme, separator, _ = secret.partition("://")
    if "?" in secret:  # whether the @ ends the password or is a part of one, nobody can tell
        place = ""
    shown = f"{scheme}://" if separator else ""
    return f"{shown}{'***@' if at else ''}{place.partition('?')[0]}"
