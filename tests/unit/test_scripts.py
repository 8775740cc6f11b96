"""Whether a text is written as its language is."""

from __future__ import annotations

import pytest

from dispatcher.model.spoken_code import PHRASES
from dispatcher.values.languages import ISO_639_1
from dispatcher.values.scripts import SCRIPTS, misfit


@pytest.mark.parametrize(
    ("text", "lang", "script"),
    [
        ("こんにちは、荷物が届きました", "en", "Hiragana letters"),
        ("Your parcel is here", "ja", "Latin letters"),
        ("Ваша посылка здесь", "de", "Cyrillic"),
        ("Guten Tag, Ihr Paket", "ru", "Latin letters"),
        ("荷物が届きました", "zh", "Hiragana letters"),
        ("안녕하세요", "ja", "Hangul letters"),
        ("您的包裹到了", "en", "Chinese characters"),
        ("مرحبا", "fr", "Arabic letters"),
        ("ﾆﾓﾂ ﾃﾞｽ", "en", "Katakana letters"),
    ],
)
def test_a_text_in_letters_of_another_language_is_told(text: str, lang: str, script: str) -> None:
    found = misfit(text, lang)
    assert f"written in {script}" in found
    assert repr(lang) in found


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("荷物が届きました。Amazon より", "ja"),
        ("会議室", "ja"),
        ("サーバー", "ja"),
        ("ＤＢ１が停止しました", "ja"),
        ("Die Firma Яндекс ruft an, guten Tag", "de"),
        ("12345 !?", "en"),
        ("", "ja"),
        ("Ваша посылка", "sr"),
        ("Vaša pošiljka", "sr"),
        ("anything", "ku"),
        ("您的包裹到了", "zh"),
        ("Xin chào, mã của bạn là", "vi"),
        ("नमस्ते, आपका कोड है", "hi"),
    ],
)
def test_a_text_that_fits_or_cannot_be_judged_is_not_told(text: str, lang: str) -> None:
    assert misfit(text, lang) == ""


@pytest.mark.parametrize("lang", PHRASES)
def test_our_own_phrases_fit(lang: str) -> None:
    assert misfit(" ".join(PHRASES[lang]), lang) == ""


def test_only_languages_are_judged() -> None:
    assert not SCRIPTS.keys() - ISO_639_1
