"""When nobody would be called: holes of rotas, and hours that leave everybody of a chain out."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dispatcher.alerts.chains_file import parse
from dispatcher.alerts.chains_gaps import gaps
from dispatcher.model.on_call import Shift

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
FILE = """
contacts:
  ann: {{number: "+818012340002", {ann}}}
  bob: {{number: "+818012340001", {bob}}}
teams: {{both: [ann, bob]}}
rotas:
  primary: {{members: [ann, bob], start: {start}, zone: Asia/Tokyo{more}}}
chains:
  all: {{steps: [{{call: {call}}}]}}
"""


def found(
    *,
    ann: str = "",
    bob: str = "",
    start: str = "2026-01-05",
    more: str = "",
    call: str = "primary",
    swaps: dict[str, list[Shift]] | None = None,
) -> list[str]:
    text = FILE.format(ann=ann, bob=bob, start=start, more=more, call=call)
    return list(gaps(parse(text.encode()), NOW, swaps or {}))


def test_a_rota_without_a_hole_says_nothing() -> None:
    assert found() == []


def test_a_rota_that_is_to_begin_is_told() -> None:
    (told,) = found(start="2026-03-09")
    said, _, why = told.partition(" (")
    assert said == (
        "the rota primary has a hole: nobody is on call from 2026-03-02 21:00 to 2026-03-09 09:00"
    )
    assert why == "the rota primary begins on 2026-03-09)"


def test_a_holiday_and_a_swap_with_nobody_are_told_unless_they_are_far_away() -> None:
    holiday = ", holidays: [{who: nobody, from: 2026-03-%s, to: 2026-03-29, why: fair}]"
    (told,) = found(more=holiday % "20")
    assert told.endswith("from 2026-03-20 00:00 to 2026-03-29 00:00 (holiday: fair)")
    assert found(more=", holidays: [{who: nobody, from: 2026-05-20, to: 2026-05-31}]") == []
    swap = Shift.model_validate({"who": "nobody", "from": "2026-03-04", "to": "2026-03-05"})
    assert "(swap)" in found(swaps={"primary": [swap]})[0]


def test_a_rota_that_no_chain_calls_is_not_looked_at() -> None:
    assert found(start="2026-03-09", call="ann") == []


@pytest.mark.parametrize(
    ("ann", "bob", "told"),
    [
        ("hours: 09:00-18:00", "hours: 18:00-09:00", []),
        ("hours: 09:00-18:00", "", []),
        ("hours: 09:00-18:00", "hours: 12:00-22:00", ["nobody who may be called at Mon 13:00 UTC"]),
    ],
)
def test_hours_that_leave_everybody_out_are_told(ann: str, bob: str, told: list[str]) -> None:
    said = found(ann=ann, bob=bob, call="both")
    assert len(said) == len(told)
    assert all(words in each for words, each in zip(told, said, strict=True))
