"""About how long a text takes to be said."""

from __future__ import annotations

import pytest

from dispatcher.model.spoken_code import PHRASES, spoken
from dispatcher.values.speech import seconds


@pytest.mark.parametrize(
    ("text", "lang", "least", "most"),
    [
        ("Disk full on db one", "en", 1, 2.5),
        (
            "Dear Ann, we expect you on Sunday, May 3, 2026, 2:30 PM. Please bring your card.",
            "en",
            6,
            11,
        ),
        ("山田様、五月三日の午後二時半にお待ちしております。", "ja", 2.5, 5),
        ("您的包裹到了", "zh", 1, 2),
        ("2,,7,,6,,9,,8,,3", "en", 4, 7),
        ("276983", "en", 2, 4),
        ("", "en", 0, 0),
    ],
)
def test_a_text_takes_about_so_long(text: str, lang: str, least: float, most: float) -> None:
    assert least <= seconds(text, lang) <= most


@pytest.mark.parametrize("lang", PHRASES)
def test_a_code_is_said_within_half_a_minute(lang: str) -> None:
    assert 8 < seconds(spoken("276983", lang, None), lang) < 30


def test_the_longest_text_is_about_five_minutes() -> None:
    assert 200 < seconds("Wörter " * 571, "de") < 400
