"""Calling hours: as they are written, and when they are open, clock changes included."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dispatcher.values.calling_hours import CallingHours, InvalidHours, Window, zones_of

TOKYO, NEW_YORK, LONDON = "+818011234567", "+12025550123", "+442083661177"
RUSSIA, TOLL_FREE = "+79161234567", "+18002345678"
SATELLITE, NETWORK = "+881612345678", "+883510012345"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def window(hours: str, now: str, *numbers: str) -> tuple[str, str] | None:
    found = CallingHours.parse(hours).window(numbers or (TOKYO,), at(now))
    return None if found is None else (short(found.opens), short(found.closes))


def short(moment: datetime) -> str:
    assert moment.tzinfo is UTC
    return f"{moment:%m-%d %H:%M}"


# -- how they are written -------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "08:00-21:00",
        "8:00-21:00",
        "00:00-24:00",
        "22:00-06:00",
        "mon 08:00-21:00",
        "Mon-FRI 08:00-21:00",
        "mon,wed,fri 08:00-21:00",
        "fri-mon 08:00-21:00",
        "mon-fri 08:00-21:00; sat 10:00-18:00",
        "mon-fri 08:00-21:00; sat 10:00-18:00 Asia/Tokyo",
        "08:00-12:00; 13:00-18:00;",
        " 09:00-17:00 UTC ",
    ],
)
def test_hours_are_taken_as_people_write_them(text: str) -> None:
    assert CallingHours.parse(text).text == text.strip()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "has no hours: write 08:00-21:00"),
        (" ; ", "has no hours: write"),
        ("any", "are not calling hours: write"),
        ("daytime", "are not calling hours: write"),
        ("8-21", "are not calling hours: write"),
        ("08:00", "are not calling hours: write"),
        ("08:00 - 21:00", "are not calling hours: write"),
        ("\u0660\u0668:00-21:00", "are not calling hours: write"),
        ("08:00-21:00, 22:00-23:00", "are not calling hours: write"),
        ("08:00-08:00", "is never open: for the whole day write 00:00-24:00"),
        ("24:00-24:00", "is never open: for the whole day write 00:00-24:00"),
        ("08:00-25:00", "has the time 25:00, which does not exist"),
        ("08:00-24:01", "has the time 24:01, which does not exist"),
        ("08:60-21:00", "has the time 08:60, which does not exist"),
        ("08:00-21:00 Tokyo", "'Tokyo' is not a time zone: write one such as Asia/Tokyo"),
        ("08:00-21:00 America", "'America' is not a time zone"),
        ("08:00-21:00 ../../etc/passwd", "is not a time zone"),
        ("08:00-21:00 \udcff", "is not a time zone"),
        ("monday 08:00-21:00", "has the day 'monday': use mon tue wed thu fri sat sun"),
        ("mon-fry 08:00-21:00", "has the day 'mon-fry'"),
        ("mon, 08:00-21:00", "has the day ''"),
        ("mon-tue-wed 08:00-21:00", "has the day 'mon-tue-wed'"),
    ],
)
def test_what_are_no_hours_is_refused_in_one_sentence(text: str, why: str) -> None:
    with pytest.raises(InvalidHours) as caught:
        CallingHours.parse(text)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


# -- when they are open ---------------------------------------------------------------------

NIGHTS = "22:00-06:00"
WEEK = "mon-fri 08:00-21:00; sat 10:00-18:00"  # 2026-07-01 is a Wednesday; Tokyo is UTC+9


@pytest.mark.parametrize(
    ("hours", "now", "expected"),
    [
        ("08:00-21:00", "2026-07-01T12:00+09:00", ("07-01 03:00", "07-01 12:00")),
        ("08:00-21:00", "2026-07-01T07:59+09:00", ("06-30 23:00", "07-01 12:00")),
        ("08:00-21:00", "2026-07-01T08:00+09:00", ("06-30 23:00", "07-01 12:00")),
        ("08:00-21:00", "2026-07-01T21:00+09:00", ("07-01 23:00", "07-02 12:00")),
        (NIGHTS, "2026-07-01T05:59+09:00", ("06-30 20:59", "06-30 21:00")),
        (NIGHTS, "2026-07-01T06:00+09:00", ("07-01 13:00", "07-01 21:00")),
        (NIGHTS, "2026-07-01T23:00+09:00", ("07-01 14:00", "07-01 21:00")),
        (f"sat {NIGHTS}", "2026-07-05T05:00+09:00", ("07-04 20:00", "07-04 21:00")),
        (WEEK, "2026-07-03T22:00+09:00", ("07-04 01:00", "07-04 09:00")),
        (WEEK, "2026-07-04T18:00+09:00", ("07-05 23:00", "07-06 12:00")),
        ("mon 08:00-09:00", "2026-07-06T09:00+09:00", ("07-12 23:00", "07-13 00:00")),
        ("fri-mon 08:00-09:00", "2026-07-01T09:00+09:00", ("07-02 23:00", "07-03 00:00")),
        ("08:00-12:00; 12:00-18:00", "2026-07-01T09:00+09:00", ("07-01 00:00", "07-01 09:00")),
        ("08:00-14:00; 09:00-12:00", "2026-07-01T13:00+09:00", ("07-01 04:00", "07-01 05:00")),
        ("09:00-17:00 UTC", "2026-07-01T08:00+00:00", ("07-01 09:00", "07-01 17:00")),
    ],
)
def test_a_window_is_open_now_or_opens_next(
    hours: str, now: str, expected: tuple[str, str]
) -> None:
    assert window(hours, now) == expected


def test_round_the_clock_is_always_open() -> None:
    now = at("2026-10-24T12:34:56Z")
    found = CallingHours.parse("00:00-24:00 Europe/London").window([], now)
    assert found is not None
    assert found.opens == now
    assert found.closes > now + 7 * DAY


@pytest.mark.parametrize(
    ("hours", "now", "expected"),
    [
        pytest.param(
            "08:00-21:00 Europe/London",
            "2026-03-28T22:00Z",
            ("03-29 07:00", "03-29 20:00"),
            id="London, spring: the morning comes an hour sooner",
        ),
        pytest.param(
            "08:00-21:00 Europe/London",
            "2026-10-24T22:00Z",
            ("10-25 08:00", "10-25 21:00"),
            id="London, autumn: an hour later",
        ),
        pytest.param(
            "01:30-05:00 Europe/London",
            "2026-03-29T00:00Z",
            ("03-29 01:00", "03-29 04:00"),
            id="London: opens in the hour that is skipped",
        ),
        pytest.param(
            "00:00-01:30 Europe/London",
            "2026-03-29T00:00Z",
            ("03-29 00:00", "03-29 01:00"),
            id="London: closes in the hour that is skipped",
        ),
        pytest.param(
            "01:15-01:45 Europe/London",
            "2026-03-28T12:00Z",
            ("03-30 00:15", "03-30 00:45"),
            id="London: skipped altogether that day",
        ),
        pytest.param(
            "sun 01:15-01:45 Europe/London",
            "2026-03-22T12:00Z",
            ("04-05 00:15", "04-05 00:45"),
            id="London: skipped altogether that week",
        ),
        pytest.param(
            "01:30-05:00 Europe/London",
            "2026-10-25T00:00Z",
            ("10-25 00:30", "10-25 01:00"),
            id="London: the repeated hour, the first time",
        ),
        pytest.param(
            "01:30-05:00 Europe/London",
            "2026-10-25T01:10Z",
            ("10-25 01:30", "10-25 05:00"),
            id="London: the repeated hour, the second time",
        ),
        pytest.param(
            "08:00-21:00 America/New_York",
            "2026-03-08T05:00Z",
            ("03-08 12:00", "03-09 01:00"),
            id="New York, spring",
        ),
        pytest.param(
            "22:00-06:00 America/New_York",
            "2026-03-08T02:00Z",
            ("03-08 03:00", "03-08 10:00"),
            id="New York: the night of the change has seven hours",
        ),
        pytest.param(
            "22:00-06:00 America/New_York",
            "2026-11-01T01:00Z",
            ("11-01 02:00", "11-01 11:00"),
            id="New York: and nine in autumn",
        ),
        pytest.param(
            "02:15-03:00 Australia/Lord_Howe",
            "2026-10-03T12:00Z",
            ("10-03 15:30", "10-03 16:00"),
            id="Lord Howe, spring: half an hour is skipped",
        ),
        pytest.param(
            "01:45-03:00 Australia/Lord_Howe",
            "2026-04-04T14:00Z",
            ("04-04 14:45", "04-04 15:00"),
            id="Lord Howe, autumn: half an hour is repeated, the first time",
        ),
        pytest.param(
            "01:45-03:00 Australia/Lord_Howe",
            "2026-04-04T15:00Z",
            ("04-04 15:15", "04-04 16:30"),
            id="Lord Howe: the second time",
        ),
    ],
)
def test_hours_go_by_the_clock_on_the_wall(hours: str, now: str, expected: tuple[str, str]) -> None:
    assert window(hours, now) == expected


# -- whose clock ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "now", "expected"),
    [
        pytest.param((LONDON,), "2026-07-01T00:00Z", ("07-01 07:00", "07-01 20:00"), id="one"),
        pytest.param(
            (RUSSIA,),
            "2026-07-01T00:00Z",
            ("07-01 06:00", "07-01 09:00"),
            id="from Kaliningrad to Kamchatka",
        ),
        pytest.param(
            (LONDON, TOKYO), "2026-07-01T12:00Z", ("07-02 07:00", "07-02 12:00"), id="conference"
        ),
    ],
)
def test_a_call_waits_until_it_is_allowed_wherever_the_numbers_may_be(
    numbers: tuple[str, ...], now: str, expected: tuple[str, str]
) -> None:
    assert window("08:00-21:00", now, *numbers) == expected


@pytest.mark.parametrize("number", [SATELLITE, NETWORK])
def test_a_number_that_may_be_anywhere_is_called_only_if_that_is_allowed_everywhere(
    number: str,
) -> None:
    now = "2026-07-01T00:00Z"
    assert window("08:00-21:00", now, number) is None
    assert window("00:00-24:00", now, number) is not None
    assert window("08:00-21:00 UTC", now, number) == ("07-01 08:00", "07-01 21:00")
    why = CallingHours.parse("08:00-21:00").why_never([LONDON, number])
    assert "nobody knows in which time zone a number of no country is" in why
    assert "Name a time zone" in why


def test_a_toll_free_number_may_be_anywhere_in_its_numbering_plan() -> None:
    hours = CallingHours.parse("08:00-21:00")
    now = at("2026-07-01T00:00Z")
    found = hours.window([TOLL_FREE], now)
    assert len(zones_of(TOLL_FREE)) > 10
    assert found is not None
    assert_within(found, hours, zones_of(TOLL_FREE))


@pytest.mark.parametrize(
    ("hours", "numbers", "words"),
    [
        ("08:00-21:00", [TOKYO], "outside the calling hours: 08:00-21:00, in Asia/Tokyo"),
        ("08:00-21:00", [RUSSIA], "in all 26 time zones of Russia"),
        ("08:00-21:00", [LONDON, TOKYO, LONDON], "in Europe/London and Asia/Tokyo"),
        ("08:00-21:00", [TOLL_FREE], "time zones of United States and others of its plan"),
        ("08:00-21:00 UTC", [RUSSIA], "outside the calling hours: 08:00-21:00 UTC"),
    ],
)
def test_it_is_said_by_whose_clocks_a_call_waits(
    hours: str, numbers: list[str], words: str
) -> None:
    assert CallingHours.parse(hours).why_closed(numbers).endswith(words)


def test_hours_that_never_meet_are_told_with_the_cure() -> None:
    why = CallingHours.parse("09:00-18:00").why_never([RUSSIA])
    assert "never open at once in all 26 time zones of Russia" in why
    assert "Name a time zone" in why


def test_numbers_whose_hours_never_meet_have_no_window() -> None:
    assert window("09:00-17:00", "2026-07-01T00:00Z", TOKYO, NEW_YORK) is None


def test_a_named_zone_goes_before_the_numbers_own() -> None:
    expected = ("07-01 00:00", "07-01 08:00")
    assert window("09:00-17:00 Asia/Tokyo", "2026-06-30T12:00Z", NEW_YORK, LONDON) == expected


# -- whatever the hours and the moment ------------------------------------------------------


def is_open(hours: CallingHours, zones: Iterable[ZoneInfo], moment: datetime) -> bool:
    """Look at the clocks on the walls, minute by minute: slow, and plainly right."""
    return all(_is_open(hours, moment.astimezone(hours.zone or zone)) for zone in zones)


def _is_open(hours: CallingHours, wall: datetime) -> bool:
    minutes, today = wall.hour * 60 + wall.minute, wall.weekday()
    return any(
        (today in span.days and span.start <= minutes < span.end)
        or ((today - 1) % 7 in span.days and span.start <= minutes + 1440 < span.end)
        for span in hours.spans
    )


def assert_within(found: Window, hours: CallingHours, zones: Iterable[ZoneInfo]) -> None:
    moment, last = found.opens, min(found.closes, found.opens + 2 * DAY)
    while moment < last:
        assert is_open(hours, zones, moment), moment
        moment += MINUTE


clock = st.integers(0, 1439).map(lambda minutes: f"{minutes // 60:02}:{minutes % 60:02}")
days = st.sampled_from(["", "mon ", "mon-fri ", "sat,sun ", "sun ", "fri-mon "])
span = st.builds("{}{}-{}".format, days, clock, clock).filter(
    lambda text: text[-11:-6] != text[-5:]  # else it is never open
)
zones = st.sampled_from(["Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut"])
written = st.builds("{} {}".format, st.lists(span, min_size=1, max_size=2).map(";".join), zones)
changes = [
    *("2026-03-29T01:00Z", "2026-10-25T01:00Z", "2026-03-08T07:00Z", "2026-11-01T06:00Z"),
    *("2026-04-04T15:00Z", "2026-10-03T15:30Z", "2026-03-28T22:00Z", "2026-10-24T21:00Z"),
]
near_changes = st.builds(
    lambda text, minutes: at(text) + minutes * MINUTE,
    st.sampled_from(changes),
    st.integers(-1500, 1500),
)
any_time = st.integers(0, 365 * 1440).map(
    lambda minutes: at("2026-01-01T00:00Z") + minutes * MINUTE
)


@settings(max_examples=150)
@given(written, st.one_of(near_changes, any_time))
@example("01:00-01:30 Europe/London", at("2026-10-25T00:45Z"))
def test_a_window_is_the_first_time_that_the_clock_on_the_wall_allows(
    text: str, now: datetime
) -> None:
    hours = CallingHours.parse(text)
    assert hours.zone
    found = hours.window([], now)
    assert found is not None  # one zone: they open within two weeks
    assert now <= found.opens < found.closes
    assert_within(found, hours, [hours.zone])
    assert not is_open(hours, [hours.zone], found.closes) or found.closes > now + 13 * DAY
    before = now
    while before < min(found.opens, now + 2 * DAY):
        assert not is_open(hours, [hours.zone], before), before
        before += MINUTE


numbers = st.lists(
    st.sampled_from([TOKYO, NEW_YORK, LONDON, RUSSIA, SATELLITE, "+61491570156", "+9611123456"]),
    min_size=1,
    max_size=3,
    unique=True,
)


@settings(max_examples=60)
@given(span, numbers, st.one_of(near_changes, any_time))
def test_a_window_of_several_zones_is_open_in_each(
    text: str, called: list[str], now: datetime
) -> None:
    hours = CallingHours.parse(text)
    everywhere = {zone for number in called for zone in zones_of(number)}
    found = hours.window(called, now)
    if found:
        assert now <= found.opens < found.closes
        assert_within(found, hours, everywhere)
    before, end = now, min(found.opens if found else now + DAY, now + DAY)
    while before < end:
        assert not is_open(hours, everywhere, before), before
        before += 7 * MINUTE
