"""Why a job stands where it stands, in a real Redis whose clock is the test's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.call import CallRef
from dispatcher.model.do_not_call import Wish
from dispatcher.model.job import Job
from dispatcher.model.request import JobRequest
from dispatcher.model.states import Priority, Reason, State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.holds import PauseScope
from dispatcher.store.redis_url import connect
from dispatcher.store.values import Claim
from dispatcher.values.calling_hours import Window
from dispatcher.values.rate import Rate
from dispatcher.why import position, why
from support.claims import claim_one
from support.redis_inside import redis_of
from support.reports import ended
from workers.devstack.embedded_server import EmbeddedServer

NUMBER = "+818011234567"
NOW = datetime(2026, 7, 1, 3, tzinfo=UTC)
FREE = AccountConfig(one_at_a_time=False)
ONE_A_SECOND = AccountConfig(rate=Rate(1), margin=0, one_at_a_time=False)
PLACED = Decision(State.IN_PROGRESS, "placed", "", delay=60, call=CallRef(("call-1",)))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path_factory.mktemp("redis"), appendfsync="no") as redis:
        yield redis


@pytest.fixture
def store(server: EmbeddedServer) -> Iterator[Store]:
    client = connect(server.url)
    with client:
        client.flushall()
        store = Store(client, clock=lambda: int(NOW.timestamp() * 1000))
        store.limiter.publish(FREE)
        yield store


def add(store: Store, **fields: Any) -> str:
    return store.jobs.enqueue(JobRequest.of({"recipient": NUMBER, "say": "x", **fields})).id


def claimed(store: Store, **fields: Any) -> str:
    id_ = add(store, **fields)
    assert isinstance(claim_one(store, id_, token=id_, lease=60), Claim)
    return id_


def settled(store: Store, decision: Decision, **fields: Any) -> str:
    id_ = claimed(store, **fields)
    assert store.calls.settle(id_, 1, decision) is decision.to
    return id_


def reason(store: Store, id_: str) -> str:
    return why(store, store.jobs.get(id_)).because


def job(store: Store, id_: str) -> Job:
    return store.jobs.get(id_)


# -- every state ----------------------------------------------------------------------------


def test_a_scheduled_job_says_when_it_is_due(store: Store) -> None:
    assert reason(store, add(store, at="2h")) == ("it is due in 2 h (2026-07-01 05:00:00 UTC)")


def test_a_job_that_was_put_off_says_why(store: Store) -> None:
    off = Decision(State.SCHEDULED, "not_placed", "503: try later", delay=30, spent=True)
    assert reason(store, settled(store, off)).endswith(": 503: try later")


def test_a_later_note_does_not_hide_why_it_was_put_off(store: Store) -> None:
    off = Decision(State.SCHEDULED, "not_placed", "503: try later", delay=30, spent=True)
    id_ = settled(store, off)
    store.jobs.prioritise(id_, Priority.BULK, actor="cli:sam", note="no hurry")
    assert reason(store, id_).endswith(": 503: try later")


def test_a_job_outside_its_calling_hours_says_so(store: Store) -> None:
    id_ = add(store)
    opens = datetime(2026, 7, 1, 23, tzinfo=UTC)

    window = Window(opens, opens + timedelta(hours=13))
    store.queue.set_calling_window(
        id_, window, "outside the calling hours: 08:00-21:00", "08:00-21:00"
    )
    assert reason(store, id_) == (
        "it is due in 20 h (2026-07-01 23:00:00 UTC): outside the calling hours: 08:00-21:00"
    )


def test_a_held_job_says_what_holds_it(store: Store) -> None:
    held = Decision(State.HELD, "held_credit", "Not enough credits", "credit", spent=False)
    id_ = settled(store, held)
    assert reason(store, id_) == "its hold has ended: it is queued when its turn comes"
    store.holds.start("credit", "credit 42, needs 50", refused=True)
    assert reason(store, id_) == "it is held: credit 42, needs 50"


def test_a_job_that_is_being_dialled_says_so(store: Store) -> None:
    assert reason(store, claimed(store)) == "it is being dialled now"


def test_an_uncertain_job_says_when_it_is_decided(store: Store) -> None:
    lost = Decision(State.UNCERTAIN, "maybe_placed", "the answer was lost", delay=300)
    assert reason(store, settled(store, lost)) == (
        "a call may have been placed; decided in 5 min (2026-07-01 03:05:00 UTC):"
        " the answer was lost"
    )


def test_a_call_under_way_says_when_it_is_looked_at(store: Store) -> None:
    assert reason(store, settled(store, PLACED)) == (
        "the call is under way; next status check in 60 s (2026-07-01 03:01:00 UTC)"
    )


def test_a_completed_job_was_answered(store: Store) -> None:
    id_ = settled(store, PLACED)
    store.calls.settle(id_, 1, Decision(State.COMPLETED, "answered", "", report=ended("ANSWERED")))
    assert reason(store, id_) == "it was answered (ANSWERED)"


def test_a_failed_job_says_what_failed(store: Store) -> None:
    vain = Decision(State.FAILED, "no_answer", "NO ANSWER", Reason.NO_ANSWER)
    assert reason(store, settled(store, vain)) == "it has failed: no answer: NO ANSWER"


def test_a_cancelled_job_says_why(store: Store) -> None:
    id_ = add(store)
    store.jobs.cancel(id_, actor="cli:sam", note="false alarm")
    assert reason(store, id_) == "it was cancelled: false alarm"


def test_an_expired_job_says_so(store: Store) -> None:
    id_ = add(store, expires="1m")
    later = Store(redis_of(store), clock=lambda: int(NOW.timestamp() * 1000) + 60_000)
    later.queue.pump()
    assert reason(later, id_) == ("it expired: the deadline passed before it was dialled")


# -- in line --------------------------------------------------------------------------------


def test_the_first_in_line_is_next(store: Store) -> None:
    assert reason(store, add(store)) == "it is in line: it is next; expected now"


def test_without_a_rate_limit_nobody_waits_for_a_slot(store: Store) -> None:
    ids = sorted(add(store) for _ in range(5))  # of one moment: in the order of their ids
    found = why(store, job(store, ids[4])).position
    assert found
    assert (found.before, found.expected_at) == (4, NOW)


def test_the_limit_says_when_a_job_will_have_its_turn(store: Store) -> None:
    store.limiter.publish(ONE_A_SECOND)
    ids = sorted(add(store) for _ in range(4))
    found = [position(store, job(store, id_)) for id_ in ids]
    assert [place.before for place in found if place] == [0, 1, 2, 3]
    assert [place.expected_at - NOW for place in found if place] == [
        timedelta(seconds=n) for n in range(4)
    ]
    assert reason(store, ids[3]) == (
        "it is in line: 3 are before it; expected in 3 s (2026-07-01 03:00:03 UTC)"
    )


def test_a_pause_after_a_429_counts(store: Store) -> None:
    store.limiter.publish(ONE_A_SECOND)
    store.limiter.throttle(30)
    found = position(store, job(store, add(store)))
    assert found
    assert found.expected_at == NOW + timedelta(seconds=30)


def test_the_more_urgent_go_first(store: Store) -> None:
    bulk = add(store, priority="bulk")
    before = position(store, job(store, bulk))
    add(store, priority="urgent")
    add(store)
    after = position(store, job(store, bulk))
    assert before
    assert after
    assert (before.before, after.before) == (0, 2)


def test_campaigns_take_turns_so_a_long_one_is_not_before_a_short_one(store: Store) -> None:
    for _ in range(9):
        add(store, tags=("campaign:long",))
    short = add(store, tags=("campaign:short",))
    found = position(store, job(store, short))
    assert found
    assert found.before <= 1


def test_a_job_that_stands_nowhere_has_no_position(store: Store) -> None:
    assert position(store, job(store, add(store, at="1h"))) is None


# -- pauses ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "stopped"),
    [
        (PauseScope(), [True, True, True]),
        (PauseScope(tag="db1"), [True, False, False]),
        (PauseScope(priority=Priority.BULK), [False, True, False]),
    ],
    ids=str,
)
def test_a_pause_is_why_the_jobs_of_its_scope_wait_and_no_others(
    store: Store, scope: PauseScope, stopped: list[bool]
) -> None:
    ids = [add(store, tags=("db1", "x")), add(store, priority="bulk"), add(store, tags=("db11",))]
    assert store.holds.pause(scope, actor="cli:sam", note="storm")
    held = "it is in line, and calls are held: paused by cli:sam: storm"
    assert [reason(store, id_) == held for id_ in ids] == stopped
    assert [why(store, job(store, id_)).position is None for id_ in ids] == stopped
    assert store.holds.resume(scope, actor="cli:kim")
    assert not any(reason(store, id_) == held for id_ in ids)


def test_who_is_on_the_do_not_call_list_will_not_be_called(store: Store) -> None:
    for id_ in (add(store), add(store, at="1h")):
        store.do_not_call.add([Wish(NUMBER)], actor="cli")
        assert why(store, store.jobs.get(id_)).because.startswith(
            "its number is on the do-not-call"
        )
        store.do_not_call.remove([NUMBER], actor="cli")
        assert "do-not-call" not in why(store, store.jobs.get(id_)).because
