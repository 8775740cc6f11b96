"""How long a text takes to be said: an estimate, for nobody documents how fast the voices are."""

from __future__ import annotations

import re
from typing import Final

CHARACTERS: Final = {"ja": 7.0, "zh": 4.5, "ko": 6.0, "th": 12.0}
"""Letters that a voice says in a second, where they are more or fewer than MOST_LANGUAGES."""
MOST_LANGUAGES: Final = 14.0
DIGIT: Final = 0.5
"""Seconds for a digit of a number, which is a word or two."""
SPELLED: Final = 0.9
"""Seconds for a digit that is read by itself, with the pause after it."""
PAUSE: Final = 0.5
"""Seconds between two sentences."""

_SPELLED = re.compile(r"\d(?=,,)|(?<=,,)\d")
_DIGIT = re.compile(r"\d")
_SENTENCE = re.compile(r"[.!?。！？।:：](?=\s|$)|[。！？]")  # noqa: RUF001 - as texts have them


def seconds(text: str, lang: str) -> float:
    """Return about how many seconds a text takes in a language."""
    spelled = len(_SPELLED.findall(text)) if ",," in text else 0
    digits = len(_DIGIT.findall(text)) - spelled
    letters = sum(map(str.isalpha, text))
    pauses = max(0, len(_SENTENCE.findall(text)) - 1)
    rate = CHARACTERS.get(lang, MOST_LANGUAGES)
    return letters / rate + digits * DIGIT + spelled * SPELLED + pauses * PAUSE
