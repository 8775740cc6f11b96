"""Whether a text is written in the script of its language: a voice cannot say the others."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

_LATIN: Final = frozenset({"LATIN"})
_CYRILLIC: Final = frozenset({"CYRILLIC"})
_ARABIC: Final = frozenset({"ARABIC"})
_DEVANAGARI: Final = frozenset({"DEVANAGARI"})


def _each(languages: str, scripts: frozenset[str]) -> dict[str, frozenset[str]]:
    return dict.fromkeys(languages.split(), scripts)


SCRIPTS: Final[Mapping[str, frozenset[str]]] = {
    **_each(
        "af br ca co cs cy da de en eo es et eu fi fo fr fy ga gd gl gv hr ht hu id is it", _LATIN
    ),
    **_each(
        "lb lt lv mg mi ms mt nb nl nn no oc pl pt rm ro sk sl sm sn so sq st su sv sw", _LATIN
    ),
    **_each("tl tn tr ts vi wa wo xh yo zu", _LATIN),
    **_each("be bg ce cv kv ky mk os ru tg tt uk", _CYRILLIC),
    **_each("az bs kk mn sr uz", _LATIN | _CYRILLIC),
    **_each("ar fa ps ug ur", _ARABIC),
    **_each("hi mr ne sa", _DEVANAGARI),
    "am": frozenset({"ETHIOPIC"}),
    "bn": frozenset({"BENGALI"}),
    "el": frozenset({"GREEK"}),
    "gu": frozenset({"GUJARATI"}),
    "he": frozenset({"HEBREW"}),
    "hy": frozenset({"ARMENIAN"}),
    "ja": frozenset({"CJK", "HIRAGANA", "KATAKANA"}),
    "ka": frozenset({"GEORGIAN"}),
    "km": frozenset({"KHMER"}),
    "kn": frozenset({"KANNADA"}),
    "ko": frozenset({"HANGUL", "CJK"}),
    "lo": frozenset({"LAO"}),
    "ml": frozenset({"MALAYALAM"}),
    "my": frozenset({"MYANMAR"}),
    "or": frozenset({"ORIYA"}),
    "pa": frozenset({"GURMUKHI"}),
    "si": frozenset({"SINHALA"}),
    "ta": frozenset({"TAMIL"}),
    "te": frozenset({"TELUGU"}),
    "th": frozenset({"THAI"}),
    "yi": frozenset({"HEBREW"}),
    "zh": frozenset({"CJK", "BOPOMOFO"}),
}
"""The scripts that each language is written in, as the first word of its letters' names has them.

Languages that are not here, or have several scripts in use, are not judged.
"""
_WIDE: Final = frozenset({"FULLWIDTH", "HALFWIDTH"})
ENOUGH = 0.5
"""The part of a text's letters that must fit; names and brands of other scripts are usual."""


def of(lang: str) -> frozenset[str] | None:
    """Return the scripts that a language is written in; None where that is not judged."""
    return SCRIPTS.get(lang)


def misfit(text: str, lang: str) -> str:
    """Return in words that most letters of a text are of no script of its language, '' else."""
    wanted = SCRIPTS.get(lang)
    if wanted is None or (text.isascii() and "LATIN" in wanted):
        return ""
    found = Counter(filter(None, map(script, text)))
    many = sum(found.values())
    if not many or _fits(found, wanted, lang) >= ENOUGH * many:
        return ""
    most = next(name for name, _ in found.most_common() if name not in wanted or lang == "zh")
    letters = "Chinese characters" if most == "CJK" else f"{most.capitalize()} letters"
    return f"the text is written in {letters}, which is not how {lang!r} is written"


def _fits(found: Counter[str], wanted: frozenset[str], lang: str) -> int:
    kana = found["HIRAGANA"] + found["KATAKANA"]
    if lang == "zh" and kana > 0:  # Chinese has none: these are Japanese sentences
        return 0
    return sum(found[script] for script in wanted)


@lru_cache(maxsize=8192)
def script(letter: str) -> str:
    """Return the script of a letter; '' for what is none, such as digits and marks."""
    if not letter.isalpha():
        return ""
    if letter.isascii():
        return "LATIN"
    words = unicodedata.name(letter, "").split()
    named = words[1:] if words and words[0] in _WIDE else words
    first = named[0].partition("-")[0] if named else ""  # KATAKANA-HIRAGANA is one of them
    return "" if first == "MODIFIER" else first
