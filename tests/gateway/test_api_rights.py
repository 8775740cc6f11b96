"""What a stolen key cannot do: what is risky is refused with 403, which names the right."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.api_key import Scope
from dispatcher.model.key_rights import KeyRights
from dispatcher.model.number_type import NumberType
from dispatcher.store import Store
from support.api_client import NUMBER, SAY, Client, client
from support.gateway_process import Gateway, problem
from support.redis_inside import key_of, redis_of

ALL_TYPES = AccountConfig(number_types=frozenset(NumberType))
RISKY = [
    pytest.param({"recipient": "+979123456789"}, "--number-type premium", id="+979"),
    pytest.param({"recipient": "+81990504123"}, "--number-type premium", id="0990"),
    pytest.param({"recipient": "+449098790000"}, "--number-type premium", id="GB 090"),
    pytest.param({"recipient": "+447012345678"}, "--number-type personal", id="+44 70"),
    pytest.param({"recipient": "+447640123456"}, "--number-type pager", id="pager"),
    pytest.param({"recipient": "+870773111632"}, "--number-type satellite", id="+870"),
    pytest.param({"recipient": "+881612345678"}, "--number-type satellite", id="+881"),
    pytest.param({"recipient": "+882165123456"}, "--number-type satellite", id="+882"),
    pytest.param({"recipient": "+883510001234567"}, "--number-type satellite", id="+883"),
    pytest.param({"caller": "+819011112222"}, "--caller NUMBER", id="caller"),
    pytest.param({"priority": "urgent"}, "--priority urgent", id="urgent"),
    pytest.param({"hours": "any"}, "--hours", id="hours: any"),
    pytest.param({"redial": 49}, "--redials 49", id="redial: 49"),
    pytest.param({"webhook": "https://example.com/x"}, "--webhooks", id="webhook"),
    pytest.param({"params": {"jp_line": "1"}}, "--params", id="params"),
]


@pytest.fixture
def stolen(gateway: Gateway, store: Store) -> Client:
    """A key as `keys create` makes it unless it is told more."""
    return client(gateway, store, "stolen", Scope.ENQUEUE, rights=KeyRights())


def jobs(store: Store) -> int:
    return len(redis_of(store).keys(key_of(store, "job", "*")))


@pytest.mark.parametrize(("fields", "option"), RISKY)
def test_what_is_risky_is_refused_and_the_right_is_named(
    stolen: Client, store: Store, fields: dict[str, Any], option: str
) -> None:
    store.limiter.publish(ALL_TYPES)  # the account would
    told = problem(stolen.post("/v1/jobs", {**SAY, **fields}), 403)
    ((field, fault),) = [(each["field"], each["detail"]) for each in told["errors"]]
    assert field in fields
    assert f"`{option}`" in fault
    assert option in told["remedy"]
    assert "81901111" not in str(told)
    assert jobs(store) == 0


def test_premium_true_is_no_field_any_more(stolen: Client) -> None:
    told = problem(stolen.post("/v1/jobs", {**SAY, "premium": True}), 422)
    assert told["errors"] == [{"field": "premium", "detail": "there is no such option"}]


def test_nobody_calls_as_the_police_with_any_right(billing: Client) -> None:
    told = problem(billing.post("/v1/jobs", {**SAY, "caller": "110"}), 422)
    assert "emergency service" in told["detail"]


@pytest.mark.parametrize(
    ("number", "what"),
    [("+18765551234", "JM"), ("+252612345678", "SO"), ("+979123456789", "001")],
)
def test_no_right_reaches_beyond_what_the_account_calls(
    billing: Client, store: Store, number: str, what: str
) -> None:
    store.limiter.publish(AccountConfig(countries=frozenset({"JP"})))
    told = problem(billing.post("/v1/jobs", {**SAY, "recipient": number}), 403)
    assert f"does not call numbers of {what}" in told["detail"]
    assert "DISPATCHER_ALLOWED_COUNTRIES" in told["detail"]
    assert [each["field"] for each in told["errors"]] == ["recipient"]
    assert jobs(store) == 0


def test_a_key_for_one_country_calls_no_other(gateway: Gateway, store: Store) -> None:
    rights = KeyRights(countries=frozenset({"JP"}))
    only_japan = client(gateway, store, "shop", Scope.ENQUEUE, rights=rights)
    assert only_japan.call()["new"]
    told = problem(only_japan.post("/v1/jobs", {**SAY, "recipient": "+252612345678"}), 403)
    assert "--country SO" in told["detail"]


def test_each_line_of_many_is_judged(stolen: Client, store: Store) -> None:
    store.limiter.publish(ALL_TYPES)
    lines = [
        {**SAY, "key": "a"},
        {**SAY, "key": "b", "priority": "urgent"},
        {**SAY, "key": "c", "recipient": "+979123456789"},
        {**SAY, "key": "d"},
    ]
    answers, summary = stolen.bulk(lines)
    assert [each.get("status") for each in answers] == [None, 403, 403, None]
    assert (summary["accepted"], summary["refused"], jobs(store)) == (2, 2, 2)


def test_the_account_judges_each_line_of_many(billing: Client) -> None:
    lines = [{**SAY, "key": "a"}, {**SAY, "key": "b", "recipient": "+979123456789"}]
    answers, _ = billing.bulk(lines)
    assert [each.get("status") for each in answers] == [None, 403]
    assert "premium numbers" in answers[1]["detail"]


def test_a_key_of_before_may_what_the_account_may(stolen: Client, store: Store) -> None:
    redis_of(store).hdel(key_of(store, "api_key", stolen.key.id), "rights")
    assert stolen.call(priority="urgent", hours="any", redial=49)["recipient"] == NUMBER
    problem(stolen.post("/v1/jobs", {**SAY, "recipient": "+979123456789"}), 403)
