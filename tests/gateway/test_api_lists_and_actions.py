"""Lists, actions on one job and on many, pauses and the audit, over real HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher import Dispatcher
from dispatcher.model.api_key import Scope
from dispatcher.model.states import State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.values import Claim
from support.api_client import NUMBER, Client, client
from support.claims import claim_one
from support.gateway_process import Gateway, problem
from support.redis_inside import redis_of


def fail(store: Store, id_: str, reason: str = "no_answer") -> None:
    made = claim_one(store, id_, token=id_, lease=30)
    assert isinstance(made, Claim)
    why = "nobody answered"
    store.calls.settle(id_, made.attempt, Decision(State.FAILED, reason, why, reason))


def fields(answer: Any) -> list[str]:
    return [error["field"] for error in problem(answer, 422)["errors"]]


# -- lists ---------------------------------------------------------------------------------


def test_a_cursor_leads_through_all_jobs_newest_first(billing: Client, dashboard: Client) -> None:
    ids = [billing.call(key=str(n))["id"] for n in range(7)]
    found, cursor = [], None
    while True:
        query = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = dashboard.get("/v1/jobs", params=query).json()
        found += [job["id"] for job in page["jobs"]]
        cursor = page["cursor"]
        if cursor is None:
            break
        billing.call()  # what comes meanwhile is newer, and changes nothing
    assert set(ids) <= set(found)
    assert [id_ for id_ in found if id_ in ids] == ids[::-1]
    assert len(found) == len(set(found))


def test_a_cursor_names_no_job_and_is_good_for_its_client_alone(
    billing: Client, gateway: Gateway, store: Store
) -> None:
    """The last job that a page looked at may be another client's, and not for this one to know."""
    other = client(gateway, store, "other", Scope.ENQUEUE)
    ids = [other.call()["id"] for _ in range(3)] + [billing.call()["id"] for _ in range(3)]
    cursor = billing.get("/v1/jobs?limit=1").json()["cursor"]
    assert not [id_ for id_ in ids if id_ in cursor]
    assert billing.get("/v1/jobs", params={"cursor": cursor}).status_code == 200
    problem(other.get("/v1/jobs", params={"cursor": cursor}), 422)


def test_all_filters_are_there(billing: Client, ops: Client, store: Store) -> None:
    wanted = billing.call(tags=["db1"])["id"]
    other = billing.call(recipient="+14155550123")["id"]
    fail(store, other)
    found = {
        query: [job["id"] for job in ops.get(f"/v1/jobs?{query}").json()["jobs"]]
        for query in (
            "state=queued",
            "state=queued&state=failed",
            "reason=no_answer",
            "tag=db1",
            "recipient=0001",
            "recipient=%2B14155550123",
            "producer=billing",
            "producer=nobody",
            "since=1h",
            "until=1h",
        )
    }
    both = [other, wanted]
    assert list(found.values()) == [
        [wanted], both, [other], [wanted], [wanted], [other], both, [], both, []
    ]  # fmt: skip


def test_a_client_lists_its_own_jobs_whole(gateway: Gateway, store: Store, billing: Client) -> None:
    other = client(gateway, store, "alerts", Scope.ENQUEUE)
    other.call()
    mine = billing.call()["id"]
    (found,) = billing.get("/v1/jobs").json()["jobs"]
    assert (found["id"], found["recipient"]) == (mine, NUMBER)
    assert "read" in problem(billing.get("/v1/jobs?producer=alerts"), 403)["detail"]


# -- by key --------------------------------------------------------------------------------


def of_key(asking: Client, key: str, **query: str) -> list[str]:
    page = asking.get("/v1/jobs", params={"key": key, **query}).json()
    assert page["cursor"] is None
    return [job["id"] for job in page["jobs"]]


