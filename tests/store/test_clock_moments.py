"""Every moment that stands in Redis, judged: what becomes of it where Redis' clock steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.api_key import Quota, Scope
from dispatcher.model.outcome import Outcome
from dispatcher.model.states import Priority, State
from dispatcher.policy import after_report
from dispatcher.provider import AnswerLost, NeverReached
from dispatcher.store import Store, schema
from dispatcher.store.callbacks import Callback
from dispatcher.store.clock import Step
from dispatcher.store.sessions import FAILED_WITHIN, MOST_FAILED
from dispatcher.store.values import Claim
from dispatcher.store.webhooks import LEASE
from support.claims import claim_one, take, taken
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.reports import ended
from support.store_jobs import POLICY, at, claim, enqueue, in_progress, placed, refused
from workers.engine.clock_watch import ClockWatch
from workers.engine.ticks import Rescue

HOUR = 3600.0
SOON = 60.0  # seconds: lib/moments.lua

NO_MOMENT = "holds no moment that anything waits for"
USERS = "a moment that a person chose, or a length of time that is promised to people"
MOVED = "moved by ops/follow_clock.lua"
READ = "bounded where it is read"
TTL = "kept by Redis itself, for a bounded time: an hour longer does no harm"
SHOWN = "shown to people, who see what the clock said"
JUDGED = {
    "schema": NO_MOMENT,
    "clock": MOVED,
    "replicas": READ,
    "missing_rights": READ,
    "processes": READ,
    "stoppage": READ,
    "ping": TTL,
    "drills": USERS,
    "drills_ringing": NO_MOMENT,
    "job": MOVED,
    "by_state": SHOWN,
    "by_state_page": SHOWN,
    "states": NO_MOMENT,
    "by_tag": SHOWN,
    "by_tag_page": SHOWN,
    "by_recipient": NO_MOMENT,
    "by_call": NO_MOMENT,
    "purged_message": TTL,
    "calling": TTL,
    "called": READ,
    "do_not_call": USERS,
    "do_not_call_ends": USERS,
    "due": MOVED,
    "lines": NO_MOMENT,
    "ready": MOVED,
    "set_aside": READ,
    "taken": TTL,
    "woken": TTL,
    "held": MOVED,
    "holds_used": NO_MOMENT,
    "waiting": NO_MOMENT,
    "config": NO_MOMENT,
    "holds": MOVED,
    "breaker": NO_MOMENT,
    "pace": READ,
    "recent": READ,
    "connections": READ,
    "credit": MOVED,
    "burn": READ,
    "costs": NO_MOMENT,
    "countries_called": READ,
    "hourly_spending": READ,
    "unusual": READ,
    "spending_limits": USERS,
    "spent": NO_MOMENT,
    "typical_durations": NO_MOMENT,
    "refused_languages": READ,
    "events": SHOWN,
    "events_taken": NO_MOMENT,
    "callbacks": READ,
    "callbacks_seen": READ,
    "counters": NO_MOMENT,
    "outcomes": SHOWN,
    "history": SHOWN,
    "line_lengths": READ,
    "alert_summary": READ,
    "campaigns": SHOWN,
    "campaign": SHOWN,
    "campaign_hours": SHOWN,
    "campaigns_over": USERS,  # how long a summary is kept
    "delivery": USERS,  # how long it is tried
    "webhook_targets": MOVED,
    "webhook_target": MOVED,
    "webhooks_due": MOVED,
    "webhooks_out": MOVED,
    "webhooks_under_way": MOVED,
    "webhooks_dead": SHOWN,
    "webhook_sequence": NO_MOMENT,
    "webhook_news": NO_MOMENT,
    "bell": NO_MOMENT,
    "clients": NO_MOMENT,
    "on_call": SHOWN,
    "on_call_versions": SHOWN,
    "chains_files": READ,
    "swaps": USERS,
    "api_keys": SHOWN,
    "api_key": USERS,
    "quota": READ,
    "audit": SHOWN,
    "bulk_action": SHOWN,
    "bulk_action_ids": NO_MOMENT,
    "bulk_actions": SHOWN,
    "bulk_actions_running": READ,
    "alert": READ,
    "alert_jobs": NO_MOMENT,
    "alert_members": SHOWN,
    "alerts": SHOWN,
    "alerts_by_state": SHOWN,
    "alerts_due": READ,
    "alert_incidents": NO_MOMENT,
    "alert_rings": READ,
    "alert_storms": NO_MOMENT,
    "refused_reports": READ,
    "cursor_secret": NO_MOMENT,
    "session": USERS,
    "login_failures": READ,
}


def test_every_key_is_judged() -> None:
    """A new one may hold a moment: say here what becomes of it, and test it where it is moved."""
    assert JUDGED.keys() == schema.KEYS.keys()


def ahead(store: Store, clock: Clock, write: Callable[[], object], back: float = HOUR) -> None:
    """Write something by a clock that is an hour ahead, and then is right again."""
    store.clock.follow()
    clock.forward(HOUR)
    store.clock.follow()
    write()
    clock.forward(-back)
    store.clock.follow()


def seconds_until(store: Store, member: str, *name: str) -> float:
    score = redis_of(store).zscore(key_of(store, *name), member)
    assert score is not None
    return (float(score) - store.now()) / 1000


def test_a_redial_is_moved_though_another_job_is_scheduled_for_later(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many stand before it, at the same moment, and behind it."""
    monkeypatch.setattr("dispatcher.store.clock.AT_ONCE", 7)
    for minutes in (30, 1440):
        for _ in range(20):
            enqueue(store, at=at(clock.ms) + timedelta(minutes=minutes))
    ids: list[str] = []

    def redial() -> None:
        made = claim(store, id_ := enqueue(store))
        store.calls.settle(id_, 1, refused(NeverReached("no connection"), made.job))
        ids.append(id_)

    ahead(store, clock, redial)
    assert seconds_until(store, ids[0], "due", "scheduled") < SOON
    assert store.jobs.get(ids[0]).due_at <= at(clock.ms) + timedelta(seconds=SOON)


