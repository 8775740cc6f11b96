"""In which time zones a number may be: judged by tzdata's list of countries, for all plans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo, reset_tzpath

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from dispatcher.values.calling_hours import CallingHours
from dispatcher.values.number_zones import number_zones
from dispatcher.values.places import all_zones, country_name, zones_of_country

DAY = timedelta(days=1)
WINTER, SUMMER = datetime(2026, 1, 15, 0, 30, tzinfo=UTC), datetime(2026, 7, 15, 0, 30, tzinfo=UTC)
FAR = {"AS", "GU", "MP"}
NO_COUNTRIES = {"AC", "TA", "XK"}
"""Regions of numbers that zone.tab does not have."""


def tab() -> dict[str, set[str]]:
    """Return zone.tab, read in another way than the product does."""
    found: dict[str, set[str]] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text("utf-8").splitlines():
        if line and line[0] != "#":
            found.setdefault(line[:2], set()).add(line.split("\t")[2])
    return found


COUNTRIES = tab()


def examples() -> list[tuple[str, int, str]]:
    """Return (region, type, number) of every region and type."""
    every = [
        (region, kind, phonenumbers.example_number_for_type(region, kind))
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in PhoneNumberType.values()
    ]
    return [
        (region, kind, phonenumbers.format_number(number, PhoneNumberFormat.E164))
        for region, kind, number in every
        if number is not None and phonenumbers.is_valid_number(number)
    ]


def test_every_region_has_zones_and_each_is_there() -> None:
    for region in phonenumbers.SUPPORTED_REGIONS:
        zones = zones_of_country(region)
        assert zones, region
        assert all(ZoneInfo(zone) for zone in zones)
        if region not in NO_COUNTRIES:
            assert set(zones) == COUNTRIES[region]
        assert country_name(region) != region


def test_zones_are_known_where_the_machine_has_none(tmp_path: Path) -> None:
    try:
        reset_tzpath([str(tmp_path)])
        for zone in all_zones():
            assert ZoneInfo.no_cache(zone).key == zone
    finally:
        reset_tzpath()


def test_numbers_of_every_plan_are_called_within_a_day_and_never_at_night_anywhere() -> None:
    hours = CallingHours.parse("08:00-21:00")
    seen = set()
    for region, kind, number in examples():
        where = number_zones(number)
        assert where.known, (region, kind)
        seen.add(region)
        _judge_zones(region, number, where.zones)
        for now in (WINTER, SUMMER):
            found = hours.window([number], now)
            assert found, (region, kind)
            assert found.opens - now <= DAY, (region, kind)
            for at in (found.opens, min(found.closes, found.opens + DAY) - timedelta(minutes=1)):
                for zone in where.zones:
                    assert 8 <= at.astimezone(ZoneInfo(zone)).hour < 21, (region, kind, zone)
    assert seen == phonenumbers.SUPPORTED_REGIONS


def _judge_zones(region: str, number: str, zones: tuple[str, ...]) -> None:
    parsed = phonenumbers.parse(number)
    sharing = phonenumbers.region_codes_for_country_code(parsed.country_code or 0)
    valid = [r for r in sharing if phonenumbers.is_valid_number_for_region(parsed, r)]
    theirs = {zone for each in valid for zone in zones_of_country(each)}
    assert set(zones) <= theirs, region
    of_a_place = {PhoneNumberType.FIXED_LINE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
    if phonenumbers.number_type(parsed) not in of_a_place:
        near = [r for r in valid if r not in FAR or len(valid) == 1]
        assert set(zones) == {z for r in near for z in zones_of_country(r)}, region


@pytest.mark.parametrize("now", [WINTER, SUMMER])
@pytest.mark.parametrize(
    ("number", "hour"),
    [
        pytest.param("+77010000000", "Asia/Almaty", id="Kazakhstan, mobile"),
        pytest.param("+18763820000", "America/Jamaica", id="Jamaica, mobile"),
        pytest.param("+18682912345", "America/Port_of_Spain", id="Trinidad, mobile"),
        pytest.param("+18002345678", "America/New_York", id="toll-free"),
        pytest.param("+212612000000", "Africa/Casablanca", id="Morocco"),
        pytest.param("+213551234567", "Africa/Algiers", id="Algeria"),
        pytest.param("+218912345678", "Africa/Tripoli", id="Libya"),
        pytest.param("+50581234567", "America/Managua", id="Nicaragua"),
        pytest.param("+211977123456", "Africa/Juba", id="South Sudan"),
        pytest.param("+6281200000000", "Asia/Jakarta", id="Indonesia, its west"),
        pytest.param("+6281200000000", "Asia/Jayapura", id="Indonesia, Papua"),
        pytest.param("+919876543210", "Asia/Kolkata", id="India"),
        pytest.param("+5491123456789", "America/Argentina/Buenos_Aires", id="Argentina"),
    ],
)
def test_a_number_goes_by_the_clocks_of_its_country(number: str, hour: str, now: datetime) -> None:
    found = CallingHours.parse("09:00-18:00").window([number], now)
    assert found
    opens, closes = (at.astimezone(ZoneInfo(hour)) for at in (found.opens, found.closes))
    assert opens.hour >= 9
    assert (closes.hour, closes.minute) <= (18, 0)


@pytest.mark.parametrize(
    ("number", "zones"),
    [
        pytest.param("+12025550123", {"America/New_York"}, id="an area code of the US"),
        pytest.param("+12192345678", {"America/Chicago", "America/New_York"}, id="two clocks"),
        pytest.param("+13642345678", {"America/Chicago", "America/New_York"}, id="a newer code"),
        pytest.param("+12362345678", {"America/Edmonton", "America/Vancouver"}, id="Canada"),
        pytest.param("+16702345678", {"Pacific/Saipan"}, id="an area code that is a country"),
        pytest.param("+62967123456", {"Asia/Jayapura"}, id="a landline of Papua"),
        pytest.param("+74951234567", {"Europe/Moscow"}, id="a landline of Moscow"),
        pytest.param("+212528812345", {"Africa/Casablanca", "Africa/El_Aaiun"}, id="not Canary"),
        pytest.param("+6913201234", COUNTRIES["FM"], id="an old name: all of the country"),
        pytest.param("+41446681800", {"Europe/Zurich"}, id="a country of one zone"),
    ],
)
def test_an_area_code_says_more_only_if_it_names_zones_of_the_country(
    number: str, zones: set[str]
) -> None:
    assert set(number_zones(number).zones) == zones