def test_a_client_finds_its_own_job_by_its_key(
    gateway: Gateway, store: Store, billing: Client
) -> None:
    other = client(gateway, store, "alerts", Scope.ENQUEUE)
    mine, theirs = billing.call(key="alert-1")["id"], other.call(key="alert-1")["id"]
    assert mine != theirs
    assert (of_key(billing, "alert-1"), of_key(other, "alert-1")) == ([mine], [theirs])
    (whole,) = billing.get("/v1/jobs?key=alert-1").json()["jobs"]
    assert (whole["key"], whole["recipient"]) == ("alert-1", NUMBER)
    assert of_key(billing, "alert-2") == []
    assert of_key(billing, "alert-1", state="failed") == []


def test_who_sees_all_finds_the_jobs_of_a_key_whoever_asked_for_them(
    gateway: Gateway, store: Store, billing: Client, ops: Client, dashboard: Client
) -> None:
    theirs = client(gateway, store, "alerts", Scope.ENQUEUE).call(key="alert-1")["id"]
    mine = billing.call(key="alert-1")["id"]
    in_python = (
        Dispatcher.from_url(gateway.environment["DISPATCHER_REDIS_URL"])
        .call(NUMBER, say="Hi", key="alert-1")
        .id
    )
    assert of_key(ops, "alert-1") == [in_python, mine, theirs]
    assert of_key(ops, "alert-1", producer="billing") == [mine]
    (masked,) = dashboard.get("/v1/jobs?key=alert-1&producer=billing").json()["jobs"]
    assert masked["recipient"] == "+8180****0001"


def test_who_sees_masks_cannot_find_a_number_out_by_its_key(
    billing: Client, dashboard: Client
) -> None:
    billing.call(key=f"remind-{NUMBER}")
    query = {"key": f"remind-{NUMBER}"}
    assert len(billing.get("/v1/jobs", params=query).json()["jobs"]) == 1
    assert fields(dashboard.get("/v1/jobs", params=query)) == ["key"]


def test_numbers_are_whole_for_operators_who_ask(
    billing: Client, dashboard: Client, ops: Client
) -> None:
    billing.call()
    assert ops.get("/v1/jobs?unmask=1").json()["jobs"][0]["recipient"] == NUMBER
    assert ops.get("/v1/jobs").json()["jobs"][0]["recipient"] == "+8180****0001"
    problem(dashboard.get("/v1/jobs?unmask=1"), 403)


def test_who_sees_masks_cannot_find_a_number_out_by_searching(
    billing: Client, dashboard: Client
) -> None:
    billing.call()
    assert len(dashboard.get("/v1/jobs?recipient=0001").json()["jobs"]) == 1
    for longer in ("40001", NUMBER[1:], "%2B818012340001"):
        assert fields(dashboard.get(f"/v1/jobs?recipient={longer}")) == ["recipient"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=ended", "state"),
        ("since=yesterday", "since"),
        ("since=99999999999d", "since"),
        ("recipient=x", "recipient"),
        ("tag=", "tag"),
        ("tag=a&tag=b", "tag"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("cursor=x", "cursor"),
        ("cursor=1795428131020.ktq3ljmcozfwnu2a", "cursor"),
        ("colour=red", "colour"),
        ("key=", "key"),
        ("key=a&key=b", "key"),
        (f"key={'x' * 256}", "key"),
        ("key=a&cursor=x", "cursor"),
        ("unmask=maybe", "unmask"),
    ],
)
def test_a_query_that_makes_no_sense_names_its_part(ops: Client, query: str, field: str) -> None:
    answer = ops.get(f"/v1/jobs?{query}")
    assert fields(answer) == [field]
    assert "Input should" not in answer.text


def test_a_wrong_value_of_a_query_is_told_in_plain_words(ops: Client) -> None:
    for value, said in (("0", "it is too small: at least 1"), ("x", "it is not a whole number")):
        assert ops.get(f"/v1/campaigns?limit={value}").json()["detail"] == f"limit: {said}"


# -- one job -------------------------------------------------------------------------------


