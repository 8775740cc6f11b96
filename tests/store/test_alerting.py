"""From a report to who is called, and until somebody has it: with the store as it is."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from decimal import Decimal

import pytest

from dispatcher.alerts.alerting import Alerting
from dispatcher.alerts.recording import record
from dispatcher.alerts.spoken import HowTo
from dispatcher.alerts.story import story
from dispatcher.model.account_config import AccountConfig
from dispatcher.model.alert import Acknowledgement, AlertReason, AlertState, Severity
from dispatcher.model.alert_change import AlertChange
from dispatcher.model.alert_texts import Texts
from dispatcher.model.do_not_call import Wish
from dispatcher.model.on_call import OnCall
from dispatcher.model.states import OnUncertain, Priority, State
from dispatcher.store import Store
from dispatcher.store.alert_values import AlertRow
from dispatcher.store.holds import PauseScope
from support.alert_chains import ANN, go, jobs_of, publish, rung, waiting
from support.claims import claim_one, take
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.store_alerts import firing, resolved
from support.store_jobs import claim, placed
from workers.engine.alert_watch import AlertWatch

ANN_FIRST = ({"call": ["ann"]}, {"call": ["bob"]}, {"call": ["eve"]})
MINUTE = 60.0


class Nudged:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


@pytest.fixture
def nudged() -> Nudged:
    return Nudged()


@pytest.fixture
def alerting(store: Store, nudged: Nudged) -> Alerting:
    return Alerting(store, nudged, how_to_acknowledge=HowTo(number="+815031960000"))


def lines(store: Store, id_: str) -> list[str]:
    return [line.what for line in store.alerts.get(id_).timeline]


def test_who_is_first_is_called_before_the_report_is_answered(
    store: Store, alerting: Alerting, nudged: Nudged
) -> None:
    publish(store, *ANN_FIRST)
    alert = rung(store, alerting, summary="Disk full on db1")
    ((call, job),) = jobs_of(store, alert.id)
    assert (call.contact, call.round, call.step) == ("ann", 1, 1)
    assert (job.state, job.priority, job.numbers) == (State.QUEUED, Priority.URGENT, (ANN,))
    assert job.on_uncertain is OnUncertain.HOLD  # the chain goes on instead
    assert (job.redial, job.lang) == (0, "en")
    assert "Disk full on" in str(job.say)
    assert "05031960000" in str(job.say).replace(",", "")  # the number that is called back
    assert nudged.times == 1
    assert alert.next_at is not None
    assert alert.next_at - alert.received_at == timedelta(minutes=2)


def test_the_next_is_called_when_nobody_answers_and_nobody_after_an_acknowledgement(
    store: Store, alerting: Alerting
) -> None:
    publish(store, *ANN_FIRST, repeat=3)
    id_ = rung(store, alerting).id
    go(store, id_, "ann", "NO ANSWER")
    assert alerting.advance_due() == 1
    assert waiting(store, id_) == ["bob"]
    go(store, id_, "bob", "NO ANSWER")
    alerting.advance_due()
    go(store, id_, "eve", "ANSWERED")
    alerting.advance_due()
    assert waiting(store, id_) == []
    store.alerts.acknowledge(id_, by="eve", how=Acknowledgement.DIAL_IN)
    assert alerting.advance_due() == 0
    assert [call.contact for call in store.alerts.get(id_).calls] == ["ann", "bob", "eve"]
    said = lines(store, id_)
    assert said[1:7] == [
        "ann is called",
        "ann: no answer",
        "bob is called",
        "bob: no answer",
        "eve is called",
        "eve: answered",
    ]


def test_whose_call_waits_is_not_called_when_it_is_resolved_meanwhile(
    store: Store, alerting: Alerting
) -> None:
    publish(store, *ANN_FIRST)
    id_ = rung(store, alerting).id
    alerting.receive([resolved()], actor="am")
    assert waiting(store, id_) == []
    assert jobs_of(store, id_)[0][1].state is State.CANCELLED
    assert alerting.advance_due() == 0


def test_when_nobody_answers_at_all_it_is_unreached_with_the_reason(
    store: Store, alerting: Alerting
) -> None:
    publish(store, {"call": ["ann"]}, repeat=2)
    id_ = rung(store, alerting).id
    for _ in range(2):
        go(store, id_, "ann", "NO ANSWER")
        alerting.advance_due()
    alert = store.alerts.get(id_)
    assert (alert.state, alert.reason) == (AlertState.UNREACHED, AlertReason.NOBODY_ANSWERED)


def test_an_answer_is_enough_where_the_chain_says_so(store: Store, alerting: Alerting) -> None:
    publish(store, *ANN_FIRST, until="answered")
    id_ = rung(store, alerting).id
    go(store, id_, "ann", "ANSWERED")
    alerting.advance_due()
    alert = store.alerts.get(id_)
    assert (alert.state, alert.acknowledged_by) == (AlertState.ACKNOWLEDGED, "ann")
    assert alert.acknowledged_how is Acknowledgement.ANSWERED


def test_who_answers_has_the_time_to_acknowledge(
    store: Store, alerting: Alerting, clock: Clock
) -> None:
    publish(store, *ANN_FIRST, acknowledge_within="3m")
    id_ = rung(store, alerting).id
    go(store, id_, "ann", "ANSWERED")
    alerting.advance_due()
    clock.forward(3 * MINUTE - 1)
    alerting.advance_due()
    assert waiting(store, id_) == []
    clock.forward(2)
    alerting.advance_due()
    assert waiting(store, id_) == ["bob"]


def test_a_number_on_the_do_not_call_list_is_named_and_the_chain_goes_on_at_once(
    store: Store, alerting: Alerting
) -> None:
    publish(store, *ANN_FIRST)
    store.do_not_call.add([Wish.of(ANN)], actor="test")
    id_ = rung(store, alerting).id
    alerting.advance_due()
    assert waiting(store, id_) == ["bob"]
    assert "ann is not called: ann is on the do-not-call list" in lines(store, id_)
    assert ANN[-4:] not in " ".join(lines(store, id_))


def test_a_number_that_is_put_on_the_list_while_its_call_waits_is_named_as_well(
    store: Store, alerting: Alerting
) -> None:
    publish(store, *ANN_FIRST)
    id_ = rung(store, alerting).id
    store.do_not_call.add([Wish.of(ANN)], actor="test")
    ((_, job),) = jobs_of(store, id_)
    claim_one(store, job.id, token="t", lease=30)
    alerting.advance_due()
    assert waiting(store, id_) == ["bob"]
    assert "ann is not called: the number is on the do-not-call list" in lines(store, id_)


def test_while_calls_are_paused_the_chain_keeps_its_people_and_goes_on_afterwards(
    store: Store, alerting: Alerting, clock: Clock
) -> None:
    publish(store, *ANN_FIRST)
    store.holds.pause(PauseScope(), actor="cli:kim")
    id_ = rung(store, alerting).id
    for _ in range(20):
        clock.forward(MINUTE)
        alerting.advance_due()
    assert waiting(store, id_) == ["ann"]
    assert lines(store, id_)[1].startswith("nobody can be called: paused by cli:kim")
    store.holds.resume(PauseScope(), actor="cli:kim")
    clock.forward(10)
    store.queue.pump(100)
    alerting.advance_due()
    assert waiting(store, id_) == ["ann"]
    go(store, id_, "ann", "NO ANSWER")
    alerting.advance_due()
    assert waiting(store, id_) == ["bob"]


def test_the_call_of_an_alert_tries_whether_the_provider_is_there_again(
    store: Store, alerting: Alerting, clock: Clock
) -> None:
    """Where nothing else waits, a chain that waited for the hold's end would wait for ever."""
    publish(store, *ANN_FIRST)
    store.holds.start("provider_down", "503", refused=True)
    id_ = rung(store, alerting).id
    ((_, job),) = jobs_of(store, id_)
    assert take(store) == []
    assert store.jobs.get(job.id).state is State.HELD
    clock.forward(5)
    check = store.budget.take_check(lease=60, now=True)
    assert check is not None
    store.budget.note_balance(Decimal(1000), check, 300)
    store.queue.pump(100)
    assert take(store) == [job.id]
    go(store, id_, "ann", "NO ANSWER")
    assert store.holds.all() == []
    alerting.advance_due()
    assert waiting(store, id_) == ["bob"]


