"""Whether callbacks are seen to arrive, and what silence is worth where they are not."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from itertools import count

import pytest

from dispatcher.model.callbacks_seen import ENOUGH, CallbacksSeen
from dispatcher.model.outcome import Outcome
from dispatcher.model.states import OnUncertain, State
from dispatcher.policy import after_report
from dispatcher.provider import AnswerLost
from dispatcher.store import Store
from dispatcher.store.callbacks import Callback
from dispatcher.values.callback_urls import CallbackUrls, Signer
from support.clock import Clock
from support.reports import ended
from support.store_jobs import POLICY, claim, enqueue, in_progress, refused
from workers.engine.apply_callbacks import ApplyReports
from workers.engine.callback_test import AGAIN, EVERY, CallbackTest
from workers.engine.ticks import Rescue

REPORTED = replace(POLICY, reported=True)
LOST = AnswerLost("the connection was cut")
URLS = CallbackUrls("http://127.0.0.1:1", Signer(["k" * 16]), 3600)
AGAIN_DUE = 60  # seconds after which a job that could not be decided comes again
_CALLIDS = (f"call-{number}" for number in count())


def checked(store: Store, *, id_: str = "") -> None:
    """Have a status check find a call over."""
    id_ = id_ or in_progress(store, next(_CALLIDS))
    decision = after_report(ended("ANSWERED", Decimal(7), 12), store.jobs.get(id_), POLICY)
    assert decision is not None
    store.calls.settle(id_, 1, decision, actor="reconcile", callback="due")


def called_back(store: Store, *, confirm: bool = False) -> str:
    """Have a callback come for a call, and applied; return its job."""
    id_, callid = in_progress(store, each := next(_CALLIDS)), each
    store.callbacks.receive([Callback(id_, 1, callid, "ANSWERED", Outcome.ANSWERED)], {})
    ApplyReports(store, store.callbacks, REPORTED, confirm)()
    return id_


def after_a_lost_answer(store: Store, clock: Clock) -> State:
    """Return what becomes of a job whose answer is lost, when its evidence window is over."""
    id_ = enqueue(store)
    store.calls.settle(id_, 1, refused(LOST, claim(store, id_).job))
    clock.forward(REPORTED.evidence_window)
    Rescue(store, REPORTED)()
    return store.jobs.get(id_).state


def told(store: Store) -> list[dict[str, object]]:
    return [each.facts for each in store.events.after() if each.kind == "callbacks.missing"]


def test_calls_that_end_without_a_callback_make_silence_worthless_at_once(
    store: Store, clock: Clock
) -> None:
    """However lately the last callback came: a public URL that breaks is not noticed late."""
    called_back(store)
    for _ in range(ENOUGH - 1):
        checked(store)
    assert (after_a_lost_answer(store, clock), told(store)) == (State.QUEUED, [])
    checked(store)
    assert after_a_lost_answer(store, clock) is State.FAILED
    (event,) = told(store)
    assert event["calls"] == ENOUGH


def test_it_is_told_once_until_a_callback_comes(store: Store, clock: Clock) -> None:
    for _ in range(2 * ENOUGH):
        checked(store)
    assert len(told(store)) == 1
    called_back(store)
    assert store.callbacks.seen().missing == 0
    assert after_a_lost_answer(store, clock) is State.QUEUED
    for _ in range(ENOUGH):
        checked(store)
    assert len(told(store)) == 2


def test_checks_that_confirm_a_callback_are_none_without_one(store: Store) -> None:
    """Many callbacks come at once, and only then their checks, one after the other."""
    for id_ in [called_back(store, confirm=True) for _ in range(ENOUGH)]:
        checked(store, id_=id_)
    assert store.callbacks.seen().missing == 0
    assert store.statistics.counters().get("calls_without_callback", 0) == 0


def test_a_lost_answer_that_a_callback_brings_home_to_be_confirmed_is_not_missing_either(
    store: Store,
) -> None:
    id_ = enqueue(store)
    store.calls.settle(id_, 1, refused(LOST, claim(store, id_).job))
    report = Callback(id_, 1, next(_CALLIDS), "ANSWERED", Outcome.ANSWERED)
    store.callbacks.receive([report], {})
    ApplyReports(store, store.callbacks, REPORTED, confirm=True)()
    checked(store, id_=id_)
    assert store.callbacks.seen().missing == 0


def test_a_callback_that_comes_after_the_check_shows_that_they_arrive(store: Store) -> None:
    for _ in range(ENOUGH):
        id_ = in_progress(store, callid := next(_CALLIDS))
        checked(store, id_=id_)
    store.callbacks.receive([Callback(id_, 1, callid, "ANSWERED", Outcome.ANSWERED)], {})
    assert store.callbacks.seen().missing == 0


# -- a way that closes just when answers are lost -----------------------------------------


def lose(store: Store, calls: int) -> list[str]:
    """Have so many answers lost; return the jobs."""
    ids = [enqueue(store) for _ in range(calls)]
    for id_ in ids:
        store.calls.settle(id_, 1, refused(LOST, claim(store, id_).job))
    return ids


def after(seconds: float, ids: list[str], store: Store, clock: Clock) -> Counter[State]:
    """Return the states of jobs when so many seconds have passed."""
    clock.forward(seconds)
    Rescue(store, REPORTED)()
    return Counter(store.jobs.get(id_).state for id_ in ids)


def test_a_few_are_dialled_again_and_the_others_wait_for_a_callback(
    store: Store, clock: Clock
) -> None:
    called_back(store)
    clock.forward(1)
    ids = lose(store, 8)
    few = {State.QUEUED: ENOUGH, State.UNCERTAIN: 8 - ENOUGH}
    assert after(REPORTED.evidence_window, ids, store, clock) == few
    assert after(AGAIN_DUE, ids, store, clock) == few
    called_back(store)
    assert after(AGAIN_DUE, ids, store, clock) == {State.QUEUED: 8}


def test_where_no_callback_comes_a_person_decides_about_the_others(
    store: Store, clock: Clock
) -> None:
    """Not about those dialled again alone: theirs may be lost as well."""
    called_back(store)
    clock.forward(1)
    ids = lose(store, 8)
    after(REPORTED.evidence_window, ids, store, clock)
    again = [id_ for id_ in ids if store.jobs.get(id_).state is State.QUEUED]
    for id_ in again:
        store.calls.settle(id_, 2, refused(LOST, claim(store, id_).job))
    few = {State.UNCERTAIN: ENOUGH, State.FAILED: 8 - ENOUGH}
    assert after(REPORTED.evidence_window, ids, store, clock) == few
    assert after(REPORTED.evidence_window, ids, store, clock) == {State.FAILED: 8}


def test_a_callback_that_came_since_the_requests_is_enough_for_all(
    store: Store, clock: Clock
) -> None:
    ids = lose(store, 8)
    clock.forward(1)
    called_back(store)
    assert after(REPORTED.evidence_window, ids, store, clock) == {State.QUEUED: 8}


def test_what_is_asked_for_is_done_for_all(store: Store, clock: Clock) -> None:
    called_back(store)
    clock.forward(1)
    ids = lose(store, 8)
    clock.forward(REPORTED.evidence_window)
    Rescue(store, replace(REPORTED, on_uncertain=OnUncertain.REDIAL))()
    assert {store.jobs.get(id_).state for id_ in ids} == {State.QUEUED}
    assert store.callbacks.seen().redialled == 0


def test_where_nobody_is_called_back_nothing_is_missing(store: Store) -> None:
    id_ = in_progress(store, next(_CALLIDS))
    decision = after_report(ended("ANSWERED", Decimal(7), 12), store.jobs.get(id_), POLICY)
    assert decision is not None
    store.calls.settle(id_, 1, decision, actor="reconcile")
    assert store.callbacks.seen() == CallbacksSeen()


# -- a worker's own request ----------------------------------------------------------------


def way(store: Store, *, arrives: bool) -> CallbackTest:
    """Return a test whose request the gateway notes, or which somebody else answers with 200."""

    def send(_: str) -> str:
        if arrives:
            store.callbacks.note_test(passed=True)
        return "it answers 200"

    return CallbackTest(store, URLS, send)


def test_where_no_call_has_ended_a_workers_own_request_shows_that_callbacks_arrive(
    store: Store, clock: Clock
) -> None:
    assert after_a_lost_answer(store, clock) is State.FAILED
    assert way(store, arrives=True)() == {"callback test": "passed"}
    assert after_a_lost_answer(store, clock) is State.QUEUED
    checked(store)  # it does not come by the provider's way
    assert after_a_lost_answer(store, clock) is State.FAILED


def test_an_answer_that_the_gateway_knows_nothing_of_proves_nothing(
    store: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    assert way(store, arrives=False)() == {"callback test": "failed"}
    assert after_a_lost_answer(store, clock) is State.FAILED
    assert "it answers 200" in caplog.text


def test_a_way_that_was_open_and_is_found_closed_makes_silence_worthless(
    store: Store, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    called_back(store)
    way(store, arrives=True)()
    for _ in range(3):
        clock.forward(EVERY)
        way(store, arrives=False)()
    assert after_a_lost_answer(store, clock) is State.FAILED
    assert caplog.text.count("DISPATCHER_PUBLIC_URL") == 1
    called_back(store)
    assert after_a_lost_answer(store, clock) is State.QUEUED


def test_a_way_that_is_never_open_to_workers_says_nothing_of_the_providers(
    store: Store, clock: Clock
) -> None:
    called_back(store)
    clock.forward(1)
    way(store, arrives=False)()
    assert after_a_lost_answer(store, clock) is State.QUEUED


def test_the_way_is_tested_now_and_then(store: Store, clock: Clock) -> None:
    test = way(store, arrives=True)
    assert (test(), test()) == ({"callback test": "passed"}, {})
    clock.forward(EVERY - 1)
    assert test() == {}
    clock.forward(1)
    assert way(store, arrives=False)() == {"callback test": "failed"}
    clock.forward(AGAIN)
    assert test() == {"callback test": "passed"}


def test_without_callbacks_there_is_nothing_to_test(store: Store) -> None:
    assert CallbackTest(store, None)() == {}


def test_a_host_that_is_not_there_is_a_failure_with_its_kind(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    assert CallbackTest(store, URLS)() == {"callback test": "failed"}
    assert "(ConnectionError)" in caplog.text
    assert "/callbacks/" not in caplog.text
