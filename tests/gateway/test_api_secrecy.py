"""What a key must not learn: numbers that people wrote, others' jobs, and what is ours to mend."""

from __future__ import annotations

import pytest

from dispatcher.model.api_key import Scope
from dispatcher.model.key_rights import KeyRights
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable, StoreUnsuitable
from dispatcher.store.values import Refused, job_id
from support.api_client import NUMBER, SAY, Client, client
from support.gateway_process import Gateway, problem
from support.redis_inside import key_of, redis_of
from workers.gateway import problems


def test_numbers_in_tags_are_masked_for_who_sees_masks(
    billing: Client, dashboard: Client, ops: Client
) -> None:
    made = billing.call(tags=[f"customer:{NUMBER}", "db1"])
    assert made["tags"] == [f"customer:{NUMBER}", "db1"]
    path = f"/v1/jobs/{made['id']}"
    for answer in (dashboard.get(path), dashboard.get("/v1/jobs"), ops.get(path)):
        assert NUMBER not in answer.text
        assert "db1" in answer.text
    assert NUMBER in ops.get(f"{path}?unmask=true").text


def test_nobody_is_shown_a_code_and_errors_do_not_repeat_it(
    billing: Client, dashboard: Client, ops: Client
) -> None:
    made = billing.call(say=None, code="276983", priority="normal")
    assert made["code"] == "hidden"
    path = f"/v1/jobs/{made['id']}"
    for answer in (billing.get(path), dashboard.get(path), ops.get(f"{path}?unmask=true")):
        assert answer.ok
        assert "276983" not in answer.text
    for wrong in ("27698A", 276983):
        refused = billing.post("/v1/jobs", {"recipient": NUMBER, "code": wrong})
        assert problem(refused, 422)["errors"][0]["field"] == "code"
        assert "27698" not in refused.text


def test_a_code_is_urgent_which_is_a_right(gateway: Gateway, store: Store) -> None:
    safe = client(gateway, store, "safe", Scope.ENQUEUE, rights=KeyRights())
    refused = safe.post("/v1/jobs", {"recipient": NUMBER, "code": "276983"})
    assert problem(refused, 403)
    assert "--priority urgent" in refused.text
    assert safe.call(say=None, code="276983", priority="normal")["priority"] == "normal"


def test_who_sees_masks_cannot_find_a_number_in_a_tag_out_by_searching(
    billing: Client, dashboard: Client, ops: Client
) -> None:
    billing.call(tags=[f"customer:{NUMBER}", "db1"])
    query = {"tag": f"customer:{NUMBER}"}
    found = problem(dashboard.get("/v1/jobs", params=query), 422)
    assert found["errors"][0]["field"] == "tag"
    for one, asked in ((dashboard, {"tag": "db1"}), (ops, query), (billing, query)):
        assert len(one.get("/v1/jobs", params=asked).json()["jobs"]) == 1


def test_a_name_alone_shows_nothing_whole(gateway: Gateway, store: Store, billing: Client) -> None:
    """A key of the same client that only reads may go to whoever watches."""
    id_ = billing.call()["id"]
    watching = client(gateway, store, "billing", Scope.READ)
    for answer in (watching.get(f"/v1/jobs/{id_}"), watching.get("/v1/jobs")):
        assert "+8180****0001" in answer.text
        assert NUMBER not in answer.text
        assert SAY["say"] not in answer.text


def test_numbers_in_what_an_action_means_and_why_are_masked(
    billing: Client, ops: Client, dashboard: Client
) -> None:
    billing.call(tags=[f"customer:{NUMBER}"])
    seen = ops.post("/v1/cancel", {"filter": {"tag": f"customer:{NUMBER}"}})
    assert seen.json()["selected"] == 1
    id_ = seen.json()["id"]
    body = {"preview": False, "id": id_, "note": f"{NUMBER} asked us not to call"}
    for answer in (seen, ops.post("/v1/cancel", body), dashboard.get(f"/v1/actions/{id_}")):
        assert answer.ok
        assert NUMBER not in answer.text
    assert "asked us not to call" in answer.text


def test_a_number_that_was_given_for_an_id_is_not_told_again(ops: Client) -> None:
    seen = ops.post("/v1/cancel", {"ids": [NUMBER, "x" * 5000]})
    assert seen.json()["excluded"][0]["count"] == 2
    told = ops.get(f"/v1/actions/{seen.json()['id']}")
    for answer in (seen, told):
        assert NUMBER not in answer.text
        assert len(answer.text) < 1000


@pytest.mark.parametrize("query", ["", "?unmask=true", "?wait=1", "?wait=1&unmask=true"])
def test_nobody_finds_out_whether_anothers_key_was_used(
    gateway: Gateway, store: Store, billing: Client, query: str
) -> None:
    """An id comes of the client's name and its key, so that whoever guesses both has it."""
    billing.call(key="alert-8812")
    other = client(gateway, store, "nosy", Scope.ENQUEUE)
    used, unused = (
        other.get(f"/v1/jobs/{job_id(key, 'billing')}{query}") for key in ("alert-8812", "x")
    )
    assert used.status_code == unused.status_code
    assert {**used.json(), "detail": ""} == {**unused.json(), "detail": ""}


def test_what_is_wrong_with_redis_is_no_fault_of_the_request(billing: Client, store: Store) -> None:
    """A client that is told 400 gives the call up."""
    redis_of(store).set(key_of(store, "states"), "of another program")
    found = problem(billing.post("/v1/jobs", SAY), 503)
    assert "doctor" in found["remedy"]


def test_no_error_of_ours_shows_a_number() -> None:
    found = problems.members(problems.of(Refused(f"{NUMBER} is being called")))
    assert found["detail"] == "+8180****0001 is being called"


def test_where_redis_is_and_what_it_said_is_for_our_log_alone() -> None:
    away = Store.from_url("redis://127.0.0.1:1/0")
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1") as told:
        away.server.ping()
    found = problems.members(problems.of(told.value))
    assert found["detail"] == "Redis cannot be reached: start it, or correct its address"
    found = problems.members(problems.of(StoreUnsuitable("Redis refused an operation: {vd}:gates")))
    assert found["detail"] == "Redis refused an operation"
