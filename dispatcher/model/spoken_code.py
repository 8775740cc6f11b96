"""A one-time code as it is spoken: after a greeting, digit by digit, and twice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from dispatcher.provider import registry

SHORTEST, LONGEST = 3, 12
"""Digits of a code."""
_DIGITS = re.compile(rf"[0-9]{{{SHORTEST},{LONGEST}}}", re.ASCII)


class Phrases(NamedTuple):
    """What stands around a code in one language: before it, the first and the second time."""

    greeting: str
    first: str
    again: str


PHRASES: Final[Mapping[str, Phrases]] = {
    "ar": Phrases("مرحبا.", "رمزك هو:", "مرة أخرى، رمزك هو:"),
    "cs": Phrases("Dobrý den.", "Váš kód je:", "Ještě jednou, váš kód je:"),
    "da": Phrases("Hej.", "Din kode er:", "Igen, din kode er:"),
    "de": Phrases("Guten Tag.", "Ihr Code lautet:", "Noch einmal, Ihr Code lautet:"),
    "en": Phrases("Hello.", "Your code is:", "Once more, your code is:"),
    "es": Phrases("Hola.", "Su código es:", "Otra vez, su código es:"),
    "fi": Phrases("Hei.", "Koodisi on:", "Vielä kerran, koodisi on:"),
    "fr": Phrases("Bonjour.", "Votre code est :", "Je répète, votre code est :"),
    "hi": Phrases("नमस्ते।", "आपका कोड है:", "एक बार फिर, आपका कोड है:"),
    "id": Phrases("Halo.", "Kode Anda adalah:", "Sekali lagi, kode Anda adalah:"),
    "it": Phrases("Buongiorno.", "Il suo codice è:", "Ripeto, il suo codice è:"),
    "ja": Phrases("こんにちは。", "確認コードは、", "もう一度お伝えします。確認コードは、"),
    "ko": Phrases("안녕하세요.", "인증 번호는,", "다시 한번 말씀드립니다. 인증 번호는,"),
    "nb": Phrases("Hei.", "Koden din er:", "Igjen, koden din er:"),
    "nl": Phrases("Goedendag.", "Uw code is:", "Nogmaals, uw code is:"),
    "no": Phrases("Hei.", "Koden din er:", "Igjen, koden din er:"),
    "pl": Phrases("Dzień dobry.", "Twój kod to:", "Jeszcze raz, twój kod to:"),
    "pt": Phrases("Olá.", "O seu código é:", "Mais uma vez, o seu código é:"),
    "ru": Phrases("Здравствуйте.", "Ваш код:", "Повторяю, ваш код:"),
    "sv": Phrases("Hej.", "Din kod är:", "Igen, din kod är:"),
    "th": Phrases("สวัสดี", "รหัสของคุณคือ", "อีกครั้ง รหัสของคุณคือ"),
    "tr": Phrases("Merhaba.", "Kodunuz:", "Tekrar ediyorum, kodunuz:"),
    "uk": Phrases("Добрий день.", "Ваш код:", "Повторюю, ваш код:"),
    "vi": Phrases("Xin chào.", "Mã của bạn là:", "Xin nhắc lại, mã của bạn là:"),
    "zh": Phrases("您好。", "您的验证码是", "再重复一遍。您的验证码是"),
}
"""Languages in which we know what to say. In others the producer gives the greeting."""


def checked(code: object) -> str:
    """Return a code, or raise ValueError that says what one is and does not repeat it."""
    if isinstance(code, int) and not isinstance(code, bool):
        raise ValueError(  # noqa: TRY004 - for pydantic
            "give it as a text: a number loses the zeros that it begins with"
        )
    if not isinstance(code, str) or not _DIGITS.fullmatch(code):
        raise ValueError(
            f"a code has {SHORTEST} to {LONGEST} digits 0 to 9, and nothing else (not shown):"
            " one with letters is spelled in a text of your own (say)"
        )
    return code


def spoken(code: str, lang: str, greeting: str | None) -> str:
    """Return what is said: the greeting (ours where there is none), and the code twice."""
    digits = registry.registration().rules.spelled(code)
    ours = PHRASES.get(lang, Phrases("", "", ""))
    begin = ours.greeting if greeting is None else _sentence(greeting)
    parts = (begin, f"{ours.first} {digits}.", f"{ours.again} {digits}.")
    return " ".join(part.strip() for part in parts if part.strip())


def _sentence(text: str) -> str:
    """Return a text with an end: the voice pauses there."""
    text = text.strip()
    return f"{text}." if text and text[-1].isalnum() else text
