"""How long the credit lasts, in words."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.model.credit import Credit
from dispatcher.policy import credit_forecast as outlook
from dispatcher.policy.credit_forecast import HORIZON, Forecast, forecast

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
        (UNSEEN, "The balance is not known yet, and stops no call"),
        (
            replace(ACCOUNT, failed_checks=3),
            "the last 3 balance checks failed, so the balance stops no call",
        ),
        (replace(ACCOUNT, burn_per_hour=Decimal(0)), "Nothing was spent in the last hour"),
        (replace(ACCOUNT, floor=None), "The pace is 3,300 credits an hour"),
        (
            replace(ACCOUNT, balance=Decimal(-5)),
            "The floor of 50 is reached; the pace was 3,300 credits an hour",
        ),
        (replace(ACCOUNT, balance=Decimal("-5.25")), "-5.25 credits, checked 40 s ago"),
    ],
)
def test_an_account_of_another_kind_says_so(account: Credit, words: str) -> None:
    assert words in "\n".join(outlook.words(account, NOW))


@pytest.mark.parametrize(
    ("amount", "words", "estimate"),
    [
        ("1", "1 credit", "about 1 credit"),
        ("0.2", "0.2 credits", "about 1 credit"),
        ("0", "0 credits", "about 0 credits"),
        ("1234.5", "1,234.5 credits", "about 1,235 credits"),
    ],
)
def test_one_credit_is_one(amount: str, words: str, estimate: str) -> None:
    assert outlook.in_credits(Decimal(amount)) == words
    assert outlook.about(Decimal(amount)) == estimate


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


QUIET: list[list[Decimal | None]] = [[None] * 5] * (HORIZON + 1)
HALF_PAST = NOW - NOW % 3_600_000 + 1_800_000


def test_what_waits_is_needed_and_of_the_scheduled_what_is_due_in_time() -> None:
    account = replace(ACCOUNT, waiting_needs=Decimal(100), scheduled_needs=Decimal(40))
    assert forecast(account, QUIET, NOW, 1.0) == Forecast(Decimal(100), Decimal(0), LEFT)
    assert forecast(account, QUIET, NOW, 0.25).waiting == 70
    assert forecast(account, QUIET, NOW, 0.0).waiting == 60


LEFT = Decimal("11969.5")
"""What is available, above the floor."""


def test_what_is_usual_is_the_median_of_the_same_hours_of_earlier_weeks() -> None:
    """One week of a campaign, or of a holiday, is not usual. Of the hour that runs only its rest
    counts, and of the last as much as has passed of this.
    """
    ten, holiday = [Decimal(10), Decimal(12), Decimal(8)], [Decimal(0), Decimal(10_000), None]
    alike = [[*ten, *holiday], *[[Decimal(100), None]] * (HORIZON - 1), [Decimal(40)]]
    assert forecast(ACCOUNT, alike, HALF_PAST, 0).usual == 5 + 100 * (HORIZON - 1) + 20


def test_a_rush_of_minutes_is_no_alarm_where_the_credit_suffices() -> None:
    """At the pace of the last minutes it would be used up within the hour."""
    rush = replace(ACCOUNT, waiting_needs=Decimal(0), burn_per_hour=Decimal(1_000_000))
    assert not forecast(rush, QUIET, NOW, 0).short
    assert forecast(replace(ACCOUNT, burn_per_hour=Decimal(0)), QUIET, NOW, 0).short


@pytest.mark.parametrize(
    "account", [replace(ACCOUNT, floor=None), UNSEEN, replace(ACCOUNT, failed_checks=3)]
)
def test_where_what_is_left_is_not_known_nothing_is_short(account: Credit) -> None:
    found = forecast(account, QUIET, NOW, 0)
    assert (found.left, found.short) == (None, False)
    assert "above the floor" not in str(found)


def test_the_forecast_is_said_with_the_rest() -> None:
    found = outlook.words(ACCOUNT, NOW, Forecast(Decimal("0.2"), Decimal(300), Decimal("899.5")))
    assert found[3] == (
        "About 300 credits are needed within 4 hours"
        " (1 for what waits and 300 as is usual at these hours); 899.5 are above the floor"
    )
    assert len(outlook.words(ACCOUNT, NOW, Forecast(*[Decimal(0)] * 3))) == 3


AMOUNTS = st.decimals(0, 100_000, places=2)


@given(
    st.lists(st.lists(st.none() | AMOUNTS, min_size=5, max_size=5), min_size=5, max_size=5),
    AMOUNTS,
    st.floats(0, 1),
    st.floats(NOW, NOW + 3_600_000),
)
def test_more_that_waits_or_is_usual_never_needs_less(
    alike: list[list[Decimal | None]], waiting: Decimal, part: float, now: float
) -> None:
    account = replace(ACCOUNT, waiting_needs=waiting, scheduled_needs=waiting / 2)
    found = forecast(account, alike, now, part)
    most = max((each for hour in alike for each in hour if each is not None), default=Decimal(0))
    assert 0 <= found.usual <= most * HORIZON + Decimal("0.01")
    assert waiting / 2 - Decimal("0.01") <= found.waiting <= waiting
    more = replace(account, waiting_needs=waiting + 1)
    assert forecast(more, alike, now, part).needed > found.needed
    dearer = [[None if each is None else each + 1 for each in hour] for hour in alike]
    assert forecast(account, dearer, now, part).usual >= found.usual
