"""What the overview says first, and its chart."""

from __future__ import annotations

from datetime import UTC, datetime

from dispatcher.problems.problem import Level
from support.credits import NOW
from support.problems import minute, pace, snapshot
from workers.gateway.console.banners import banners
from workers.gateway.console.chart import HEIGHT, chart
from workers.gateway.console.pages import ago, when


def test_all_is_well_and_says_what_that_means() -> None:
    (found,) = banners(snapshot(minutes=[minute(completed=11, failed__no_answer=1)]))
    assert found.level is Level.WELL
    assert found.what == "All is well: 12 jobs ended in the last hour, 11 answered; no job waits"
    (found,) = banners(snapshot(minutes=[], pace=pace(1)))
    assert found.what == "All is well: no calls; 1 job in line"


def test_the_chart_and_its_table_say_the_same() -> None:
    drawn = chart([minute(completed=2, failed__call_failed=2), minute(), minute(expired=1)])
    assert drawn.most == 4
    assert drawn.totals == {"answered": 2, "unanswered": 0, "failed": 3, "cancelled": 0}
    assert [(bar.series, bar.height) for bar in drawn.bars] == [
        ("answered", HEIGHT / 2),
        ("failed", HEIGHT / 2),
        ("failed", HEIGHT / 4),
    ]
    assert drawn.bars[1].y == 0
    assert [row.many["failed"] for row in drawn.rows] == [2, 1]
    assert chart([]).bars == ()


def test_moments_are_in_utc_for_those_without_scripts() -> None:
    expected = '<time datetime="2023-11-14T22:13:20.000Z" data-local>2023-11-14 22:13:20 UTC</time>'
    assert when(NOW) == when(datetime.fromtimestamp(NOW / 1000, UTC)) == expected
    assert when(None) == "-"
    assert [ago(NOW - ms, NOW) for ms in (0, 45_000, -180_000)] == ["now", "45 s ago", "in 3 min"]
