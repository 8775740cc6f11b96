from __future__ import annotations

import phonenumbers
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.values.mentions import Mentions
from support.number_writings import SCRIPTS, numbers, written_as

NUMBER, OTHER = "+818011234567", "+818011234568"


@given(st.data(), numbers(), st.sampled_from(sorted(SCRIPTS)))
def test_a_number_is_found_in_every_writing_of_it(
    data: st.DataObject, number: phonenumbers.PhoneNumber, script: str
) -> None:
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    text = data.draw(written_as(number))
    there = text.translate({0x30 + i: SCRIPTS[script] + i for i in range(10)})
    mentions = Mentions(e164)
    hidden = mentions.hide({"note": [f"for {there}, please"], "tag": "x"})
    assert mentions.stand_in(there)
    assert not mentions.stand_in(hidden)
    assert hidden["tag"] == "x"


def test_others_numbers_dates_and_ids_stay() -> None:
    text = f"{OTHER} at 2026-11-28 12:00:00 by mfrggzdfmztwq2lk, 1893456000000-0"
    assert Mentions(NUMBER).hide(text) == text
    assert Mentions(NUMBER).hide(f"{NUMBER}, {OTHER}") == f"8180****4567, {OTHER}".replace(
        "8180", "+8180", 1
    )
