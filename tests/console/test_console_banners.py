"""The current problems, in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from dispatcher.model.process import Process, Role
from dispatcher.model.states import Priority
from dispatcher.policy.processes import Roll
from dispatcher.store.missing_rights import MissingRight
from dispatcher.store.statistics import Backlog, Minute
from dispatcher.store.values import Hold, Pace
from support.credits import NOW, account
from workers.gateway.console.banners import Level, Snapshot, banners
from workers.gateway.console.chart import HEIGHT, chart
from workers.gateway.console.pages import ago, when

NONE = dict.fromkeys(Priority, 0)
PACE = Pace(5.0, 5.0, 0, 0, 0.01, (), NONE, NONE)


def pace(ready: int, **changes: Any) -> Pace:
    """Return a pace with so many jobs in line."""
    return replace(PACE, ready=NONE | {Priority.NORMAL: ready}, **changes)


ACCOUNT = account()


def minute(**ends: int) -> Minute:
    at = datetime.fromtimestamp(NOW / 1000, UTC)
    return Minute(at, Counter({name.replace("__", ":"): n for name, n in ends.items()}))


def snapshot(**changes: Any) -> Snapshot:
    well = Snapshot(NOW, (), {}, PACE, ACCOUNT, Backlog({}, None), [minute(completed=11)])
    return replace(well, **changes)


def hold(name: str, why: str = "because", required: float = 0, *, half_open: bool = False) -> Hold:
    return Hold(name, NOW - 60_000, why, required, half_open)


def test_all_is_well_and_says_what_that_means() -> None:
    (found,) = banners(snapshot(minutes=[minute(completed=11, failed__no_answer=1)]))
    assert found.level is Level.WELL
    assert found.what == "All is well: 12 jobs ended in the last hour, 11 answered; no job waits"
    (found,) = banners(snapshot(minutes=[], pace=pace(1)))
    assert found.what == "All is well: no calls; 1 job in line"


def test_want_of_credit_says_what_there_is_what_it_takes_and_who_waits() -> None:
    now = snapshot(
        holds=(hold("credit", "no money", 50),),
        credit=replace(ACCOUNT, balance=Decimal(42)),
        jobs={"held": {"credit": 300}},
        pace=pace(18),
    )
    (found,) = banners(now)
    assert (found.level, found.what) == (Level.BAD, "Calls are held: credit 42, needs 50")
    assert (found.since, found.waiting) == (NOW - 60_000, 318)
    assert "Top up" in found.remedy


@pytest.mark.parametrize(
    ("name", "whom", "level"),
    [
        ("paused", "Calls are held", Level.BAD),
        ("paused:tag:zoo:x", "Calls with the tag zoo:x are held", Level.WARN),
        ("paused:priority:bulk", "Calls of priority bulk are held", Level.WARN),
        ("unusual", "Calls are held", Level.BAD),
        ("limit:account", "Calls are held", Level.BAD),
        ("limit:client:billing", "Calls of billing are held", Level.WARN),
        ("auth", "Calls are held", Level.BAD),
        ("something_new", "Calls are held", Level.BAD),
    ],
)
def test_a_gate_says_whom_it_stops(name: str, whom: str, level: Level) -> None:
    backlog = Backlog({name: 3}, NOW)
    (found,) = banners(snapshot(holds=(hold(name),), backlog=backlog, jobs={"held": {"x": 3}}))
    assert (found.what, found.level, found.waiting) == (f"{whom}: because", level, 3)
    assert found.hold == (name if name.startswith(("paused", "unusual")) else "")


def test_too_few_replicas_are_said_with_what_to_do() -> None:
    (found,) = banners(snapshot(holds=(hold("replicas"),)))
    assert (found.level, "DISPATCHER_REDIS_REPLICAS" in found.remedy) == (Level.BAD, True)


def test_a_right_that_a_worker_lacks_is_said_with_its_name() -> None:
    missing = MissingRight("worker@a", "Redis does not allow its user +zadd: grant it")
    (found,) = banners(snapshot(missing_rights=(missing,)))
    assert found.level is Level.BAD
    assert found.what == "worker@a: Redis does not allow its user +zadd"
    assert found.remedy == "What to do: grant it."


def test_a_gate_that_lets_one_through_is_half_as_bad() -> None:
    (found,) = banners(snapshot(holds=(hold("provider_down", half_open=True),)))
    assert (found.level, found.what) == (Level.WARN, "One call at a time is tried: because")


def test_the_worst_comes_first() -> None:
    holds = (hold("paused:tag:zoo"), hold("auth"))
    levels = [each.level for each in banners(snapshot(holds=holds, dead_webhooks=2))]
    assert levels == [Level.BAD, Level.WARN, Level.WARN]


def waiting(**changes: Any) -> Snapshot:
    late = Backlog({}, NOW - 31_000)
    return snapshot(backlog=late, pace=pace(2, **changes))


def test_that_nobody_dials_is_found_out() -> None:
    (found,) = banners(waiting())
    assert (found.level, found.waiting) == (Level.BAD, 2)
    assert found.what.startswith("No worker dials")


@pytest.mark.parametrize(
    "now",
    [
        waiting(next_slot=0.1),
        waiting(connections=1),
        replace(waiting(), backlog=Backlog({}, NOW - 29_000)),
        replace(waiting(), pace=PACE),
    ],
    ids=["the rate is used", "somebody does", "not for long", "nobody is ready"],
)
def test_waiting_alone_is_no_trouble(now: Snapshot) -> None:
    assert banners(now)[0].level is Level.WELL


def test_what_only_a_person_can_know_is_asked_for() -> None:
    (found,) = banners(snapshot(jobs={"failed": {"outcome_unknown": 1, "no_answer": 5}}))
    assert found.what.startswith("1 job ended, and nobody knows")
    assert found.link == "state=failed&reason=outcome_unknown"


def test_credit_that_ends_soon_is_said_before_it_does() -> None:
    credit = replace(ACCOUNT, burn_per_hour=Decimal(475))
    (found,) = banners(snapshot(credit=credit))
    assert found.what == "Credit lasts 2 h at this pace"
    lasting = replace(ACCOUNT, burn_per_hour=Decimal(200))
    assert banners(snapshot(credit=lasting))[0].level is Level.WELL


def test_a_balance_that_cannot_be_seen_is_said() -> None:
    (found,) = banners(snapshot(credit=replace(ACCOUNT, failed_checks=3)))
    assert found.what.startswith("The balance could not be seen 3 times")


def test_most_calls_failing_is_trouble_and_nobody_at_home_is_not() -> None:
    (found,) = banners(snapshot(minutes=[minute(failed__invalid_request=3, completed=2)]))
    assert found.what == "Most calls fail: 3 of 5 in the last hour"
    for calm in (
        minute(failed__no_answer=50),
        minute(failed__invalid_request=2, completed=2, failed__no_answer=1),
        minute(failed__invalid_request=4),
        minute(failed__call_failed=3, completed=1, cancelled=50, failed__no_answer=3),
    ):
        assert banners(snapshot(minutes=[calm]))[0].level is Level.WELL


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


def test_without_a_worker_or_beat_nobody_is_called_and_it_is_said_once() -> None:
    """Ready jobs that nobody dials would otherwise say the same again."""
    late = {"backlog": Backlog({}, NOW - 300_000), "pace": pace(3)}
    worker = Process("1", Role.WORKER, "worker", "host", 1, "0.2.0", heard=NOW, still=0.1)
    beat = replace(worker, id="2", role=Role.BEAT, name="beat", still=None)
    (found,) = banners(snapshot(roll=Roll(NOW, (beat,)), **late))
    assert (found.level, found.what) == (Level.BAD, "No worker runs")
    assert "start `voice-dispatcher worker`" in found.remedy
    (found,) = banners(snapshot(roll=Roll(NOW, (worker,))))
    assert (found.level, found.what[:17]) == (Level.BAD, "Beat does not run")
    (found,) = banners(snapshot(roll=Roll(NOW, (worker, beat))))
    assert found.level is Level.WELL


def test_one_worker_of_several_that_begins_nothing_is_a_warning() -> None:
    long_ago = NOW - 3_600_000
    stuck = Process("1", Role.WORKER, "one", "host", 1, "0.2.0", heard=NOW, still=180)
    other = replace(stuck, id="2", name="other", still=0.1)
    beat = Process("3", Role.BEAT, "beat", "host", 2, "0.2.0", started=long_ago, heard=NOW)
    (found,) = banners(snapshot(roll=Roll(NOW, (stuck, other, beat))))
    assert (found.level, found.what) == (Level.WARN, "one@host has begun nothing for 3 min")
    (found,) = banners(snapshot(roll=Roll(NOW, (stuck, beat))))
    assert (found.level, found.what[:22]) == (Level.BAD, "No worker has begun an")


def test_a_chains_file_that_is_not_in_force_is_told() -> None:
    said = "the chains file is refused, and version 3 stays in force: chains.yaml:9: no contact"
    (found,) = banners(snapshot(chains=said))
    assert (found.level, found.what) == (Level.BAD, said.replace("the chains", "The chains", 1))
    assert "Mend the file" in found.remedy