def test_a_client_cancels_its_own_jobs(billing: Client, store: Store) -> None:
    id_ = billing.call()["id"]
    answer = billing.post(f"/v1/jobs/{id_}/cancel", {"note": "wrong template"})
    job = answer.json()
    assert (answer.status_code, job["state"], job["recipient"]) == (200, "cancelled", NUMBER)
    last = job["timeline"][-1]
    assert (last["actor"], last["why"]) == ("api:billing", "wrong template")
    (written,) = (entry for entry in store.audit.read() if entry.action == "cancel")
    assert (written.actor, written.target) == ("api:billing", f"job:{id_}")
    assert "cancelled" in problem(billing.post(f"/v1/jobs/{id_}/cancel"), 409)["detail"]


def test_a_client_cannot_cancel_those_of_others_nor_learn_of_them(
    gateway: Gateway, store: Store, billing: Client
) -> None:
    theirs = client(gateway, store, "alerts", Scope.ENQUEUE).call()["id"]
    in_python = (
        Dispatcher.from_url(gateway.environment["DISPATCHER_REDIS_URL"]).call(NUMBER, say="Hi").id
    )
    nobodys = problem(billing.post(f"/v1/jobs/{'a' * 16}/cancel"), 404)
    for id_ in (theirs, in_python):
        told = problem(billing.post(f"/v1/jobs/{id_}/cancel"), 404)
        assert told["remedy"] == nobodys["remedy"]
        assert store.jobs.get(id_).state is State.QUEUED


def test_who_may_see_a_job_and_not_act_on_it_is_told_the_scope(
    gateway: Gateway, store: Store, billing: Client, dashboard: Client
) -> None:
    both = client(gateway, store, "both", Scope.ENQUEUE, Scope.READ)
    id_ = billing.call()["id"]
    for asking in (both, dashboard):
        assert "operate" in problem(asking.post(f"/v1/jobs/{id_}/cancel"), 403)["detail"]
    mine = both.call()["id"]
    assert both.post(f"/v1/jobs/{mine}/cancel").json()["state"] == "cancelled"


def test_whole_numbers_that_a_key_may_not_see_are_refused_before_anything_is_done(
    billing: Client, store: Store
) -> None:
    id_ = billing.call()["id"]
    problem(billing.post(f"/v1/jobs/{id_}/cancel?unmask=1"), 403)
    assert store.jobs.get(id_).state is State.QUEUED


def test_a_job_is_retried_with_who_and_why(billing: Client, ops: Client, store: Store) -> None:
    id_ = billing.call()["id"]
    fail(store, id_)
    answer = ops.post(f"/v1/jobs/{id_}/retry", {"note": "they are back", "expires": "2h"})
    found = answer.json()
    assert (answer.status_code, found["state"]) == (200, "queued")
    assert found["recipient"] == "+8180****0001"
    last = found["timeline"][-1]
    assert (last["actor"], last["why"]) == ("api:ops", "they are back")
    assert [(e.actor, e.action, e.note) for e in store.audit.read()] == [
        ("api:ops", "retry", "they are back")
    ]
    assert "not ended" in problem(ops.post(f"/v1/jobs/{id_}/retry"), 409)["detail"]


def test_a_job_is_cancelled_once(billing: Client, ops: Client) -> None:
    id_ = billing.call()["id"]
    assert ops.post(f"/v1/jobs/{id_}/cancel").json()["state"] == "cancelled"
    found = problem(ops.post(f"/v1/jobs/{id_}/cancel"), 409)
    assert "cannot be cancelled" in found["detail"]
    assert found["remedy"]


def test_a_job_of_unknown_outcome_is_marked_as_reached(
    billing: Client, ops: Client, store: Store
) -> None:
    id_ = billing.call()["id"]
    problem(ops.post(f"/v1/jobs/{id_}/reached"), 409)
    fail(store, id_, "outcome_unknown")
    found = ops.post(f"/v1/jobs/{id_}/reached?unmask=true", {"note": "she says so"}).json()
    assert (found["state"], found["reason"]) == ("completed", "marked_reached")
    assert found["recipient"] == NUMBER