def test_a_job_that_waits_for_a_protected_number_is_moved_before_its_first_attempt(
    store: Store, clock: Clock
) -> None:
    store.limiter.publish(AccountConfig(rate=None, gap=60, per_day=None))
    ids: list[str] = []

    def second() -> None:
        store.calls.settle(first := enqueue(store), claim(store, first).attempt, placed())
        id_ = enqueue(store)
        assert claim_one(store, id_, token="t", lease=30) is State.SCHEDULED
        ids.append(id_)

    ahead(store, clock, second)
    assert seconds_until(store, ids[0], "due", "scheduled") <= SOON


def test_what_a_person_asked_for_stays_though_its_priority_was_changed_meanwhile(
    store: Store, clock: Clock
) -> None:
    id_ = enqueue(store, at=at(clock.ms) + timedelta(hours=3))
    ahead(store, clock, lambda: store.jobs.prioritise(id_, Priority.URGENT, actor="sam"))
    assert seconds_until(store, id_, "due", "scheduled") == 3 * HOUR


def test_a_number_that_was_called_meanwhile_is_protected_for_the_gap_and_no_longer(
    store: Store, clock: Clock
) -> None:
    store.limiter.publish(AccountConfig(rate=None, gap=60, per_day=3, one_at_a_time=False))
    ahead(store, clock, lambda: claim(store, enqueue(store)))
    id_ = enqueue(store)
    assert claim_one(store, id_, token="t", lease=30) is State.SCHEDULED
    clock.forward(61)
    store.queue.pump()
    assert isinstance(claim_one(store, id_, token="t", lease=30), Claim)


def test_checks_come_within_a_minute(store: Store, clock: Clock) -> None:
    ids: list[str] = []

    def write() -> None:
        ids.append(in_progress(store, "call-1"))
        store.calls.reschedule_check(ids[0], 1, 30)
        ids.append(in_progress(store, "call-2"))
        decision = after_report(ended("ANSWERED", None, 12), store.jobs.get(ids[1]), POLICY)
        assert decision is not None
        store.calls.settle(ids[1], 1, decision)

    ahead(store, clock, write)
    assert seconds_until(store, ids[0], "due", "in_progress") <= SOON
    assert seconds_until(store, ids[1], "due", "cost") <= SOON


def test_one_whose_calling_window_nobody_set_stands_in_line_anew_in_time(
    store: Store, clock: Clock
) -> None:
    id_ = enqueue(store, hours="08:00-21:00")
    ahead(store, clock, lambda: taken(store))
    store.queue.pump()
    assert seconds_until(store, id_, "set_aside") <= 15
    clock.forward(15)
    assert store.queue.pump().aside == 1
    assert [hours.job.id for hours in taken(store).hours] == [id_]


