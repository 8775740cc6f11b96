"""Which encoding bytes probably have that are no UTF-8: told to people, and never acted upon."""

from __future__ import annotations

import re

_JAPANESE = re.compile("[ぁ-ヿ一-鿿々ー、。]{2,}")
_BEYOND = re.compile(rb"[\x80-\xff]")
_PROGRAMS = {
    "cp932": "Excel in Japan",
    "cp1252": "Excel on Windows",
    "mac_roman": "Excel on a Mac",
}


def likely(line: bytes) -> str | None:
    """Return the encoding of a line that is no UTF-8, with who writes it and how it reads then.

    Nobody can know: cp1252 and mac_roman give a letter to nearly each byte.
    """
    name = _guessed(line)
    if name is None:
        return None
    text = line.decode(name, "replace")
    return f"--encoding {name}, as {_PROGRAMS[name]} writes it ({_excerpt(text)!r})"


def likely_utf_16(head: bytes) -> str | None:
    """Return which UTF-16 a file without a mark is that begins so; None where it is none."""
    even, odd = head[0:200:2], head[1:200:2]
    if odd and odd.count(0) > len(odd) // 2 and 0 not in even:
        return "utf-16-le"
    return "utf-16-be" if even.count(0) > len(even) // 2 and 0 not in odd else None


def _guessed(line: bytes) -> str | None:
    try:
        if _JAPANESE.search(line.decode("cp932")):
            return "cp932"
    except UnicodeDecodeError:
        pass
    found = _BEYOND.findall(line)
    letters = sum(byte >= b"\xc0" for byte in found)  # of cp1252; mac_roman has its own below
    for name in ("cp1252", "mac_roman") if 2 * letters >= len(found) else ("mac_roman",):
        try:
            line.decode(name)
            return name
        except UnicodeDecodeError:
            continue
    return None


def _excerpt(text: str) -> str:
    """Return what stands around the first letter that is no ASCII; no digit, so no number."""
    words = re.findall(r"[^\W\d_]+", text)
    return next((word[:20] for word in words if not word.isascii()), "")
