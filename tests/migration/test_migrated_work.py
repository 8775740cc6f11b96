"""What was brought over is worked on: every job that had not ended is driven to its end."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from dispatcher.model.filters import Filter
from dispatcher.model.states import LIVE, State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.migrate import Migration
from dispatcher.store.values import job_id
from dispatcher.values.calling_hours import CallingHours
from support.claims import fresh_token
from support.clock import Clock
from support.kept_words import job_as_before
from support.redis_inside import connection_of, redis_of, root_of
from support.store_books import Books
from support.store_jobs import assert_sound, placed, records, snapshot

ANSWERED = Decision(State.COMPLETED, "answered", "ANSWERED")
GIVEN_UP = Decision(State.FAILED, "maybe_placed", "nothing was heard of it", "outcome_unknown")
NUMBERS = itertools.count(1)


@pytest.fixture
def clock(old: Store) -> Clock:
    found = connection_of(old)._clock
    assert isinstance(found, Clock)
    return found


def test_all_jobs_come_to_their_end(old: Store, clock: Clock) -> None:
    Migration(connection_of(old)).run()
    books = Books()
    books.look(snapshot(old))
    let_everything_go(old)
    for _ in range(100):
        if not any(old.search.counts()[state].get(reason) for state, reason in standing(old)):
            break
        clock.forward(1800)
        work(old, clock)
    left = list(old.search.find(Filter(states=list(LIVE))))
    assert left == []
    found = snapshot(old)
    assert_sound(found)
    books.look(found)
    action = old.bulk.recent(1)[0]
    assert action.state == "stopped"
    assert action.done + sum(each.count for each in action.skipped) == 60 + 200
    assert old.webhooks.counts()["waiting"] > 0


def test_what_was_sent_to_a_worker_stands_in_line_again(old: Store) -> None:
    """0.1.0 sent jobs in messages, of which none is left: the lines alone are looked at now."""
    client, root = redis_of(old), root_of(old)
    sent = {raw.decode() for raw in client.zrange(f"{root}:fed", 0, -1)}
    assert sent
    Migration(connection_of(old)).run()
    assert not sent & in_line(old)
    old.queue.pump()
    assert all(old.jobs.get(id_).state is State.QUEUED for id_ in sent)
    assert sent <= in_line(old)
    assert_sound(snapshot(old))


def test_the_limiter_goes_on_where_it_stood(old: Store, clock: Clock) -> None:
    """What was sent before counts against the rate, and a 429 slows down still."""
    client, root = redis_of(old), root_of(old)
    before = {name.decode(): float(v) for name, v in client.hgetall(f"{root}:pace").items()}
    moments = [float(moment) for moment in client.lrange(f"{root}:recent", 0, -1)]
    Migration(connection_of(old)).run()
    clock.ms = before["tat"] - 40
    pace = old.limiter.pace()
    assert pace.next_slot == pytest.approx(0.04, abs=0.001)
    assert pace.rate is not None
    assert pace.working_rate is not None
    recovered = (clock() - before["since"]) / 600_000
    assert pace.working_rate / pace.rate == pytest.approx(min(1, before["fraction"] + recovered))
    clock.ms = moments[-1]
    lately = sum(moment > clock.ms - 1000 for moment in moments)
    assert old.limiter.recent_requests(pace.rate) == lately > 0


def test_ended_jobs_are_forgotten_with_all_their_traces(old: Store, clock: Clock) -> None:
    Migration(connection_of(old)).run()
    live = sum(sum(old.search.counts()[state].values()) for state in LIVE)
    clock.forward(400 * 86_400)
    old.retention.forget_older(clock() - 86_400_000)
    found = snapshot(old)
    assert_sound(found)
    jobs = records(found).keys()
    assert len(jobs) == live
    for name, members in found.items():
        if name.startswith("by_tag:"):
            assert members.keys() <= jobs
        elif name.startswith("by_call:"):
            assert set(members.values()) <= jobs


def test_the_same_key_is_the_same_job(migrated: Store) -> None:
    """Ids come from keys: what was enqueued before the migration is not enqueued again."""
    before = next(job for job in migrated.search.find(Filter(tag="monitoring")) if job.key)
    told = job_as_before(before)
    assert migrated.jobs.get(before.id).key == told["key"]
    assert before.id == job_id(before.key)


# -- how it is driven ----------------------------------------------------------------------------


def standing(store: Store) -> list[tuple[State, str]]:
    return [(state, reason) for state in LIVE for reason in store.search.counts()[state]]


def in_line(store: Store) -> set[str]:
    """Return the jobs that a take may come to."""
    found = snapshot(store)
    return {id_ for name in found if name.startswith("ready:") for id_ in found[name]}


def let_everything_go(store: Store) -> None:
    """End all that holds calls back, and pay."""
    for hold in store.holds.all():
        store.holds.end(hold.name)
    for limit in list(store.spending.limits()):
        if limit.scope != "account":
            store.spending.clear(limit.scope)
    right = store.budget.take_check(lease=60, now=True)
    assert right is not None
    store.budget.note_balance(Decimal(1_000_000), right, 300)
    (action,) = store.bulk.take()
    store.bulk.advance(action, 200)
    store.bulk.stop(action, actor="ann")


def work(store: Store, clock: Clock) -> None:
    """Do what time and workers do, until nothing more can be done now."""
    store.calls.rescue(window=60)
    for id_ in store.calls.take_due(State.UNCERTAIN, most=1000):
        end(store, id_, GIVEN_UP)
    for id_ in store.calls.take_due(State.IN_PROGRESS, most=1000):
        end(store, id_, ANSWERED)
    while store.queue.pump().most or store.queue.pump().most:
        while dial(store, clock):
            pass
    while dial(store, clock):
        pass


def end(store: Store, id_: str, decision: Decision) -> None:
    attempt = store.jobs.get(id_).attempt
    assert attempt is not None
    store.calls.settle(id_, attempt.number, decision)


def dial(store: Store, clock: Clock) -> bool:
    """Dial what can be dialled now; return whether there is more in line."""
    taken = store.queue.take(25, token=fresh_token(), lease=60)
    for claim in taken.claims:
        store.calls.settle(claim.job.id, claim.attempt, placed(f"new-{next(NUMBERS)}"))
    for hours in taken.hours:
        now = datetime.fromtimestamp(int(store.now()) / 1000, UTC)
        window = CallingHours.parse(hours.text).window(hours.job.numbers, now)
        store.queue.set_calling_window(hours.job.id, window, "closed", hours.text)
    if taken.day:
        store.spending.begin_day(taken.day)
    waiting = any(store.limiter.pace().ready.values())
    if waiting and taken.again:
        clock.forward(taken.again + 0.001)
    return waiting or bool(taken.hours or taken.day)