def test_who_came_by_the_clock_that_was_ahead_does_not_stand_behind_all_who_come_after(
    store: Store, clock: Clock
) -> None:
    ids: list[str] = []
    ahead(store, clock, lambda: ids.append(enqueue(store)))
    clock.forward(1)
    later = enqueue(store)
    assert take(store) == [ids[0], later]


def test_a_job_that_is_held_keeps_its_turn_too(store: Store, clock: Clock) -> None:
    ids: list[str] = []

    def hold() -> None:
        store.holds.start("paused", "by sam")
        ids.append(enqueue(store))
        take(store)

    ahead(store, clock, hold)
    assert store.jobs.get(ids[0]).state is State.HELD
    clock.forward(1)
    ids.append(enqueue(store))
    take(store)
    store.holds.end("paused")
    store.queue.pump(1)
    assert [store.jobs.get(id_).state for id_ in ids] == [State.QUEUED, State.HELD]


@pytest.mark.parametrize("hold", ["credit", "auth", "provider_down"])
def test_the_balance_is_checked_at_once_and_ends_a_hold_from_before(
    store: Store, clock: Clock, hold: str
) -> None:
    store.limiter.publish(AccountConfig(rate=None, floor=Decimal(50)))

    def start() -> None:
        store.holds.start(hold, "the provider said no", refused=True)
        clock.forward(1)

    ahead(store, clock, start)
    right = store.budget.take_check(lease=60)
    assert right is not None
    clock.forward(1)
    store.budget.note_balance(Decimal(1000), right, 300)
    assert all(found.half_open for found in store.holds.all())


def test_what_was_spent_by_the_clock_that_was_ahead_makes_no_forecast(
    store: Store, clock: Clock
) -> None:
    def spend() -> None:
        id_ = in_progress(store)
        decision = after_report(ended("ANSWERED", Decimal(70), 12), store.jobs.get(id_), POLICY)
        assert decision is not None
        store.calls.settle(id_, 1, decision)

    ahead(store, clock, spend)
    assert store.budget.credit().burn_per_hour == 0


def test_a_webhook_is_tried_again_within_a_lease(store: Store, clock: Clock) -> None:
    store.limiter.publish(AccountConfig(rate=None, webhooks=1))

    def fail() -> None:
        store.jobs.cancel(enqueue(store), actor="sam")
        (id_,) = store.webhooks.take(LEASE)
        assert store.webhooks.claim(id_, LEASE)
        store.webhooks.settle(id_, "again", delay=300, pause=300, error="refused")

    ahead(store, clock, fail)
    clock.forward(LEASE)
    assert len(store.webhooks.take(LEASE)) == 1


def test_a_webhook_whose_message_is_out_is_sent_once(store: Store, clock: Clock) -> None:
    store.limiter.publish(AccountConfig(rate=None, webhooks=1))
    out: list[str] = []

    def take() -> None:
        store.jobs.cancel(enqueue(store), actor="sam")
        out.extend(store.webhooks.take(LEASE))

    ahead(store, clock, take)
    assert store.webhooks.take(LEASE) == []
    assert store.webhooks.claim(out[0], LEASE)
    clock.forward(LEASE)
    assert store.webhooks.take(LEASE) == out  # whoever had it is gone


def test_a_quota_is_free_again_within_its_period(store: Store, clock: Clock) -> None:
    key, _ = store.api_keys.create("shop", [Scope.ENQUEUE], quota=Quota(2, 60))
    ahead(store, clock, lambda: store.api_keys.take(key, 2))
    store.api_keys.take(key, 2)
    clock.forward(60)
    assert store.api_keys.take(key, 2).many == 2


def test_an_address_is_shut_out_for_a_minute(store: Store) -> None:
    """This goes by Redis' own clock: a longer time to live is what one that went back leaves."""
    for _ in range(MOST_FAILED):
        store.failed_logins.add("192.0.2.1")
    redis_of(store).expire(key_of(store, "login_failures", "192.0.2.1"), int(HOUR))
    assert 0 < store.failed_logins.wait("192.0.2.1") <= FAILED_WITHIN


# -- the clock jumps ahead -----------------------------------------------------------------


def watching(store: Store, clock: Clock) -> ClockWatch:
    """Return a watch that has seen the clock."""
    watch = ClockWatch(store, clock.steady)
    watch()
    return watch


