"""What the preview of a bulk action says."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.filters import Filter
from dispatcher.model.states import State
from dispatcher.store import Store
from dispatcher.store.values import Refused
from support.bulk_jobs import FAILED, begun, cancelled, completed, left_out, uncertain, unknown
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.store_jobs import RECIPIENT, enqueue, failed, in_progress, snapshot


def test_a_preview_counts_what_is_left_out_and_why_and_changes_nothing(
    store: Store, clock: Clock
) -> None:
    bad = [failed(store, tags=["t"]) for _ in range(3)]
    nobody_knows = unknown(store, tags=["t"])
    apart = {
        "reached": completed(store, tags=["t"]),
        "cancelled": cancelled(store, tags=["t"]),
        "overdue": failed(store, tags=["t"], expires="60s"),
        "uncertain": uncertain(store, tags=["t"]),
    }
    waiting = {enqueue(store, tags=["t"]), in_progress(store, tags=["t"])}
    failed(store, tags=["other"])
    clock.forward(100)
    before = snapshot(store)
    seen = store.bulk.preview(BulkActionKind.RETRY, Filter(tag="t"))
    assert snapshot(store) == before
    assert set(seen.ids) == {*bad, nobody_knows}
    assert (seen.matched, seen.may_have_been_called) == (10, 1)
    assert left_out(seen) == {
        **{reason: (1, {id_}) for reason, id_ in apart.items()},
        "not_ended": (2, waiting),
    }


def test_what_it_costs_is_what_such_calls_were_learned_to_cost(store: Store) -> None:
    failed(store)
    failed(store, recipient="+14155550123")
    assert store.bulk.preview(BulkActionKind.RETRY, FAILED).credits == Decimal(40)
    learned = {"tts:US": "4 70000 2 140000.0 0", "tts:JP-mobile": "3 200000 3 200000.0 0"}
    redis_of(store).hset(key_of(store, "costs"), mapping=learned)
    seen = store.bulk.preview(BulkActionKind.RETRY, FAILED)
    assert (seen.credits, seen.credits_if_answered) == (Decimal(27), Decimal(34))
    assert store.bulk.preview(BulkActionKind.REACHED, FAILED).credits == 0


def test_credits_are_told_and_written_down_in_hundredths(store: Store) -> None:
    failed(store)
    learned = {"tts:JP-mobile": "3 59999.9 3 59999.9 0"}
    redis_of(store).hset(key_of(store, "costs"), mapping=learned)
    begun(store, BulkActionKind.RETRY, FAILED)
    (entry,) = store.audit.read()
    assert entry.facts["credits"] == 6


def test_the_deadline_that_passed_leaves_out_unless_a_new_one_or_a_name_is_given(
    store: Store, clock: Clock
) -> None:
    late = failed(store, expires="60s", tags=["t"])
    expired = enqueue(store, expires="60s", tags=["t"])
    clock.forward(61)
    store.queue.pump()
    assert store.jobs.get(expired).state is State.EXPIRED
    tagged = Filter(tag="t")
    assert store.bulk.preview(BulkActionKind.RETRY, tagged).ids == ()
    for meant, how in (
        (tagged, {"expires": 600.0}),
        (Filter(states=(State.EXPIRED, State.FAILED)), {}),
        ([late, expired], {}),
    ):
        assert set(store.bulk.preview(BulkActionKind.RETRY, meant, **how).ids) == {late, expired}


def test_cancelled_jobs_are_retried_only_where_they_are_named(store: Store) -> None:
    id_ = cancelled(store)
    assert store.bulk.preview(BulkActionKind.RETRY, Filter()).ids == ()
    assert store.bulk.preview(BulkActionKind.RETRY, Filter(states=(State.CANCELLED,))).ids == (id_,)
    assert store.bulk.preview(BulkActionKind.RETRY, [id_]).ids == (id_,)


def test_each_id_that_is_listed_counts_once_in_its_order(store: Store) -> None:
    one, two = failed(store), failed(store)
    seen = store.bulk.preview(BulkActionKind.RETRY, [two, one, two, "nosuchjob"])
    assert seen.ids == (two, one)
    assert left_out(seen) == {"gone": (1, {"nosuchjob"})}


def test_a_filter_has_the_oldest_first(store: Store, clock: Clock) -> None:
    made = []
    for _ in range(3):
        made.append(failed(store))
        clock.forward(1)
    assert store.bulk.preview(BulkActionKind.RETRY, FAILED).ids == tuple(made)


def test_a_number_that_is_given_for_an_id_is_masked(store: Store) -> None:
    assert store.bulk.preview(BulkActionKind.RETRY, [RECIPIENT]).selection == "job:+8180****4567"
    assert "4567" in str(Filter(recipient=RECIPIENT))
    assert RECIPIENT not in str(Filter(recipient=RECIPIENT))


def test_a_deadline_that_cannot_be_is_refused(store: Store) -> None:
    for span in (0, -5, 367 * 86400):
        with pytest.raises(Refused, match="not between now and 366 days ahead"):
            store.bulk.preview(BulkActionKind.RETRY, FAILED, expires=span)