def test_a_call_that_is_not_over_in_time_keeps_the_chain_no_longer(
    store: Store, alerting: Alerting, clock: Clock
) -> None:
    publish(store, *ANN_FIRST)
    id_ = rung(store, alerting).id
    ((_, job),) = jobs_of(store, id_)
    store.calls.settle(job.id, claim(store, job.id).attempt, placed())
    clock.forward(2 * MINUTE + 1)
    alerting.advance_due()
    assert waiting(store, id_) == ["bob"]
    assert store.jobs.get(job.id).state is State.IN_PROGRESS


def test_a_process_that_dies_after_the_report_leaves_it_to_the_others(
    store: Store, alerting: Alerting
) -> None:
    """What is recorded is due: whoever looks next has somebody called."""
    on_call = publish(store, *ANN_FIRST)
    row = AlertRow(firing(), "database", on_call.chains["database"])
    (made,) = store.alerts.record([row], actor="am")
    assert alerting.advance_due() == 1
    assert waiting(store, made.id) == ["ann"]


def test_calls_are_told_in_the_words_of_the_chains_file(store: Store, alerting: Alerting) -> None:
    on_call = publish(store, *ANN_FIRST)
    own = OnCall.model_validate(
        {**on_call.model_dump(), "texts": {"en": {"alert": "Look out! {what}"}}}
    )
    store.on_call.publish(own, by="test")
    ((_, job),) = jobs_of(store, rung(store, alerting, summary="Disk full").id)
    assert str(job.say).startswith("Look out! Disk full")


