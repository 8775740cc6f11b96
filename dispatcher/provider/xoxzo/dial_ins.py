"""What Xoxzo asks when somebody calls a rented number, and the plain text that answers it.

It asks with GET and two parameters, `caller` and `recipient`, and takes one instruction:

    say en "Disk full on db1: acknowledged."
    transfer +815012345678
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from dispatcher.provider.dial_in import DialIn, DialInAnswer, RentedNumber, Transfer
from dispatcher.provider.errors import UnexpectedShape
from dispatcher.provider.xoxzo.answers import DialInNumber
from dispatcher.provider.xoxzo.rules import CAPABILITIES
from dispatcher.values import national
from dispatcher.values.numbers import InvalidNumber, country, recipient

CALLER, DIALLED = "caller", "recipient"
CONTENT_TYPE: Final = "text/plain; charset=utf-8"
_LONGEST_NUMBER = 40  # characters, of any writing
_NUMBER = re.compile(r"\+[1-9][0-9]{4,14}", re.ASCII)
_ENDS_A_TEXT = re.compile(r'["\\`\u201c-\u201f\u2033\u2036\u301d-\u301f\uff02\uff3c]+')
"""Quotation marks in any script, and what might take their meaning away: nobody hears them."""


class XoxzoDialIns:
    """Reads what is asked, and writes what is answered. Only the secret in the URL proves it."""

    def parse_dial_in(self, query: Iterable[tuple[str, str]]) -> DialIn:
        """Return who calls. See the port.

        How a hidden number is told is not documented: by no parameter, an empty one, or a word.
        """
        pairs = [(name, value) for name, value in query if name in {CALLER, DIALLED}]
        counts = Counter(name for name, _ in pairs)
        if twice := [name for name, many in counts.items() if many > 1]:
            raise UnexpectedShape(f"{twice[0]} stands in it more than once")
        asked = dict(pairs)
        dialled = number(asked.get(DIALLED, ""))
        return DialIn(number(asked.get(CALLER, ""), near=dialled), dialled)

    def dial_in_answer(self, answer: DialInAnswer) -> tuple[bytes, str]:
        """Return the body of an answer, and its content type. See the port."""
        return _instruction(answer).encode(), CONTENT_TYPE


def number(text: str, near: str | None = None) -> str | None:
    """Return the E.164 of a number as Xoxzo may write it; None for what is none.

    Its pages write `815012345678`, without the plus; one that was not encoded arrives as a space.
    A number that begins with 0 is as it is dialled in the country of `near` (E.164).
    """
    if len(text) > _LONGEST_NUMBER:
        return None
    text = text.strip()
    with suppress(InvalidNumber):
        if text.startswith("0"):
            return national.read(text, country(near)) if near else None
        digits = re.sub(r"[ ().-]", "", text.removeprefix("+"))
        return recipient(f"+{digits}")
    return None


def rented(found: DialInNumber) -> RentedNumber:
    """Return a number of the account's in our words."""
    return RentedNumber(f"+{found.din.lstrip('+')}", found.din_uid, found.action_url)


def _instruction(answer: DialInAnswer) -> str:
    if isinstance(answer, Transfer):
        if not _NUMBER.fullmatch(answer.number):
            raise ValueError("the number to transfer to is not E.164")
        return f"transfer {answer.number}"
    if answer.lang not in CAPABILITIES.languages:
        raise ValueError(f"{answer.lang!r} is no language of text to speech")
    return f'say {answer.lang} "{plain(answer.text)}"'


def plain(text: str) -> str:
    """Return a text on one line without anything that could end it, or begin something else.

    Nothing is documented of how a quotation mark is written within a text, and each line may be an
    instruction of its own: so there are none of either.
    """
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(_ENDS_A_TEXT.sub(" ", shown).split())[: CAPABILITIES.longest_text]