@pytest.mark.parametrize(
    ("action", "body", "field"),
    [
        ("retry", {"expires": "soon"}, "expires"),
        ("retry", {"uncertain": "yes"}, "uncertain"),
        ("retry", {"notes": "x"}, "notes"),
        ("cancel", {"expires": "1h"}, "expires"),
        ("reached", {"note": "x" * 501}, "note"),
        ("cancel", {"note": "two\nlines"}, "note"),
        ("cancel", {"note": 1}, "note"),
    ],
)
def test_what_is_wrong_with_an_action_names_the_field(
    billing: Client, ops: Client, action: str, body: dict[str, object], field: str
) -> None:
    assert fields(ops.post(f"/v1/jobs/{billing.call()['id']}/{action}", body)) == [field]


@pytest.mark.parametrize("action", ["retry", "cancel", "reached"])
def test_no_job_is_acted_on_that_is_none(ops: Client, action: str) -> None:
    problem(ops.post(f"/v1/jobs/{'a' * 16}/{action}"), 404)


# -- many jobs -----------------------------------------------------------------------------


@pytest.fixture
def failed(billing: Client, store: Store) -> list[str]:
    ids = [billing.call(key=str(n))["id"] for n in range(4)]
    for id_ in ids[:3]:
        fail(store, id_)
    return ids


def test_many_are_previewed_and_then_retried_as_previewed(
    ops: Client, store: Store, failed: list[str]
) -> None:
    preview = ops.post("/v1/retry", {"filter": {"producer": "billing"}}).json()
    assert (preview["matched"], preview["selected"]) == (4, 3)
    assert [(each["reason"], each["count"]) for each in preview["excluded"]] == [("not_ended", 1)]
    assert preview["expected_credits"] > 0
    assert store.jobs.get(failed[0]).state is State.FAILED  # nothing was done
    begun = {"preview": False, "id": preview["id"], "note": "they are back"}
    answer = ops.post("/v1/retry", begun)
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/actions/{preview['id']}"
    assert answer.json()["state"] == "running"
    assert store.bulk.drive(preview["id"])  # as a worker does, which is told of it:
    assert redis_of(store).llen("vd.control") == 1
    stands = ops.get(answer.headers["Location"]).json()
    assert (stands["state"], stands["done"], stands["actor"]) == ("done", 3, "api:ops")
    assert {store.jobs.get(id_).state for id_ in failed} == {State.QUEUED}
    again = ops.post("/v1/retry", begun)  # the same click once more
    assert (again.status_code, again.json()["done"]) == (202, 3)
    assert redis_of(store).llen("vd.control") == 1


def test_many_are_cancelled_by_their_ids(ops: Client, store: Store, failed: list[str]) -> None:
    preview = ops.post("/v1/cancel", {"ids": [failed[3], failed[0], "nothing"]}).json()
    assert (preview["matched"], preview["selected"]) == (3, 1)
    ops.post("/v1/cancel", {"preview": False, "id": preview["id"]})
    store.bulk.drive(preview["id"])
    assert store.jobs.get(failed[3]).state is State.CANCELLED


def test_an_action_can_be_stopped(ops: Client, failed: list[str]) -> None:
    id_ = ops.post("/v1/retry", {"ids": failed}).json()["id"]
    ops.post("/v1/retry", {"preview": False, "id": id_})
    stopped = ops.post(f"/v1/actions/{id_}/stop", {"note": "wrong ones"}).json()
    assert (stopped["state"], stopped["done"]) == ("stopped", 0)


