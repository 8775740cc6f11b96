"""Moments as the command line shows them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from dispatcher.cli import moments

AT = datetime(2026, 11, 29, 5, 3, 12, 345_000, UTC)


@pytest.fixture(autouse=True)
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    moments.read_in_utc(False)
    monkeypatch.undo()
    time.tzset()


def test_they_are_by_the_clock_of_the_machine_with_their_zone() -> None:
    assert moments.stamp(AT) == "2026-11-29 14:03:12 JST"
    assert moments.minute(AT) == "2026-11-29 14:03 JST"
    assert moments.stamp("2026-11-29T05:03:12.345Z") == moments.stamp(AT)
    assert moments.stamp(AT.timestamp() * 1000) == moments.stamp(AT)


def test_they_are_in_utc_for_who_says_so() -> None:
    moments.read_in_utc(True)
    assert moments.stamp(AT) == "2026-11-29 05:03:12 UTC"


def test_what_never_was_is_nothing() -> None:
    assert (moments.stamp(None), moments.minute(None), moments.stamp_and_ago(None)) == ("", "", "")


@pytest.mark.parametrize(
    ("passed", "words"),
    [(0.4, "now"), (45, "45 s ago"), (180, "3 min ago"), (-90, "in 90 s"), (90_000, "25 h ago")],
)
def test_how_long_ago(passed: float, words: str) -> None:
    assert moments.ago(AT, AT + timedelta(seconds=passed)) == words
