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
from dispatcher.store.values import job_id
from dispatcher.values.calling_hours import CallingHours
from support.claims import fresh_token
from support.clock import Clock
from support.kept_store import KEPT
from support.kept_words import job_as_before
from support.redis_inside import connection_of, redis_of
from support.store_books import Books
from support.store_jobs import assert_sound, placed, records, snapshot

ANSWERED = Decision(State.COMPLETED, "answered", "ANSWERED")
GIVEN_UP = Decision(State.FAILED, "maybe_placed", "nothing was heard of it", "outcome_unknown")
NUMBERS = itertools.count(1)


@pytest.fixture
def clock(at_work: Store) -> Clock:
    found = connection_of(at_work)._clock
    assert isinstance(found, Clock)
    return found


def test_all_jobs_come_to_their_end(at_work: Store, clock: Clock) -> None:
    books = Books()
    books.look(snapshot(at_work))
    let_everything_go(at_work)
    for _ in range(100):
        if not any(
            at_work.search.counts()[state].get(reason) for state, reason in standing(at_work)
        ):
            break
        clock.forward(1800)
        work(at_work, clock)
    left = list(at_work.search.find(Filter(states=list(LIVE))))
    assert left == []
    found = snapshot(at_work)
    assert_sound(found)
    books.look(found)
    action = at_work.bulk.recent(1)[0]
    assert action.state == "stopped"
    assert action.done + sum(each.count for each in action.skipped) == 60 + 200
    assert at_work.webhooks.counts()["waiting"] > 0


def test_what_was_sent_to_a_worker_stands_in_line_again(at_work: Store) -> None:
    """0.1.0 sent jobs in messages, of which none is left: the lines alone are looked at now."""
    client = redis_of(at_work)
    sent = {raw.decode() for raw in client.zrange(f"{KEPT}:fed", 0, -1)}
    assert sent
    assert not sent & in_line(at_work)
    at_work.queue.pump()
    assert all(at_work.jobs.get(id_).state is State.QUEUED for id_ in sent)
    assert sent <= in_line(at_work)
    assert_sound(snapshot(at_work))


def test_the_limiter_goes_on_where_it_stood(at_work: Store, clock: Clock) -> None:
    """What was sent before counts against the rate, and a 429 slows down still."""
    client = redis_of(at_work)
    before = {name.decode(): float(v) for name, v in client.hgetall(f"{KEPT}:pace").items()}
    moments = [float(moment) for moment in client.lrange(f"{KEPT}:recent", 0, -1)]
    clock.ms = before["tat"] - 40
    pace = at_work.limiter.pace()
    assert pace.next_slot == pytest.approx(0.04, abs=0.001)
    assert pace.rate is not None
    assert pace.working_rate is not None
    recovered = (clock() - before["since"]) / 600_000
    assert pace.working_rate / pace.rate == pytest.approx(min(1, before["fraction"] + recovered))
    clock.ms = moments[-1]
    lately = sum(moment > clock.ms - 1000 for moment in moments)
    assert at_work.limiter.recent_requests(pace.rate) == lately > 0


def test_ended_jobs_are_forgotten_with_all_their_traces(at_work: Store, clock: Clock) -> None:
    live = sum(sum(at_work.search.counts()[state].values()) for state in LIVE)
    clock.forward(400 * 86_400)
    at_work.retention.forget_older(clock() - 86_400_000)
    found = snapshot(at_work)
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
