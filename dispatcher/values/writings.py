"""A telephone number as somebody wrote it: its digits, and what of it cannot be dialled.

`phonenumbers.parse` looks for a number in a text: it takes letters for digits, and leaves out
extensions and what else stands around. Nothing is left out here.
"""

from __future__ import annotations

import re
import unicodedata

_PLUS = "+\uff0b"
_BETWEEN = frozenset(
    " -.()[]/~\t\u00ad\u00b7\u2212\u30fb\u30fc\uff08\uff09\uff0d\uff0e\uff0f\uff3b\uff3d"
)
_LOOKS_SO = frozenset({"Zs", "Pd", "Cf"})  # blanks, dashes, and marks that nobody sees
_URI = re.compile(r"\s*tel:", re.IGNORECASE)
_EXTENSION = re.compile(
    r"""(?<=[\d)\]\s]) [\s(.,;-]*
        (?: e?xt(?:ensi[oó]n)? | e?xtn | x | \# | ~ | int | interno | anexo | ramal | poste
          | durchwahl | dw | доб(?:авочный)? | 内線 | ;ext= | ,+ | ;+ | \*+ | [pw] )
        [\s.:=\#-]* \d{1,9} \W* $""",
    re.VERBOSE | re.IGNORECASE,
)
_AMOUNT = re.compile(r"\d{5,}[.,]0+\s*", re.ASCII)
_TWO = re.compile(r"/\D*\d{1,3}\D*$|/.*/|(?:\d\D*){6,}/\D*(?:\d\D*){6,}$")
_HAS_DIGITS = re.compile(r"\d.*\d.*\d", re.DOTALL)

EXTENSION = (
    "an extension cannot be dialled, and without it the call ends at a switchboard: give a number"
    " that rings at the person's own telephone"
)
LETTERS = "letters are never taken for digits: write digits only"
AMOUNT = "it is an amount (.0 at the end), as spreadsheets write it: write digits only"
TWO = "it seems to be several numbers: give one"


def plain(text: str) -> str | None:
    """Return the digits in ASCII, after a + where the text begins with one; None where there is
    anything else than digits and what people put between them, or more than a number.
    """
    if undialled(text):
        return None
    signs = [sign for sign in _URI.sub("", text) if not _is_between(sign)]
    sign = "+" if signs and signs[0] in _PLUS else ""
    digits = signs[len(sign) :]
    if not digits or not all(each.isdecimal() for each in digits):
        return None
    return sign + "".join(str(unicodedata.decimal(each)) for each in digits)


def undialled(text: str) -> str | None:
    """Return what of a number cannot be dialled, and what to do; None: nothing."""
    text = _URI.sub("", text)
    if _AMOUNT.fullmatch(text.lstrip(_PLUS)):
        return AMOUNT
    if _TWO.search(text):
        return TWO
    if _EXTENSION.search(text) and _HAS_DIGITS.search(text):
        return EXTENSION
    return LETTERS if any(each.isalpha() and not _is_between(each) for each in text) else None


def _is_between(sign: str) -> bool:
    return sign in _BETWEEN or unicodedata.category(sign) in _LOOKS_SO
