"""docs/reference/numbers.md: every line of its tables is what is done."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dispatcher.values.calling_hours import CallingHours
from dispatcher.values.national import read
from dispatcher.values.number_zones import number_zones
from dispatcher.values.numbers import InvalidNumber

PAGE = (Path(__file__).parents[2] / "docs/reference/numbers.md").read_text()
JANUARY = datetime(2026, 1, 15, 0, 0, tzinfo=UTC)


def rows(title: str, columns: int) -> list[tuple[str, ...]]:
    """Return the rows of the tables with so many columns below a title."""
    part = PAGE.split(f"## {title}\n", 1)[1].split("\n## ")[0]
    cells = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("| ")]
    found = [tuple(each.strip("`") for each in row) for row in cells if len(row) == columns]
    assert len(found) > 5
    return found[1:]


def judge(text: str, region: str | None, done: str) -> None:
    kind, _, what = done.partition(": ")
    if done == "called":
        assert read(text, region) == text
    elif kind == "read":
        assert read(text, region) == what
    else:
        assert kind == "refused"
        with pytest.raises(InvalidNumber) as caught:
            read(text, region)
        assert what in str(caught.value)


@pytest.mark.parametrize(("text", "done"), rows("Written as dialled from abroad", 2))
def test_a_number_without_a_region(text: str, done: str) -> None:
    judge(text, None, done)


@pytest.mark.parametrize(("region", "text", "done"), rows("Written as in a region", 3))
def test_a_number_with_a_region(region: str, text: str, done: str) -> None:
    judge(text, region, done)


@pytest.mark.parametrize(("number", "_is", "zones", "called"), rows("Whose clock", 4))
def test_a_number_follows_these_clocks(number: str, _is: str, zones: str, called: str) -> None:
    hours = CallingHours.parse("09:00-18:00")
    assert number_zones(number).words == zones
    found = hours.window([number], JANUARY)
    if found is None:
        assert called == "never: name a time zone with the hours"
        assert "Name a time zone" in hours.why_never([number])
    else:
        assert called == f"{found.opens:%H:%M}-{found.closes:%H:%M}"
