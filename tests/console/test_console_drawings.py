"""What is drawn says the same in words: the chart, a job's attempts, the credit."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from dispatcher.model.attempt import Attempt
from dispatcher.model.job import Job
from dispatcher.model.states import State
from dispatcher.policy.credit_forecast import Forecast
from dispatcher.store import codec
from support.credits import account
from support.raw_records import as_written
from support.store_jobs import NOW
from workers.gateway.console.chart import HEIGHT, Stretch, chart, folded
from workers.gateway.console.credit_line import HEIGHT as CREDIT_HEIGHT
from workers.gateway.console.credit_line import WIDTH as CREDIT_WIDTH
from workers.gateway.console.credit_line import credit_line
from workers.gateway.console.timebar import LEAST, WIDTH, time_bar


def stretch(minute: int = 0, **ends: int) -> Stretch:
    counted = Counter({name.replace("__", ":"): n for name, n in ends.items()})
    return Stretch(NOW + timedelta(minutes=minute), counted)


def test_the_chart_and_its_table_say_the_same() -> None:
    drawn = chart([stretch(completed=2, failed__call_failed=2), stretch(1), stretch(2, expired=1)])
    assert drawn.totals == {"answered": 2, "unanswered": 0, "failed": 3, "cancelled": 0}
    assert [row.many and row.many["failed"] for row in drawn.rows] == [2, 1]
    assert drawn.most == 4
    assert set(drawn.paths) == {"answered", "failed"}
    assert drawn.paths["answered"].startswith(f"M0.0 {HEIGHT / 2:.1f}h")
    assert drawn.paths["failed"].count("M") == 2


def test_a_chart_of_nothing_is_empty_and_what_is_not_known_is_said() -> None:
    assert chart([]).paths == {}
    drawn = chart([Stretch(NOW, None), stretch(1, completed=1)])
    assert drawn.unknown == 1
    assert drawn.rows[0].many is None


def test_minutes_are_folded_from_the_end() -> None:
    minutes = [stretch(n, completed=1) for n in range(7)]
    assert [each.outcomes for each in folded(minutes, 3)] == [
        {"completed": 1},
        {"completed": 3},
        {"completed": 3},
    ]
    assert [each.at for each in folded(minutes, 3)] == [minutes[n].at for n in (0, 1, 4)]
    unknown = [Stretch(NOW, None), Stretch(NOW, None)]
    assert [each.outcomes for each in folded(unknown, 2)] == [None]


@pytest.fixture
def job() -> Job:
    """A job that has failed, and was due at NOW."""
    record = {"kind": "tts", "state": "failed", "to": "818012345678", "events": "0", "created": "0"}
    return replace(codec.job("a" * 16, as_written(record)), due_at=NOW, attempts=())


def attempt(number: int, sent: float, length: float | None, result: str | None) -> Attempt:
    """Return an attempt that was sent so many seconds from NOW on, and how long it took."""
    at = NOW + timedelta(seconds=sent)
    ended = None if length is None else at + timedelta(seconds=length)
    return Attempt(number, at, ended, result, None, None, None)


def test_a_jobs_attempts_stand_where_they_were(job: Job) -> None:
    tried = (attempt(1, 25, 25, "no_answer"), attempt(2, 75, 25, "answered"))
    bar = time_bar(replace(job, attempts=tried), NOW)
    assert bar
    assert [(each.x, each.width, each.series) for each in bar.spans] == [
        (WIDTH / 4, WIDTH / 4, "unanswered"),
        (WIDTH * 3 / 4, WIDTH / 4, "answered"),
    ]
    assert (bar.since, bar.until) == (NOW, NOW + timedelta(seconds=100))
    assert bar.words == "2 attempts: 1 no answer, 1 answered"


def test_fifty_attempts_within_a_day_are_all_seen(job: Job) -> None:
    tried = tuple(attempt(n + 1, 1800.0 * n, 1, "no_answer") for n in range(50))
    bar = time_bar(replace(job, attempts=tried), NOW)
    assert bar
    assert len(bar.spans) == 50
    assert all(each.width >= LEAST and each.x + each.width <= WIDTH + 0.01 for each in bar.spans)
    assert bar.words == "50 attempts: 50 no answer"


def test_a_call_under_way_goes_on_until_now(job: Job) -> None:
    going = replace(job, state=State.IN_PROGRESS, attempts=(attempt(1, 0, None, None),))
    bar = time_bar(going, NOW + timedelta(seconds=60))
    assert bar
    assert bar.spans[0].width == WIDTH
    assert bar.words == "1 attempt: 1 under way"
    assert time_bar(replace(job, attempts=()), NOW) is None


def test_the_credit_falls_to_its_floor_or_suffices() -> None:
    few = Forecast(Decimal(100), Decimal(200), Decimal(950))
    steady = credit_line(account(), few)
    assert steady
    assert steady.words == "The credit suffices within 4 hours"
    assert steady.path.endswith(f"L{CREDIT_WIDTH:.1f} {CREDIT_HEIGHT * (1 - 700 / 1100):.1f}")
    falling = credit_line(account(), replace(few, usual=Decimal(1800)))
    assert falling
    assert falling.words == "The credit reaches the floor within 4 hours"
    assert falling.path.endswith(f"L{CREDIT_WIDTH / 2:.1f} {falling.floor:.1f}H{CREDIT_WIDTH}")
    assert credit_line(account(balance=None), few) is None
    assert credit_line(account(floor=None), few) is None
    assert credit_line(account(), None) is None