def test_two_who_look_at_once_call_once(store: Store) -> None:
    on_call = publish(store, *ANN_FIRST)
    rows = [AlertRow(firing(f"f{n}"), "database", on_call.chains["database"]) for n in range(5)]
    ids = [store.alerts.record([row], actor="am")[0].id for row in rows]
    looks = [Alerting(store, Nudged()) for _ in range(4)]
    threads = [
        threading.Thread(target=lambda at=at: at._advance_all(ids, due=True)) for at in looks
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [waiting(store, id_) for id_ in ids] == [["ann"]] * 5


def test_who_was_called_is_told_that_it_is_over_where_the_chain_says_so(
    store: Store, alerting: Alerting
) -> None:
    publish(store, *ANN_FIRST, tell_resolved=True)
    id_ = rung(store, alerting, summary="Disk full").id
    go(store, id_, "ann", "NO ANSWER")
    alerting.advance_due()
    go(store, id_, "bob", "ANSWERED")
    alerting.advance_due()
    alerting.receive([resolved(summary="Disk full")], actor="am")
    alerting.advance_due()
    assert waiting(store, id_) == ["ann", "bob"]
    assert "Resolved" in str(jobs_of(store, id_)[-2][1].say)
    assert alerting.advance_due() == 0
    assert "bob is told that it is over" in lines(store, id_)


def test_alerts_of_one_body_ring_once_and_the_call_says_how_many(
    store: Store, alerting: Alerting
) -> None:
    publish(store, *ANN_FIRST)
    events = [firing(f"f{n}", severity=Severity.CRITICAL) for n in range(7)]
    made = alerting.receive(events, actor="am")
    (bundle,) = {each.told_by for each in made}
    assert bundle is not None
    ((_, job),) = jobs_of(store, bundle)
    assert "7" in str(job.say)


def test_a_storm_of_single_reports_becomes_one_call(store: Store, alerting: Alerting) -> None:
    publish(store, *ANN_FIRST, storm={"more_than": 3})
    for n in range(60):
        alerting.receive([firing(f"f{n}")], actor="am")
    alerting.advance_due()
    alerts = store.alerts.page(limit=100).alerts
    assert sum(alert.state is AlertState.FOLDED for alert in alerts) == 57
    assert sum(len(alert.calls) for alert in alerts) == 4


def test_people_who_are_gone_and_a_chain_that_changed_do_not_stop_it(
    store: Store, alerting: Alerting
) -> None:
    """The alert keeps the steps with which it began; who is meant by them is as it is now."""
    on_call = publish(store, *ANN_FIRST)
    id_ = rung(store, alerting).id
    contacts = {"eve": on_call.contacts["eve"]}
    store.on_call.publish(on_call.model_copy(update={"contacts": contacts, "chains": {}}), by="me")
    go(store, id_, "ann", "NO ANSWER")
    alerting.advance_due()
    assert waiting(store, id_) == ["eve"]
    assert any("bob is not called: there is no contact" in line for line in lines(store, id_))


def test_where_nobody_is_to_be_called_or_no_route_leads_anywhere(
    store: Store, alerting: Alerting
) -> None:
    nowhere = rung(store, alerting, "f0")
    assert (nowhere.state, nowhere.reason) == (AlertState.UNREACHED, AlertReason.NO_CHAIN)
    publish(store, *ANN_FIRST)
    quiet = rung(store, alerting, "f1", severity=Severity.INFO)
    assert quiet.state is AlertState.NOT_CALLED
    assert not quiet.calls


def test_a_chain_may_be_named_whatever_the_routes_say(store: Store, alerting: Alerting) -> None:
    publish(store, *ANN_FIRST)
    event = firing(severity=Severity.INFO, source="drill")
    (made,) = alerting.receive([event], actor="cli:kim", chain="database")
    assert waiting(store, made.id) == ["ann"]


def test_a_place_that_cannot_be_read_has_the_chain_begin_anew(
    store: Store, alerting: Alerting, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """As a newer release may have written it."""
    publish(store, *ANN_FIRST)
    id_ = rung(store, alerting).id
    alert = store.alerts.get(id_)
    assert store.alerts.advance(id_, alert.version, AlertChange(1, 1, position='{"new":1}'))
    clock.forward(MINUTE + 1)
    alerting.advance_due()
    assert "begins again" in caplog.text
    assert store.alerts.get(id_).position.startswith("{")
    assert waiting(store, id_) == ["ann"]  # and no second call to her while that waits


def test_a_look_that_fails_is_told_once_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    nowhere = Store.from_url("redis://127.0.0.1:1/0")
    watch = AlertWatch(Alerting(nowhere, Nudged()))
    with caplog.at_level(logging.WARNING):
        assert (watch.run_once(), watch.run_once()) == (0, 0)
    assert caplog.text.count("Chains of alerts wait") == 1


def test_calls_say_it_in_words_of_the_users_own(store: Store, alerting: Alerting) -> None:
    on_call = publish(store, *ANN_FIRST)
    texts = {"en": Texts(alert="{severity} at ACME: {what}")}
    store.on_call.publish(on_call.model_copy(update={"texts": texts}), by="test")
    alert = rung(store, alerting, summary="Disk full on db1", severity=Severity.CRITICAL)
    ((_, job),) = jobs_of(store, alert.id)
    assert str(job.say).startswith("Critical alert at ACME: Disk full on db1. To take it over")


def test_who_has_no_language_is_spoken_to_in_that_of_the_account(
    store: Store, alerting: Alerting
) -> None:
    store.limiter.publish(AccountConfig(lang="ja"))
    publish(store, {"call": ["eve"]})
    alert = rung(store, alerting)
    ((_, job),) = jobs_of(store, alert.id)
    assert (job.lang, "です。" in str(job.say)) == ("ja", True)


def test_why_tells_what_comes_next(store: Store, alerting: Alerting) -> None:
    publish(store, {"call": ["ann"]}, {"call": ["bob", "eve"]})
    alert = rung(store, alerting)
    assert story(store, alert.id).because.endswith("then bob and eve are called")
    go(store, alert.id, "ann", "NO ANSWER")
    alerting.advance_due()
    because = story(store, alert.id).because
    for each in ("bob", "eve"):
        assert f"; the call to {each} waits (it is in line: " in because
    assert because.endswith("then nobody is left, and it is unreached")
    for each in ("bob", "eve"):
        go(store, alert.id, each, "NO ANSWER")
    alerting.advance_due()
    assert story(store, alert.id).because == "nobody has it: nobody answered"


@pytest.mark.parametrize("scope", [PauseScope(), PauseScope(priority=Priority.URGENT)])
def test_why_says_that_a_chain_waits_while_nobody_can_be_called(
    store: Store, alerting: Alerting, scope: PauseScope
) -> None:
    publish(store, *ANN_FIRST)
    store.holds.pause(scope, actor="cli:eve", note="maintenance")
    alert = rung(store, alerting)
    because = story(store, alert.id).because
    assert "calls are held, and the chain waits: paused by cli:eve: maintenance" in because
    assert "then" not in because


@pytest.mark.parametrize("there", [True, False])
def test_a_chain_of_another_version_is_taken_as_it_is_now(
    store: Store, alerting: Alerting, *, there: bool
) -> None:
    publish(store, *ANN_FIRST)
    (made,) = record(store, [firing()], actor="am")
    redis_of(store).hset(key_of(store, "alert", made.id), "rules", '{"steps": [], "newer": 1}')
    if not there:
        store.on_call.publish(OnCall.model_validate({}), by="test")
    alerting.advance_due()
    state = AlertState.RINGING if there else AlertState.UNREACHED
    assert store.alerts.get(made.id).state is state
    assert waiting(store, made.id) == (["ann"] if there else [])
