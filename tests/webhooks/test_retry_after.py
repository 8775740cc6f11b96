"""Retry-After in each form that HTTP has; what is none of them says nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.webhooks.retry_after import retry_after

NOW = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT
FORMS = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("0", 0),
        ("999999999", 999_999_999),
        ("9999999999", 2**31),
        ("9" * 5000, 2**31),
        ("Sun, 06 Nov 1994 08:59:37 GMT", 600),
        ("Sunday, 06-Nov-94 08:59:37 GMT", 600),
        ("Sun Nov  6 08:59:37 1994", 600),
        ("Sun, 06 Nov 1994 08:49:30 GMT", 0),  # over already
    ],
)
def test_seconds_and_the_three_forms_of_a_date(said: str, seconds: float) -> None:
    assert retry_after({"Retry-After": said}, NOW) == seconds


@pytest.mark.parametrize(
    "said",
    [
        "",
        "-1",
        "1.5",
        "1e3",
        "٣",
        "soon",
        "120, 240",
        "Sun, 06 Nov 1994 08:59:37 +0100",
        "Sun, 06 Nov 1994 08:59:99 GMT",
        "Sun, 31 Feb 1994 08:59:37 GMT",
        "Xyz, 06 Xyz 1994 08:59:37 GMT",
        "06 Nov 1994",
    ],
)
def test_anything_else_says_nothing(said: str) -> None:
    assert retry_after({"Retry-After": said}, NOW) is None


def test_nothing_said_is_nothing_asked() -> None:
    assert retry_after({}, NOW) is None


def test_a_date_is_taken_by_the_clock_that_wrote_it() -> None:
    """A receiver whose clock, or ours, is off means the same time as every other."""
    headers = {
        "Date": "Mon, 01 Jan 2035 00:00:00 GMT",
        "Retry-After": "Mon, 01 Jan 2035 00:02:00 GMT",
    }
    assert retry_after(headers, NOW) == 120
    assert retry_after({**headers, "Date": "nonsense"}, NOW) == retry_after(
        {"Retry-After": headers["Retry-After"]}, NOW
    )


def test_a_year_of_two_digits_is_never_over_fifty_years_ahead() -> None:
    now = datetime(2016, 1, 1, tzinfo=UTC).timestamp()
    assert retry_after({"Retry-After": "Wednesday, 01-Jan-67 00:00:00 GMT"}, now) == 0  # 1967
    assert retry_after({"Retry-After": "Wednesday, 01-Jan-20 00:00:00 GMT"}, now) == pytest.approx(
        timedelta(days=1461).total_seconds()
    )


@given(st.integers(int(NOW), int(NOW) + 45 * 365 * 86_400), st.sampled_from(FORMS))
def test_each_form_of_every_moment_means_the_same(seconds: int, form: str) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    plain = retry_after({"Retry-After": format_datetime(moment, usegmt=True)}, NOW)
    assert plain == moment.timestamp() - NOW
    assert retry_after({"Retry-After": moment.strftime(form)}, NOW) == plain


@given(st.text())
def test_nothing_that_a_receiver_writes_breaks_it(said: str) -> None:
    wait = retry_after({"Retry-After": said, "Date": said}, NOW)
    assert wait is None or wait >= 0
