"""The outbox: what is to be told is written once, taken fairly, and kept until it is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dispatcher.model.call import CallRef
from dispatcher.model.states import State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.values import Claim
from dispatcher.store.webhooks import MOST_OUT, OF_ONE_TARGET, RETRY_FOR, Webhook, Webhooks
from support.claims import claim_one
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.webhook_jobs import RECIPIENT, SAY, ended, enqueue, targets

LEASE = 60.0


def waiting(webhooks: Webhooks) -> list[Webhook]:
    return sorted(webhooks.waiting(), key=lambda each: each.sequence)


def tell(store: Store, kind: str, **facts: Any) -> str:
    """Write a notice as the Lua operations do."""
    fields: dict[Any, Any] = {"kind": kind, "facts": json.dumps(facts)}
    id_: Any = redis_of(store).xadd(key_of(store, "events"), fields)
    return str(id_.decode())


def fail(webhooks: Webhooks, id_: str, *, delay: float = 5, pause: float = 0) -> None:
    assert webhooks.claim(id_, LEASE)
    webhooks.settle(id_, "again", delay=delay, pause=pause, error="it answered 500")


# -- what is written ----------------------------------------------------------------------------


def test_without_a_target_nothing_is_written(store: Store, webhooks: Webhooks) -> None:
    ended(store)
    assert not waiting(webhooks)
    assert not redis_of(store).keys(key_of(store, "delivery", "*"))


def test_each_end_is_one_event_for_each_target(store: Store, webhooks: Webhooks) -> None:
    targets(store, 2)
    id_ = ended(store)
    first, second = waiting(webhooks)
    assert first.event == second.event
    assert {first.target, second.target} == {"1", "2"}
    assert first.type == "job.cancelled"
    assert first.job is not None
    assert (first.job.id, first.job.state) == (id_, State.CANCELLED)


def test_ends_only_unless_every_change_is_asked_for(store: Store, webhooks: Webhooks) -> None:
    targets(store)
    id_ = enqueue(store)
    assert isinstance(claim_one(store, id_, token="t", lease=30), Claim)
    assert not waiting(webhooks)
    targets(store, every=True)
    store.calls.settle(id_, 1, Decision(State.IN_PROGRESS, "placed", "", call=CallRef(("c1",))))
    ended(store)
    told = [each.type for each in waiting(webhooks)]
    assert told == ["job.in_progress", "job.queued", "job.cancelled"]


def test_a_jobs_own_target_is_told_and_no_other(store: Store, webhooks: Webhooks) -> None:
    url = "https://receiver.example:8443/told/" + "a" * 200
    ended(store, webhook=url)
    (own,) = waiting(webhooks)
    assert (own.target, own.line, own.own_url) == ("job", "https://receiver.example:8443", url)


def test_a_job_that_is_dialled_again_is_another_event(store: Store, webhooks: Webhooks) -> None:
    targets(store)
    id_ = ended(store)
    store.jobs.retry(id_, actor="cli:sam")
    store.jobs.cancel(id_, actor="cli:sam")
    first, second = waiting(webhooks)
    assert first.event != second.event
    assert first.sequence < second.sequence
    assert first.job is not None
    assert len(first.job.timeline) == 2  # as it was then


def test_a_job_made_anew_for_its_key_is_another_event(
    store: Store, webhooks: Webhooks, clock: Clock
) -> None:
    targets(store)
    id_ = ended(store, key="alert-1")
    clock.forward(1)
    store.jobs.purge(id_, clock.ms)
    assert ended(store, key="alert-1") == id_
    first, second = waiting(webhooks)
    assert first.event != second.event


def test_the_snapshot_outlives_the_job(store: Store, webhooks: Webhooks, clock: Clock) -> None:
    targets(store)
    id_ = ended(store, say=SAY * 20)
    clock.forward(1)
    assert store.jobs.purge(id_, clock.ms)
    (told,) = waiting(webhooks)
    assert told.job is not None
    assert (told.job.say, told.job.numbers) == (SAY * 20, (RECIPIENT,))


def test_what_happens_to_the_account_is_told_once(store: Store, webhooks: Webhooks) -> None:
    targets(store, 2)
    notice = tell(store, "credit.low", credits=60)
    assert webhooks.take_events() == 1
    assert webhooks.take_events() == 0
    first, second = waiting(webhooks)
    assert first.event == second.event == f"msg_notice-{notice}"
    assert (first.type, json.loads(first.facts), first.job) == ("credit.low", {"credits": 60}, None)


def test_a_gate_that_closes_and_opens_is_told(store: Store, webhooks: Webhooks) -> None:
    targets(store)
    store.holds.start("auth", "the provider refuses the credentials")
    store.holds.end("auth")
    webhooks.take_events()
    closed, opened = waiting(webhooks)
    assert (closed.type, opened.type) == ("hold.started", "hold.ended")
    assert json.loads(closed.facts)["hold"] == "auth"


def test_what_happened_before_there_was_a_target_is_not_told(
    store: Store, webhooks: Webhooks
) -> None:
    tell(store, "credit.low")
    webhooks.take_events()
    targets(store)
    tell(store, "hold.started")
    webhooks.take_events()
    assert [each.type for each in waiting(webhooks)] == ["hold.started"]


# -- what is taken ------------------------------------------------------------------------------


def test_a_webhook_is_taken_once_and_again_where_its_message_is_lost(
    store: Store, webhooks: Webhooks, clock: Clock
) -> None:
    targets(store)
    ended(store)
    (id_,) = webhooks.take(LEASE)
    assert webhooks.take(LEASE) == []
    clock.forward(LEASE)
    assert webhooks.claim(id_, LEASE) is None  # too late: another message is about to come
    assert webhooks.take(LEASE) == [id_]


def test_a_doubled_message_sends_nothing(store: Store, webhooks: Webhooks) -> None:
    targets(store)
    ended(store)
    (id_,) = webhooks.take(LEASE)
    assert webhooks.claim(id_, LEASE) is not None
    assert webhooks.claim(id_, LEASE) is None


def test_what_a_killed_process_had_taken_up_comes_again_as_the_same_event(
    store: Store, webhooks: Webhooks, clock: Clock
) -> None:
    targets(store)
    ended(store)
    (id_,) = webhooks.take(LEASE)
    first = webhooks.claim(id_, LEASE)
    clock.forward(LEASE)
    assert webhooks.take(LEASE) == [id_]
    again = webhooks.claim(id_, LEASE)
    assert first
    assert again
    assert (first.event, first.record) == (again.event, again.record)


def test_a_delivered_one_is_gone(store: Store, webhooks: Webhooks) -> None:
    targets(store)
    ended(store)
    (id_,) = webhooks.take(LEASE)
    webhooks.claim(id_, LEASE)
    assert webhooks.settle(id_, "done")
    assert not webhooks.settle(id_, "done")
    assert webhooks.counts() == {"waiting": 0, "dead": 0}
    assert not redis_of(store).keys(key_of(store, "delivery", "*"))


def test_one_target_has_few_under_way_and_the_next_goes_at_once(
    store: Store, webhooks: Webhooks
) -> None:
    targets(store)
    for _ in range(OF_ONE_TARGET + 2):
        ended(store)
    taken = webhooks.take(LEASE)
    assert len(taken) == OF_ONE_TARGET
    assert webhooks.take(LEASE) == []
    webhooks.claim(taken[0], LEASE)
    webhooks.settle(taken[0], "done")
    assert len(webhooks.take(LEASE)) == 1


def test_a_backlog_of_one_target_keeps_no_other_waiting(store: Store, webhooks: Webhooks) -> None:
    for _ in range(100):
        ended(store, webhook="https://slow.example/")
    ended(store, webhook="https://quick.example/")
    taken = webhooks.take(LEASE)
    assert len(taken) == OF_ONE_TARGET + 1
    (quick,) = (each for each in webhooks.waiting() if each.line == "https://quick.example")
    assert quick.id in taken


def test_however_many_targets_the_queue_stays_short(
    store: Store, webhooks: Webhooks, clock: Clock
) -> None:
    for number in range(MOST_OUT + 20):
        ended(store, webhook=f"https://r{number}.example/")
    taken = {*webhooks.take(LEASE), *webhooks.take(LEASE)}
    assert len(taken) == MOST_OUT
    assert webhooks.take(LEASE) == []
    for id_ in list(taken)[:20]:
        webhooks.claim(id_, LEASE)
    assert len(webhooks.take(LEASE)) == 20
    clock.forward(LEASE)
    assert len({*webhooks.take(LEASE), *webhooks.take(LEASE)}) == MOST_OUT


@pytest.mark.parametrize("how", ["fails", "is slow"])
def test_a_target_that_fails_or_is_slow_is_asked_one_at_a_time(
    store: Store, webhooks: Webhooks, clock: Clock, how: str
) -> None:
    targets(store)
    for _ in range(10):
        ended(store)
    for id_ in webhooks.take(LEASE):
        if how == "fails":
            fail(webhooks, id_, delay=100)
        else:
            webhooks.claim(id_, LEASE)
            webhooks.settle(id_, "done", slow=True)
    assert len(webhooks.take(LEASE)) == 1


def test_a_target_is_left_alone_for_its_pause(
    store: Store, webhooks: Webhooks, clock: Clock
) -> None:
    targets(store)
    ended(store)
    ended(store)
    first, second = webhooks.take(LEASE)
    fail(webhooks, first, pause=30)
    fail(webhooks, second, pause=30)
    clock.forward(29)
    assert webhooks.take(LEASE) == []
    clock.forward(1)
    assert len(webhooks.take(LEASE)) == 1


def test_a_success_ends_the_pause(store: Store, webhooks: Webhooks) -> None:
    targets(store)
    for _ in range(6):
        ended(store)
    first, second, *_ = webhooks.take(LEASE)
    fail(webhooks, first, pause=30)
    webhooks.claim(second, LEASE)
    webhooks.settle(second, "done")
    assert len(webhooks.take(LEASE)) == OF_ONE_TARGET - 2


def test_what_a_dead_target_is_not_even_asked_to_take_dies_of_age(
    store: Store, webhooks: Webhooks, clock: Clock
) -> None:
    targets(store)
    for _ in range(50):
        ended(store)
    fail(webhooks, webhooks.take(LEASE)[0], pause=300)
    for _ in range(int(RETRY_FOR / 300) + 1):
        clock.forward(300)
        for id_ in webhooks.take(LEASE):
            fail(webhooks, id_, delay=3600, pause=300)
    clock.forward(3600)
    webhooks.take(LEASE)
    assert webhooks.counts() == {"waiting": 0, "dead": 50}
    assert all("failed all the time" in each.error or each.tries for each in webhooks.dead())


# -- what people do -----------------------------------------------------------------------------


def test_a_given_up_one_is_tried_again_as_the_same_event(
    store: Store, webhooks: Webhooks, clock: Clock
) -> None:
    targets(store)
    ended(store)
    (id_,) = webhooks.take(LEASE)
    claimed = webhooks.claim(id_, LEASE)
    webhooks.settle(id_, "dead", error="it answered 410")
    (dead,) = webhooks.dead()
    assert (dead.id, dead.tries, dead.error) == (id_, 1, "it answered 410")
    clock.forward(3 * RETRY_FOR)
    assert webhooks.take(LEASE) == []
    assert webhooks.retry(id_) == "again"
    assert webhooks.take(LEASE) == [id_]
    again = webhooks.claim(id_, LEASE)
    assert claimed
    assert again
    assert (again.event, again.tries, again.since) == (claimed.event, 0, clock.ms)
    assert webhooks.retry(id_) == "waits"
    assert webhooks.retry("msg_x:1") == "gone"


def test_retention_forgets_the_dead_and_what_nobody_sends(
    store: Store, webhooks: Webhooks, clock: Clock
) -> None:
    targets(store)
    ended(store)
    (id_,) = webhooks.take(LEASE)
    webhooks.claim(id_, LEASE)
    webhooks.settle(id_, "dead", error="it answered 410")
    ended(store)
    clock.forward(100)
    ended(store)
    assert webhooks.purge(clock.ms - 50_000) == 2
    assert webhooks.counts() == {"waiting": 1, "dead": 0}
    assert len(redis_of(store).keys(key_of(store, "delivery", "*"))) == 1


def test_a_record_deleted_by_hand_stops_nothing(store: Store, webhooks: Webhooks) -> None:
    targets(store)
    ended(store)
    redis_of(store).delete(key_of(store, "delivery", waiting(webhooks)[0].id))
    ended(store)
    (id_,) = webhooks.take(LEASE)
    assert webhooks.claim(id_, LEASE)
