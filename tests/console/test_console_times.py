"""Moments as people read them, in their zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from support.console_client import Person
from support.credits import NOW
from workers.gateway.console.times import COOKIE, ago, in_zone, when, zone_of, zone_words

BERLIN = zone_of("Europe/Berlin")
NOON = datetime(2026, 7, 1, 12, 0, 5, tzinfo=UTC)


def words(at: datetime, now: datetime = NOON) -> str:
    return when(at, BERLIN, now).striptags()


def test_a_moment_is_told_as_shortly_as_is_clear() -> None:
    assert words(NOON) == "14:00:05"
    assert words(NOON - timedelta(days=1)) == "30 Jun 14:00:05"
    assert words(NOON - timedelta(days=365)) == "2025-07-01 14:00:05"
    late = datetime(2026, 6, 30, 22, 30, tzinfo=UTC)  # there it is the next day already
    assert words(late) == "00:30:00"


def test_its_title_says_all_of_it_with_the_zone() -> None:
    html = when(NOON, BERLIN, NOON)
    assert 'title="2026-07-01 14:00:05 CEST"' in html
    assert 'datetime="2026-07-01T12:00:05.000Z"' in html


def test_a_moment_may_come_as_milliseconds_or_not_at_all() -> None:
    at = datetime.fromtimestamp(NOW / 1000, UTC)
    assert when(NOW, BERLIN, NOON) == when(at, BERLIN, NOON)
    assert when(None, BERLIN, NOON).striptags() == "-"


def test_how_long_ago() -> None:
    assert [ago(NOW - ms, NOW) for ms in (0, 45_000, -180_000)] == ["now", "45 s ago", "in 3 min"]


def test_moments_in_sentences_are_told_in_the_zone_too_and_nothing_becomes_markup() -> None:
    text = "it is due in 3 s (2026-07-01 12:00:08 UTC), says <b>"
    found = in_zone(text, BERLIN, NOON)
    assert found.startswith("it is due in 3 s (<time")
    assert ">14:00:08</time>), says &lt;b&gt;" in found


@pytest.mark.parametrize(
    ("name", "said"),
    [("Asia/Kolkata", "IST"), ("America/Sao_Paulo", "UTC-03:00"), ("UTC", "UTC")],
)
def test_a_zone_has_a_word(name: str, said: str) -> None:
    assert zone_words(zone_of(name), NOON) == said


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "\0", "localtime"])
def test_what_is_no_zone_is_utc(name: str) -> None:
    assert str(zone_of(name)) == "UTC"


def test_the_zone_is_a_browsers_own_and_is_kept(reader: Person) -> None:
    page = reader.page("/console/time-zone")
    answer = reader.send(page, "/time-zone", zone="Asia/Tokyo")
    assert answer.url.endswith("/console")
    assert "Times are in Asia/Tokyo (JST)" in answer.text
    cookie = next(each for each in reader.session.cookies if each.name == COOKIE)
    assert cookie.path == "/console"
    assert cookie.expires
    reader.send(page, "/time-zone", zone="<script>")
    assert "Times are in UTC" in reader.get("/console").text