def test_an_action_is_begun_as_what_it_was_previewed_as(ops: Client, failed: list[str]) -> None:
    id_ = ops.post("/v1/retry", {"ids": failed}).json()["id"]
    found = problem(ops.post("/v1/cancel", {"preview": False, "id": id_}), 409)
    assert "/v1/retry" in found["remedy"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "filter"),
        ({"filter": {}, "ids": []}, "filter"),
        ({"filter": {"colour": "red"}}, "colour"),
        ({"filter": {"state": "ended"}}, "state"),
        ({"filter": {"state": [1]}}, "state"),
        ({"filter": []}, "filter"),
        ({"ids": [1]}, "ids"),
        ({"preview": False}, "id"),
        ({"preview": "no"}, "preview"),
        ({"ids": [], "expires": "soon"}, "expires"),
    ],
)
def test_a_preview_that_makes_no_sense_names_its_part(
    ops: Client, body: dict[str, object], field: str
) -> None:
    assert fields(ops.post("/v1/retry", body)) == [field]


@pytest.mark.parametrize("id_", ["nothing", "a" * 12, "%00", "ids"])
def test_an_unknown_action_is_told_as_such(ops: Client, id_: str) -> None:
    problem(ops.get(f"/v1/actions/{id_}"), 404)
    problem(ops.post(f"/v1/actions/{id_}/stop"), 404)
    problem(ops.post("/v1/retry", {"preview": False, "id": id_}), 404)


# -- the account ---------------------------------------------------------------------------


def test_all_or_a_part_is_paused_and_resumed(ops: Client, store: Store) -> None:
    assert ops.post("/v1/pause", {"note": f"ask {NUMBER}"}).json()["changed"]
    again = ops.post("/v1/pause", {"tag": f"t{NUMBER}"}).json()
    assert {hold["name"] for hold in again["holds"]} == {"paused", "paused:tag:t+8180****0001"}
    assert not any(NUMBER in str(hold) for hold in again["holds"])
    assert [hold.name for hold in store.holds.all()] == ["paused", f"paused:tag:t{NUMBER}"]
    assert not ops.post("/v1/pause").json()["changed"]
    assert ops.post("/v1/resume").json()["changed"]
    assert [e.action for e in store.audit.read()] == ["pause", "pause", "resume"]
    both = {"tag": "a", "priority": "bulk"}
    assert fields(ops.post("/v1/pause", both)) == ["tag"]
    assert fields(ops.post("/v1/pause", {"priority": "high"})) == ["priority"]


def test_the_hold_for_unusual_calls_is_resumed_as_such_only(ops: Client, store: Store) -> None:
    store.holds.start("unusual", "SO was never called before")
    assert not ops.post("/v1/resume").json()["changed"]
    assert fields(ops.post("/v1/resume", {"unusual": True, "tag": "a"})) == ["unusual"]
    assert fields(ops.post("/v1/pause", {"unusual": True})) == ["unusual"]
    answer = ops.post("/v1/resume", {"unusual": True, "note": "ours"}).json()
    assert (answer["scope"], answer["changed"], answer["holds"]) == ("unusual calls", True, [])


def test_stats_and_balance_are_what_the_command_line_tells(
    billing: Client, dashboard: Client
) -> None:
    billing.call()
    stats = dashboard.get("/v1/stats").json()
    assert (stats["jobs"]["queued"], stats["attempts"]) == (1, 0)
    balance = dashboard.get("/v1/balance").json()
    assert balance["waiting"]["jobs"] == 1
    assert (balance["holds"], balance["limits"]) == ([], [])


def test_the_audit_is_read_a_page_at_a_time_and_masked(
    ops: Client, dashboard: Client, store: Store
) -> None:
    for n in range(5):
        ops.post("/v1/pause", {"tag": str(n), "note": f"ask {NUMBER}"})
    told, since = [], "1h"
    while since:
        answer = dashboard.get("/v1/audit", params={"since": since, "limit": 2})
        assert NUMBER not in answer.text
        told += answer.json()["entries"]
        since = answer.json()["next"]
    assert [entry["target"] for entry in told] == [f"paused:tag:{n}" for n in range(5)]
    assert told[0]["actor"] == "api:ops"
    assert dashboard.get("/v1/audit?until=1h").json() == {"entries": [], "next": None}
    assert fields(dashboard.get("/v1/audit?since=x")) == ["since"]
