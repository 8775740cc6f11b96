"""Writings of one telephone number, and whether a text tells it."""

from __future__ import annotations

import re
import unicodedata

NUMBER = "+818098765432"
CORE = "98765432"
"""Digits that a masked number never shows together."""
WRITINGS = (
    NUMBER,
    "080-9876-5432",
    "(080) 9876 5432",
    "080-9876-5432 x12",
    "tel:+81-80-9876-5432;ext=12",
    "0081 80 9876 5432",
    "080.9876.5432",
    "\uff10\uff18\uff10\uff0d\uff19\uff18\uff17\uff16\uff0d\uff15\uff14\uff13\uff12",
    "٠٨٠٩٨٧٦٥٤٣٢",
    "080\u202f9876\u00a05432",
    "08098765432",
)
_ESCAPED_DIGIT = re.compile(r"\\u(ff1\d|066\d)")
_ESCAPED = re.compile(r"\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|%[0-9A-F]{2}")


def tells(text: str) -> bool:
    """Tell whether the number stands in a text, in any writing."""
    plain = _ESCAPED.sub("", _ESCAPED_DIGIT.sub(lambda found: chr(int(found[1], 16)), text))
    digits = "".join(str(unicodedata.decimal(each)) for each in plain if each.isdecimal())
    return CORE in digits