def uncertain(store: Store) -> str:
    made = claim(store, id_ := enqueue(store))
    store.calls.settle(id_, 1, refused(AnswerLost("cut"), made.job))
    return id_


def test_no_evidence_window_is_over_because_the_clock_jumped(store: Store, clock: Clock) -> None:
    """The callback of the call is still to come: its person would be called twice."""
    watch = watching(store, clock)
    id_ = uncertain(store)
    store.callbacks.receive([Callback("a" * 16, 1, "c", "ANSWERED", Outcome.ANSWERED)], {})
    rescue = Rescue(store, replace(POLICY, reported=True), watch_clock=watch)
    clock.forward(10)
    rescue()
    clock.step(HOUR)
    rescue()
    assert store.jobs.get(id_).state is State.UNCERTAIN
    clock.forward(POLICY.evidence_window - 11)
    rescue()
    assert store.jobs.get(id_).state is State.UNCERTAIN
    clock.forward(1)
    rescue()
    assert store.jobs.get(id_).state is not State.UNCERTAIN


def test_a_window_that_waited_longer_does_not_where_the_clock_comes_back(
    store: Store, clock: Clock
) -> None:
    watch = watching(store, clock)
    id_ = uncertain(store)
    for _ in range(3):
        clock.step(HOUR)
        watch()
        clock.step(-HOUR)
        clock.forward(1)
        watch()
    left = POLICY.evidence_window - 3
    assert left <= seconds_until(store, id_, "due", "uncertain") <= left + 3


def test_a_window_that_began_after_the_jump_is_as_long_as_any(store: Store, clock: Clock) -> None:
    watch = watching(store, clock)
    clock.step(HOUR)
    id_ = uncertain(store)
    watch()
    assert seconds_until(store, id_, "due", "uncertain") == POLICY.evidence_window


def test_a_worker_whose_lease_lapses_by_a_jump_still_tells_of_its_call(
    store: Store, clock: Clock
) -> None:
    watch = watching(store, clock)
    claim(store, id_ := enqueue(store))
    clock.step(HOUR)
    rescue = Rescue(store, POLICY, watch_clock=watch)
    rescue()
    assert store.jobs.get(id_).state is State.UNCERTAIN
    clock.forward(5)
    rescue()
    store.calls.settle(id_, 1, placed())
    job = store.jobs.get(id_)
    assert (job.state, len(job.attempts)) == (State.IN_PROGRESS, 1)
    assert store.statistics.counters()["second_calls"] == 0


# -- what is told --------------------------------------------------------------------------


def told(store: Store) -> list[float]:
    """Return by how many seconds the clock stepped each time."""
    found = [
        each.facts["by"] / 1000 for each in store.events.after() if each.kind == "clock.stepped"
    ]
    assert store.statistics.counters().get("clock_steps", 0) == len(found)
    return [round(by) for by in found]


def test_each_step_is_told_once_whoever_sees_it(
    store: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    first = watching(store, clock)
    second = watching(store, clock)
    clock.step(HOUR)
    for _ in range(2):
        first()
        second()
    assert told(store) == [HOUR]
    clock.step(-HOUR)
    for _ in range(2):
        second()
        first()
        clock.forward(1)
    assert told(store) == [HOUR, -HOUR]
    assert store.clock.last_step() == Step(by=-HOUR, ago=2)
    assert "stepped by +3600.0 s" in caplog.text
    assert "stepped by -3600.0 s" in caplog.text


def test_time_that_passes_is_no_step(store: Store, clock: Clock) -> None:
    watch = watching(store, clock)
    assert store.clock.last_step() is None
    for seconds in (1, HOUR, 24 * HOUR):
        clock.forward(seconds)
        watch()
    assert told(store) == []


def test_many_are_moved_in_batches_that_go_on_where_one_broke_off(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatcher.store.clock.AT_ONCE", 7)
    monkeypatch.setattr("dispatcher.store.clock.MOST_STEPS", 3)
    ids = [in_progress(store, f"call-{number}") for number in range(150)]

    def check() -> None:
        for id_ in ids:
            store.calls.reschedule_check(id_, 1, 30)

    ahead(store, clock, check)
    for _ in range(20):
        store.clock.follow()
    assert max(seconds_until(store, id_, "due", "in_progress") for id_ in ids) <= SOON
