"""The current problems, in words: each is found, and none where there is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from dispatcher.model.alert import AlertState
from dispatcher.model.callbacks_seen import CallbacksSeen
from dispatcher.model.campaign import Campaign
from dispatcher.model.process import Process, Role
from dispatcher.model.states import Priority, State
from dispatcher.policy.credit_forecast import Forecast
from dispatcher.policy.processes import Roll
from dispatcher.problems.catalogue import CATALOGUE, Name
from dispatcher.problems.finding import problems
from dispatcher.problems.problem import Level, Problem
from dispatcher.problems.snapshot import Snapshot
from dispatcher.store.missing_rights import MissingRight
from dispatcher.store.refused_reports import RefusedReports
from dispatcher.values.rate import Rate
from support.credits import NOW, account
from support.problems import NONE, PACE, hold, minute, pace, since, snapshot

ACCOUNT = account()
LONG_AGO = NOW - 3_600_000
WORKER = Process("1", Role.WORKER, "one", "host", 1, "0.2.0", heard=NOW, still=0.1)
OTHER = replace(WORKER, id="2", name="other")
BEAT = Process("3", Role.BEAT, "beat", "host", 2, "0.2.0", started=LONG_AGO, heard=NOW)


def only(**changes: Any) -> Problem:
    """Return the one problem of a moment."""
    (found,) = problems(snapshot(**changes))
    return found


def none(**changes: Any) -> bool:
    return problems(snapshot(**changes)) == []


def roll(*processes: Process) -> Roll:
    return Roll(NOW, processes)


def test_every_problem_is_in_the_catalogue() -> None:
    assert set(CATALOGUE) == set(Name)
    assert all(entry.title and entry.remedy for entry in CATALOGUE.values())


@pytest.mark.parametrize(
    "now",
    [
        snapshot(),
        snapshot(
            roll=roll(WORKER, BEAT), waits=since(bulk=20_000), pace=pace(50_000, connections=9)
        ),
        snapshot(minutes=[minute(failed__no_answer=50)]),
        snapshot(line_lengths=(9, 8, 7, 6, 5, 4, 3), pace=pace(50_000, next_slot=0.1)),
        snapshot(callbacks=CallbacksSeen(missing=2)),
    ],
    ids=["idle", "a big campaign", "nobody at home", "lines grow shorter", "two callbacks late"],
)
def test_where_all_is_well_nothing_is_told(now: Snapshot) -> None:
    assert problems(now) == []


def test_want_of_credit_says_what_there_is_what_it_takes_and_who_waits() -> None:
    found = only(
        holds=(hold("credit", "no money", 50),),
        credit=replace(ACCOUNT, balance=Decimal(42)),
        jobs={"held": {"credit": 300}},
        pace=pace(18),
    )
    assert (found.level, found.what) == (Level.BAD, "Calls are held: credit 42, needs 50")
    assert (found.name, found.since, found.waiting) == ("held_credit", NOW - 60_000, 318)
    assert "Top up" in found.remedy


@pytest.mark.parametrize(
    ("held_by", "name", "says", "level"),
    [
        ("paused", "held_paused", "Calls are held: because", Level.WARN),
        (
            "paused:tag:zoo:x",
            "held_paused",
            "Calls are held: those with the tag zoo:x: because",
            Level.WARN,
        ),
        ("unusual", "held_unusual", "Calls are held: because", Level.BAD),
        ("limit:account", "held_limit", "Calls are held: because", Level.BAD),
        (
            "limit:client:billing",
            "held_some",
            "Some calls are held: those of billing: because",
            Level.WARN,
        ),
        (
            "credit:tariff:tts:JP-mobile",
            "held_some",
            "Some calls are held: spoken texts to JP mobile numbers: credit 1,000, needs 50",
            Level.WARN,
        ),
        ("auth", "held_auth", "Calls are held: because", Level.BAD),
        ("something_new", "held_some", "Some calls are held: because", Level.BAD),
    ],
)
def test_a_hold_says_whom_it_stops(held_by: str, name: str, says: str, level: Level) -> None:
    found = only(holds=(hold(held_by),), behind={held_by: 3}, jobs={"held": {"x": 3}})
    assert (found.name, found.what, found.level, found.waiting) == (name, says, level, 3)
    assert found.hold == (held_by if held_by.startswith(("paused", "unusual")) else "")


@pytest.mark.parametrize("held_by", ["paused", "paused:priority:urgent"])
def test_a_pause_is_bad_when_urgent_calls_wait_behind_it(held_by: str) -> None:
    waits = replace(since(urgent=61), late={})
    found = only(holds=(hold(held_by),), waits=waits, roll=roll(WORKER, BEAT))
    assert (found.name, found.level) == ("urgent_paused", Level.BAD)
    ringing = {AlertState.RINGING: 1}
    names = [each.name for each in problems(snapshot(holds=(hold(held_by),), alerts=ringing))]
    assert names == ["urgent_paused", "alerts_ring"]


def test_who_mends_wrong_credentials_is_told_to_restart_the_workers() -> None:
    assert "restart the workers" in only(holds=(hold("auth"),)).remedy


def test_a_right_that_a_worker_lacks_is_said_with_its_name() -> None:
    missing = MissingRight("worker@a", "Redis does not allow its user +zadd: grant it")
    found = only(missing_rights=(missing,))
    assert found.level is Level.BAD
    assert found.what == "A process lacks a right: worker@a: Redis does not allow its user +zadd"
    assert found.remedy == "What to do: grant it."


def test_a_hold_that_lets_one_through_is_half_as_bad() -> None:
    found = only(holds=(hold("provider_down", half_open=True),))
    assert found.level is Level.WARN
    assert found.what == "Calls are held: one at a time is tried (because)"


def test_the_worst_comes_first() -> None:
    holds = (hold("limit:client:billing"), hold("auth"))
    levels = [each.level for each in problems(snapshot(holds=holds, dead_webhooks=2))]
    assert levels == [Level.BAD, Level.WARN, Level.WARN]


def waiting(**changes: Any) -> Snapshot:
    return snapshot(waits=since(normal=31), pace=pace(2, **changes))


def test_that_nobody_dials_is_found_out() -> None:
    (found,) = problems(waiting())
    assert (found.name, found.level, found.waiting) == ("nobody_dials", Level.BAD, 2)


@pytest.mark.parametrize(
    "now",
    [
        waiting(next_slot=0.1),
        waiting(connections=1),
        waiting(idle=29),
        replace(waiting(), waits=since(normal=29)),
        replace(waiting(), pace=PACE),
    ],
    ids=["the rate is used", "somebody does", "did just now", "not for long", "nobody is ready"],
)
def test_waiting_alone_is_no_trouble(now: Snapshot) -> None:
    assert problems(now) == []


def test_urgent_and_scheduled_jobs_are_late_where_others_wait_their_turn() -> None:
    busy = pace(500, next_slot=0.2)
    assert none(waits=since(urgent=59, normal=7000, scheduled=59), pace=busy)
    found = only(waits=since(urgent=150, normal=7000), pace=busy)
    assert found.what == "Urgent calls are late: the oldest has stood in line for 2 min"
    found = only(waits=since(scheduled=7200), pace=busy)
    assert found.what == "Scheduled calls are late: the oldest is 2 h past its time"
    assert (found.name, found.level) == ("scheduled_late", Level.BAD)


def test_lines_grow_where_more_come_each_minute_than_an_hour_dials() -> None:
    growing, many = (1, 2, 3, 4, 5, 20_000), pace(20_000, next_slot=0.1)
    found = only(line_lengths=growing, pace=many)
    assert found.name == "lines_grow"
    assert found.what == "The lines grow: 20,000 jobs in line, which take 67 min at this rate"
    assert none(line_lengths=growing[1:], pace=many)
    assert none(line_lengths=(1, 2, 3, 3, 5, 20_000), pace=many)
    assert none(line_lengths=growing, pace=pace(17_000, next_slot=0.1))
    assert none(line_lengths=growing, pace=replace(many, rate=None, working_rate=None))


def test_a_provider_that_takes_far_less_than_the_rate_is_told() -> None:
    slow = replace(PACE, found=(Rate(0.5, 60),))
    found = only(pace=slow)
    assert found.what.endswith("than half of the rate that is set: 30/min instead of 5/s")
    assert "2.4/s instead" in only(pace=replace(PACE, working_rate=2.432541)).what
    assert none(pace=replace(PACE, working_rate=2.6))


def test_callbacks_that_do_not_arrive_are_bad() -> None:
    found = only(callbacks=CallbacksSeen(missing=3))
    assert (found.name, found.level) == ("callbacks_missing", Level.BAD)
    assert found.what == "Callbacks do not arrive: 3 calls ended, and none came since the start"
    found = only(callbacks=CallbacksSeen(last=NOW - 600_000, missing=12))
    assert found.what.endswith("12 calls ended, and none came since 10 min ago")
    broken = CallbacksSeen(test_passed=NOW - 9, test_failed=NOW)
    assert "own request" in only(callbacks=broken).what


def test_what_only_a_person_can_know_is_asked_for() -> None:
    found = only(jobs={"failed": {"outcome_unknown": 1, "no_answer": 5}})
    assert found.what == "Nobody knows whether somebody was called: 1 job without a known outcome"
    assert found.link == "state=failed&reason=outcome_unknown"


def test_credit_goes_by_what_waits_and_is_usual_and_not_by_the_pace() -> None:
    fast = replace(ACCOUNT, burn_per_hour=Decimal(100_000))
    enough = Forecast(Decimal(600), Decimal(300), Decimal(900))
    assert none(credit=fast, forecast=enough)
    found = only(forecast=replace(enough, left=Decimal(899)))
    assert (found.name, found.level) == ("credit_short", Level.WARN)
    assert found.what == (
        "The credit will not suffice: about 900 credits are needed within 4 hours"
        " (600 for what waits and 300 as is usual at these hours); 899 are above the floor"
    )


def test_of_the_credit_the_worst_alone_is_told_and_nothing_where_a_hold_tells_it() -> None:
    gone = {
        "credit": replace(ACCOUNT, balance=Decimal(42)),
        "forecast": Forecast(*[Decimal(9)] * 3),
    }
    found = only(**gone)
    assert found.what == "The credit is used up: 42 credits are left, and the floor is 50"
    assert only(**gone, holds=(hold("credit"),)).name == "held_credit"
    dear = problems(snapshot(**gone, holds=(hold("credit:tariff:tts:JP"),)))
    assert [each.name for each in dear] == ["no_credit", "held_some"]
    blind = replace(ACCOUNT, failed_checks=3)
    found = only(credit=blind)
    assert found.what == "The balance cannot be seen: the last 3 checks failed"
    assert only(credit=blind, minutes=[]).name == "provider_unseen"
    assert only(credit=blind, minutes=[], holds=(hold("auth"),)).name == "held_auth"


def test_most_calls_failing_is_trouble_and_nobody_at_home_is_not() -> None:
    found = only(minutes=[minute(failed__invalid_request=3, completed=2)])
    assert found.what == "Most calls fail: 3 of 5 in the last hour"
    for calm in (
        minute(failed__invalid_request=2, completed=2, failed__no_answer=1),
        minute(failed__invalid_request=4),
        minute(failed__call_failed=3, completed=1, cancelled=50, failed__no_answer=3),
    ):
        assert none(minutes=[calm])


def campaign(ended: float = 60, **counts: int) -> Campaign:
    """Return a campaign whose last job ended so many seconds ago."""
    at = datetime.fromtimestamp(NOW / 1000, UTC)
    places = [name.partition("__") for name in counts]
    there = {(State(s), r): n for (s, _, r), n in zip(places, counts.values(), strict=True)}
    last = at - timedelta(seconds=ended)
    nothing: dict[Any, Any] = {}
    return Campaign("spring", 100, 0, there, 0, 0, Decimal(0), nothing, None, at, at, last, 0, at)


def test_a_campaign_that_fails_is_named_with_what_most_fail_for() -> None:
    bad = campaign(
        completed=9, failed__no_answer=1, failed__invalid_request=10, failed__do_not_call=1
    )
    found = only(campaigns=(bad,), minutes=[minute(failed__invalid_request=10)])
    assert found.what == (
        "Most calls of a campaign fail: spring: 11 of 21, most of them invalid_request"
    )
    assert found.link == "state=failed&tag=campaign:spring"


@pytest.mark.parametrize(
    "calm",
    [
        campaign(completed=1, failed__no_answer=99),
        campaign(failed__invalid_request=19),
        campaign(completed=11, failed__invalid_request=10),
        campaign(3601, failed__invalid_request=100),
        campaign(failed__no_answer=20, cancelled=100),
    ],
    ids=["nobody at home", "few", "half", "over", "cancelled"],
)
def test_a_campaign_that_goes_as_campaigns_go_is_no_trouble(calm: Campaign) -> None:
    assert none(campaigns=(calm,))


def test_without_a_worker_or_beat_nobody_is_called_and_it_is_said_once() -> None:
    """Ready jobs that nobody dials would otherwise say the same again."""
    late = {"waits": since(normal=300, urgent=300), "pace": pace(3)}
    found = only(roll=roll(BEAT), **late)
    assert (found.name, found.level, found.what) == ("no_worker", Level.BAD, "No worker runs")
    assert "Start `voice-dispatcher worker`" in found.remedy
    found = only(roll=roll(WORKER))
    assert (found.name, found.level) == ("no_beat", Level.BAD)
    assert none(roll=roll(WORKER, BEAT))


def test_one_worker_of_several_that_begins_nothing_is_a_warning() -> None:
    stuck = replace(WORKER, still=180)
    found = only(roll=roll(stuck, OTHER, BEAT))
    assert (found.name, found.level) == ("worker_stuck", Level.WARN)
    assert found.what == "A worker does nothing: one@host has begun nothing for 3 min"
    found = only(roll=roll(stuck, BEAT))
    assert (found.name, found.level) == ("workers_stuck", Level.BAD)


def test_a_process_that_fell_silent_is_named_until_another_has_taken_its_place() -> None:
    silent = replace(WORKER, heard=NOW - 60_000)
    found = only(roll=roll(silent, OTHER, BEAT))
    assert (found.name, found.level) == ("process_silent", Level.WARN)
    assert found.what == "A process has fallen silent: worker one@host"
    assert none(roll=roll(silent, replace(OTHER, started=NOW - 30_000), BEAT))
    gateway = Process("9", Role.GATEWAY, "gateway", "host", 9, "0.2.0", heard=NOW - 60_000)
    assert only(roll=roll(WORKER, BEAT, gateway)).name == "process_silent"
    assert only(roll=roll(silent, BEAT)).name == "no_worker"


def test_a_redis_that_takes_no_writes_explains_what_else_seems_wrong() -> None:
    """Nobody can tell that they run, and nobody dials."""
    full = "Redis is full: raise `maxmemory`"
    found = only(refusal=full, roll=roll(), waits=since(urgent=300), pace=pace(5))
    assert (found.name, found.level) == ("redis", Level.BAD)
    assert found.what == "Redis does not do what it is asked: Redis is full"
    assert "raise `maxmemory`" in found.remedy


def test_a_chains_file_that_is_not_in_force_is_told() -> None:
    said = "the chains file is refused, and version 3 stays in force: chains.yaml:9: no contact"
    found = only(chains=said)
    assert (found.level, said in found.what) == (Level.BAD, True)
    assert "Correct the file" in found.remedy


def test_alerts_that_nobody_has_are_told() -> None:
    found = problems(snapshot(alerts={AlertState.UNREACHED: 2, AlertState.RINGING: 1}))
    assert [each.what for each in found] == [
        "Nobody could be reached for 2 alerts",
        "1 alert rings, and nobody has it yet",
    ]


def test_reports_that_were_refused_are_told_with_their_sender() -> None:
    at = datetime.fromtimestamp(NOW / 1000, UTC)
    refused = RefusedReports("alertmanager", "prom", 3, at, "answered 422: no list")
    found = only(refused_reports=(refused,))
    assert found.what == (
        "Reports of monitoring are refused: 3 reports, the latest at 14 Nov 22:13:20 UTC."
        " alertmanager with the key prom: answered 422: no list"
    )


def test_the_sentences_begin_as_the_alerts_do() -> None:
    """Who is woken by one finds the same words on the console."""
    moments = [
        snapshot(holds=(hold("auth"), hold("limit:client:x"), hold("paused"))),
        snapshot(roll=roll(), dead_webhooks=1),
        snapshot(roll=roll(replace(WORKER, still=180), BEAT)),
        snapshot(callbacks=CallbacksSeen(missing=3), credit=replace(ACCOUNT, failed_checks=3)),
        snapshot(waits=since(urgent=99, scheduled=99), pace=pace(9, next_slot=1)),
        snapshot(alerts={AlertState.UNREACHED: 2}, chains="x", refusal="full: x"),
    ]
    found = [each for moment in moments for each in problems(moment)]
    assert len(found) >= 12
    for each in found:
        assert each.what.startswith(CATALOGUE[Name(each.name)].title)


def test_programs_are_told_the_same() -> None:
    found = only(holds=(hold("auth"),)).to_dict()
    assert (found["name"], found["level"], found["what"]) == (
        "held_auth",
        "bad",
        "Calls are held: because",
    )
    assert found["since"] == "2023-11-14T22:12:20.000Z"


def test_how_long_the_lines_take_goes_by_the_slowest_rate_that_is_known() -> None:
    slow = snapshot(pace=replace(pace(60), found=(Rate(0.5, 60),)))
    assert (slow.rate, slow.drain) == (0.5, 120)
    assert snapshot(pace=replace(PACE, rate=None, working_rate=None)).drain is None
    assert NONE[Priority.URGENT] == 0
