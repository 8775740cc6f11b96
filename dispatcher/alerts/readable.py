"""What monitoring writes, made for ears: no addresses, no ids, and amounts as people say them.

Pure, bounded and quick for any text: what comes here was written by rules, programs and strangers.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from dispatcher.alerts.amounts import said
from dispatcher.values import scripts, speech

MOST_READ: Final = 1000
"""Characters that are looked at; what is said is far shorter."""
_KEPT: Final = frozenset("LMNZP")
"""The kinds of characters that a voice may say: letters, marks, digits, blanks, punctuation."""
_SIGNS: Final = frozenset("%+<>=°€$£¥~^|`")
"""Of all others, what is understood below."""
_I = re.IGNORECASE | re.ASCII
_LINK = re.compile(r"\[([^\[\]]*)\]\([^()\s]*\)|<[a-z][a-z0-9+.-]*:[^|<>\s]*\|([^<>]*)>", _I)
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}:/+|mailto:|www\.)[^\s<>\"'`|]*", _I)
_STATUS = re.compile(r"\[(?:FIRING|RESOLVED|OK|ALERTING)(?::\s?\d+)?\]", _I)
_PHONE = re.compile(r"\+?\d(?:[() .-]{0,2}\d){8,20}", re.ASCII)
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_UUID = re.compile(r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", _I)
_HEX = re.compile(
    r"(?<![a-z0-9])(?:0x[0-9a-f]+|(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,})(?![a-z0-9])", _I
)
_IPV6 = re.compile(r"(?<![\w:])\[?(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}\]?(?::\d+)?(?![\w:])", _I)
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d\d(?::\d\d)?", re.ASCII)
_IPV4 = re.compile(
    r"(?<![\d.])(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?::\d{1,5})?(?![\d.])", re.ASCII
)
_HOST = re.compile(
    r"(?<![\w.-])(?=[\w.-]*[a-z])(?:[\w-]+\.)+[a-z][\w-]*(?::\d{1,5})?(?![\w-])",
    _I | re.ASCII,
)
_PORT = re.compile(r"(?<=[a-z])(?<!\s)([\w-]*):\d{2,5}(?![\w:])", _I)
_WORDS_RUN_TOGETHER = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])|(?<=[a-z])(?=[A-Z]{2,})")
_LONG_DIGITS = re.compile(r"\d{7,}")
_PART = re.compile(r"[a-z0-9]+", _I)
_TURNS = re.compile(r"(?<=[a-z])(?=\d)|(?<=\d)(?=[a-z])", _I)
_BLANKS = re.compile(r"[\s_*#|`~^\"\\{}<>=\[\]$]+|(?<![\d])/|/(?!\d)|(?<!\d)%|[-_.]+(?=[\s)]|$)")
_EMPTY_BRACKETS = re.compile(r"[(（]\s*[)）]")  # noqa: RUF001 - as texts have them
_DANGLING = re.compile(r"\s+(?=[.,;:!?、。])|(?<=[\s(])[-.,;:!?/+&@'、。・]+(?=[\s)]|$)")
_REPEATED = re.compile(r"([-.,;:!?、。・/'()])[-.,;:!?、。・/']+")
_EDGES = " \t-.,;:!?/+&@'、。・"
_LONGEST_WORD: Final = 20
_MANY_TURNS: Final = 3
"""An id goes to and fro between letters and digits; a host's name does so once or twice."""


def readable(text: str, lang: str, longest: float) -> str:
    """Return a text for a voice of a language, of at most so many seconds; '' if nothing is left.

    It has no sentence's end at its end.
    """
    plain = _plain(text[:MOST_READ])
    for leave_out in (_without_addresses, _without_ids):
        plain = leave_out(plain)
    plain = said(_in_letters_of(lang, plain), lang)
    return _cut(_tidy(_without_long_digits(plain)), lang, longest)


def _plain(text: str) -> str:
    """Return it in one line, in usual letters, without pictures and signs that have no sound."""
    usual = unicodedata.normalize("NFKC", text)
    digits = (str(unicodedata.decimal(each, each)) for each in usual)
    kept = (each if _may_be_said(each) else " " for each in "".join(digits))
    return " ".join("".join(kept).split())


def _may_be_said(each: str) -> bool:
    return each in _SIGNS or unicodedata.category(each)[0] in _KEPT


def _without_addresses(text: str) -> str:
    text = _STATUS.sub(" ", text)
    text = _LINK.sub(lambda found: f" {found[1] or found[2] or ''} ", text)
    text = _EMAIL.sub(" ", _URL.sub(" ", text))
    text = _IPV6.sub(lambda found: found[0] if _TIME_OF_DAY.fullmatch(found[0]) else " ", text)
    text = _IPV4.sub(r"\1, \2, \3, \4", text)
    text = _HOST.sub(lambda found: found[0].partition(":")[0].replace(".", " "), text)
    return _PORT.sub(r"\1", text)


def _without_long_digits(text: str) -> str:
    """Leave out telephone numbers and ids: read as amounts they say nothing."""
    return _LONG_DIGITS.sub(" ", _PHONE.sub(" ", text))


def _without_ids(text: str) -> str:
    text = _HEX.sub(" ", _UUID.sub(" ", text))
    text = _PART.sub(lambda found: "" if _is_id(found[0]) else found[0], text)
    return _WORDS_RUN_TOGETHER.sub(" ", text)


def _is_id(part: str) -> bool:
    turns = len(_TURNS.findall(part))
    return turns >= _MANY_TURNS or (turns > 0 and len(part) > _LONGEST_WORD)


def _in_letters_of(lang: str, text: str) -> str:
    """Leave out what a voice of the language cannot say; if that is most of it, all of it.

    Letters of English are said everywhere: names of machines are written in them.
    """
    wanted = scripts.of(lang)
    if wanted is None:
        return text
    letters = [each for each in text if each.isalpha()]
    sayable = {each for each in set(letters) if scripts.script(each) in wanted | {"LATIN", ""}}
    if letters and sum(each in sayable for each in letters) < scripts.ENOUGH * len(letters):
        return ""
    return "".join(each if not each.isalpha() or each in sayable else " " for each in text)


def _tidy(text: str) -> str:
    """Return it without what was between the things that were left out."""
    before = None
    while before != text:
        before = text
        text = " ".join(_BLANKS.sub(" ", _EMPTY_BRACKETS.sub(" ", text)).split())
        text = _REPEATED.sub(r"\1", _DANGLING.sub("", text)).strip(_EDGES)
    return text if any(map(str.isalnum, text)) else ""


def _cut(text: str, lang: str, longest: float) -> str:
    """Return as many whole words as are said in so many seconds; of scripts without blanks,
    letters.
    """
    if speech.seconds(text, lang) <= longest:
        return text
    least, most = 0, len(text)
    while least < most:
        middle = (least + most + 1) // 2
        fits = speech.seconds(text[:middle], lang) <= longest
        least, most = (middle, most) if fits else (least, middle - 1)
    whole, _, _ = text[:least].rpartition(" ")
    kept = whole if 2 * len(whole) > least else text[:least]
    return kept.rstrip(_EDGES + "(")
