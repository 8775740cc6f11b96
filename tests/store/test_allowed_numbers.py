"""Whom the account calls, by its settings: at the door, and again right before a dial."""

from __future__ import annotations

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.invalid_job import NumberRefused
from dispatcher.model.number_type import NumberType
from dispatcher.model.states import State
from dispatcher.store import Store, packing
from support.claims import claim_one
from support.redis_inside import key_of, redis_of
from support.store_jobs import claim, enqueue, request

JAPAN = AccountConfig(countries=frozenset({"JP"}))
TYPES = {
    "+979123456789": "premium",
    "+81990504123": "premium",
    "+449098790000": "premium",
    "+447012345678": "personal",
    "+447640123456": "pager",
    "+4918012345": "shared_cost",
    "+81570064556": "universal",
    "+881612345678": "satellite",
    "+882165123456": "satellite",
    "+883510001234567": "satellite",
    "+870773111632": "satellite",
}
JAMAICA, SOMALIA = "+18765551234", "+252612345678"


@pytest.mark.parametrize(("number", "type_"), TYPES.items())
def test_a_number_of_a_risky_type_is_refused_before_anything_is_written(
    store: Store, number: str, type_: str
) -> None:
    with pytest.raises(NumberRefused) as caught:
        enqueue(store, recipient=number)
    ((field, message),) = caught.value.problems
    assert field == "recipient"
    assert f"does not call {type_} numbers" in message
    assert "DISPATCHER_ALLOWED_NUMBER_TYPES" in message
    assert number not in message
    assert not redis_of(store).keys(f"{key_of(store, 'job', '*')}")


@pytest.mark.parametrize(("number", "code"), [(JAMAICA, "JM"), (SOMALIA, "SO")])
def test_a_country_that_the_account_does_not_call_is_refused(
    store: Store, number: str, code: str
) -> None:
    store.limiter.publish(JAPAN)
    with pytest.raises(NumberRefused, match=f"does not call numbers of {code}"):
        enqueue(store, recipient=number)
    assert claim(store, enqueue(store)).attempt == 1


def test_one_number_of_a_conference_is_enough(store: Store) -> None:
    store.limiter.publish(JAPAN)
    conference = {"say": None, "recipient": None, "participants": ("+818011234567", SOMALIA)}
    with pytest.raises(NumberRefused, match="numbers of SO"):
        store.jobs.enqueue(request(**conference))


def test_a_type_that_is_allowed_is_called(store: Store) -> None:
    store.limiter.publish(AccountConfig(number_types=frozenset({NumberType.SATELLITE})))
    assert claim(store, enqueue(store, recipient="+881612345678")).attempt == 1
    with pytest.raises(NumberRefused, match="premium numbers"):
        enqueue(store, recipient="+979123456789")


def test_a_setting_that_was_tightened_holds_for_jobs_that_wait(store: Store) -> None:
    store.limiter.publish(AccountConfig(number_types=frozenset(NumberType)))
    ids = {code: enqueue(store, recipient=number) for code, number in [("SO", SOMALIA)]}
    ids |= {type_: enqueue(store, recipient=number) for number, type_ in TYPES.items()}
    store.limiter.publish(AccountConfig(blocked=frozenset({"SO"})))
    for what, id_ in ids.items():
        assert claim_one(store, id_, token="t", lease=30) is State.FAILED
        job = store.jobs.get(id_)
        assert (job.reason, job.attempts) == ("not_allowed", ())
        assert what in job.timeline[-1].why


def test_what_was_accepted_before_is_told_again_and_called_no_more(store: Store) -> None:
    first = store.jobs.enqueue(request(key="k"))
    store.limiter.publish(AccountConfig(blocked=frozenset({"JP"})))
    assert store.jobs.enqueue(request(key="k")).id == first.id
    assert claim_one(store, first.id, token="t", lease=30) is State.FAILED


def test_a_dry_run_says_what_the_account_does_not_call(store: Store) -> None:
    store.limiter.publish(JAPAN)
    rows = [
        packing.packed(request(recipient=n)) for n in (JAMAICA, "+81990504123", "+818011234567")
    ]
    answers = ["country:JM", "type:premium", "new"]
    assert store.jobs.find_existing(rows) == answers
    assert store.jobs.enqueue_packed(rows) == answers
