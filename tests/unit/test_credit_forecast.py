"""How long the credit lasts, in words."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from dispatcher.model.credit import Credit
from dispatcher.policy import credit_forecast as outlook

NOW = 1_900_000_000_000.0
ACCOUNT = Credit(
    balance=Decimal(12300),
    seen_at=NOW - 40_000,
    failed_checks=0,
    next_check_at=NOW + 60_000,
    spent=Decimal("99.5"),
    spent_since=Decimal(120),
    in_flight=Decimal("160.5"),
    floor=Decimal(50),
    burn_per_hour=Decimal(3300),
    waiting={"tts:JP": 8000, "playback:US": 200},
    waiting_needs=Decimal(96000),
)
UNSEEN = replace(ACCOUNT, balance=None, seen_at=None)


def test_a_healthy_account_in_words() -> None:
    assert outlook.words(ACCOUNT, NOW) == [
        (
            "12,300 credits, checked 40 s ago; 120 spent since, 160.5 reserved for calls under way:"
            " 12,019.5 available"
        ),
        "At this pace (3,300 credits an hour) the floor of 50 is reached in 3 h 41 min",
        "The 8,200 waiting jobs need about 96,000 credits; the balance is 12,300",
    ]


@pytest.mark.parametrize(
    ("account", "words"),
    [
        (UNSEEN, "The balance is not known yet: calls go out without a budget"),
        (
            replace(ACCOUNT, failed_checks=3),
            "the last 3 balance checks failed: calls go out without a budget",
        ),
        (replace(ACCOUNT, burn_per_hour=Decimal(0)), "Nothing was spent in the last hour"),
        (replace(ACCOUNT, floor=None), "The pace is 3,300 credits an hour"),
        (replace(ACCOUNT, balance=Decimal(-5)), "the floor of 50 is reached in no time"),
        (replace(ACCOUNT, balance=Decimal("-5.25")), "-5.25 credits, checked 40 s ago"),
    ],
)
def test_an_account_of_another_kind_says_so(account: Credit, words: str) -> None:
    assert words in "\n".join(outlook.words(account, NOW))


def test_where_nothing_waits_nothing_is_said_of_it() -> None:
    assert len(outlook.words(replace(ACCOUNT, waiting={}), NOW)) == 2


def test_programs_get_numbers() -> None:
    found = outlook.as_json(ACCOUNT)
    assert (found["balance"], found["available"], found["spent"]) == (12300, 12019.5, 99.5)
    assert found["waiting"] == {"jobs": 8200, "credits": 96000}
    assert found["hours_left"] == pytest.approx(12130 / 3300)
    assert outlook.as_json(UNSEEN)["available"] is None


@pytest.mark.parametrize(
    ("amount", "text"),
    [("0", "0"), ("1000", "1,000"), ("0.125", "0.13"), ("-1234.5", "-1,234.5"), ("20.00", "20")],
)
def test_amounts_are_written_for_people(amount: str, text: str) -> None:
    assert outlook.shown(Decimal(amount)) == text
