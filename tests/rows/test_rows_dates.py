"""Dates as spreadsheets keep them: read where there is one way to, refused with the likely one."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dispatcher.model.invalid_job import InvalidJob
from dispatcher.rows.dates import Dates, Order, from_serial, order_of, refuse_fraction
from support.rows_files import NUMBER, form

BERLIN = Dates(ZoneInfo("Europe/Berlin"))


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-12-01 09:00", "2026-12-01T09:00:00+01:00"),
        ("2026-07-01T09:00:30", "2026-07-01T09:00:30+02:00"),
        ("2026/12/1 9:00", "2026-12-01T09:00:00+01:00"),
        ("1.12.2026 9:00", "2026-12-01T09:00:00+01:00"),
        ("01. 12. 2026, 09:00 Uhr", "2026-12-01T09:00:00+01:00"),
        ("2026年12月1日 9時30分", "2026-12-01T09:30:00+01:00"),
        ("2026年12月1日 午後3時", "2026-12-01T15:00:00+01:00"),
        ("1 Dec 2026 9:00 PM", "2026-12-01T21:00:00+01:00"),
        ("Dec 1, 2026 12:15 AM", "2026-12-01T00:15:00+01:00"),
        ("25/11/2026 09:00", "2026-11-25T09:00:00+01:00"),
        ("11/25/2026 09:00", "2026-11-25T09:00:00+01:00"),
        ("12/12/2026 09:00", "2026-12-12T09:00:00+01:00"),
    ],
)
def test_a_date_with_one_meaning_is_read(text: str, iso: str) -> None:
    assert BERLIN.moment(text) == iso


@pytest.mark.parametrize(
    "value",
    ["15m", "3600", "90", 3600, "2026-12-01T09:00Z", "2026-12-01T09:00+09:00", "soon", 0.5e5],
)
def test_what_is_no_spreadsheets_date_stays(value: Any) -> None:
    if value == 0.5e5:  # 50,000 days are in 2036
        with pytest.raises(ValueError, match="probably 2036-11-21 00:00"):
            BERLIN.moment(value)
    else:
        assert BERLIN.moment(value) == value


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("46357.375", "probably 2026-12-01 09:00 .2030-12-02 in a workbook that counts from 1904"),
        ("46357,375", "probably 2026-12-01 09:00"),
        ("46357", "write 46357s"),
        (46357.375, "probably 2026-12-01 09:00"),
        ("0.375", "a time of day as spreadsheets keep it, 09:00"),
        ("2026-12-01", "no time of day: write such as 2026-12-01 09:00"),
        ("03/12/2026 09:00", "it is 2026-12-03 or 2026-03-12: say which with --dates"),
        ("3-12-2026 09:00", "it is 2026-12-03 or 2026-03-12"),
        ("01.12.26 09:00", "two digits"),
        ("31.11.2026 09:00", "no such date: it would be day 31 and month 11"),
        ("13/13/2026 09:00", "day 13 and month 13"),
        ("2026-12-01 25:00", "no such time"),
        ("2026-03-29 02:30", "does not exist"),
        ("2026-10-25 02:30", "is there twice"),
        ("20261201", "may be a day or seconds"),
        (20261201, "may be a day or seconds"),
    ],
)
def test_a_date_that_is_not_certain_is_refused_with_the_cure(value: Any, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        BERLIN.moment(value)


def test_without_a_zone_nobody_knows_whose_clock_it_is() -> None:
    with pytest.raises(ValueError, match="--zone Asia/Tokyo"):
        Dates().moment("2026-12-01 09:00")


def test_an_order_that_is_told_counts_also_with_two_digits() -> None:
    told = Dates(ZoneInfo("UTC"), Order.MDY)
    assert told.moment("03/12/2026 09:00").startswith("2026-03-12")
    assert told.moment("03/12/26 09:00").startswith("2026-03-12")
    assert told.moment("03.12.2026 09:00").startswith("2026-03-12")
    with pytest.raises(ValueError, match="day 3 and month 25"):
        told.moment("25/03/2026 09:00")


def test_the_order_is_seen_in_other_dates_where_all_agree() -> None:
    assert order_of(["03/12/2026", "25/03/2026 09:00"]) is Order.DMY
    assert order_of(["03/12/2026", "3/25/2026 9:00 AM"]) is Order.MDY
    assert order_of(["25/03/2026", "03/25/2026"]) is None
    assert order_of(["03/12/2026", "25.03.2026", "x", ""]) is None
    seen = Dates(ZoneInfo("UTC"), Order.MDY, seen=True)
    assert seen.moment("03/12/2026 09:00").startswith("2026-03-12")
    assert seen.moment("03.12.2026 09:00").startswith("2026-12-03")


def test_both_systems_of_a_spreadsheet_are_counted() -> None:
    assert str(from_serial(46357.375)) == "2026-12-01 09:00:00"
    assert str(from_serial(44895.375, later=True)) == "2026-12-01 09:00:00"
    assert str(from_serial(61)) == "1900-03-01 00:00:00"
    assert from_serial(60) is None  # 29 February 1900, which there was not
    assert from_serial(1e9) is None


def test_a_part_of_a_day_is_no_duration() -> None:
    with pytest.raises(ValueError, match="00:15"):
        refuse_fraction("0.010416666666666666")
    assert [refuse_fraction(each) for each in ("15m", "90", "1.5", 60)] == ["15m", "90", "1.5", 60]


def test_a_rows_dates_become_moments_and_its_key_stays_that_of_the_moment() -> None:
    made = form(["phone", "text", "Send at"], dates=BERLIN)
    row = {"phone": NUMBER, "text": "x", "Send at": "1.12.2026 09:00"}
    assert str(made.request(row).at) == "2026-12-01 08:00:00+00:00"
    assert made.request(row).key == made.request({**row, "Send at": "2026/12/01 9:00"}).key
    with pytest.raises(InvalidJob, match=r"at: 46357\.375 is a date"):
        made.request({**row, "Send at": "46357.375"})
    lengths = form(["phone", "text", "redial_after"])
    with pytest.raises(InvalidJob, match=r"redial_after: .* as spreadsheets keep it"):
        lengths.request({"phone": NUMBER, "text": "x", "redial_after": "0.0104"})
