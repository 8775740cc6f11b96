"""`/v1/jobs` over real HTTP: asked for once, seen by whom it concerns, waited for."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from dispatcher.model.api_key import Scope
from dispatcher.store import Store
from support.api_client import NUMBER, SAY, Client, client
from support.gateway_process import Gateway, problem
from support.polling import eventually
from support.redis_inside import redis_of


def test_a_call_is_accepted_under_the_keys_name(billing: Client, store: Store) -> None:
    answer = billing.post("/v1/jobs", {**SAY, "tags": ["db1"], "expires": "15m"})
    assert answer.status_code == 202
    found = answer.json()
    assert answer.headers["Location"] == f"/v1/jobs/{found['id']}"
    assert (found["new"], found["state"], found["recipient"]) == (True, "queued", NUMBER)
    job = store.jobs.get(found["id"])
    assert (job.producer, job.say, job.tags) == ("billing", "Disk full on db1", ("db1",))
    assert job.expires_at is not None


@pytest.mark.parametrize(
    "fields",
    [
        {"recipient": NUMBER, "play": "http://example.com/a.mp3"},
        {"participants": [NUMBER, "+818012340002"], "lang": "ja"},
    ],
)
def test_recordings_and_conferences_are_jobs_too(
    billing: Client, fields: dict[str, object]
) -> None:
    found = billing.post("/v1/jobs", fields).json()
    assert found["kind"] == ("conference" if "participants" in fields else "playback")


def test_a_text_in_other_letters_is_accepted_with_a_warning(billing: Client) -> None:
    found = billing.call(say="荷物が届きました")
    assert "Hiragana" in found["warnings"][0]
    assert "warnings" not in billing.call()
    assert "warnings" not in billing.get(f"/v1/jobs/{found['id']}").json()


def test_with_a_region_a_number_is_the_same_request_however_it_is_written(
    billing: Client, store: Store
) -> None:
    first = billing.post("/v1/jobs", {**SAY, "key": "r"})
    assert first.status_code == 202
    written = {**SAY, "key": "r", "recipient": "080-1234-0001", "region": "jp"}
    again = billing.post("/v1/jobs", written)
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])
    assert store.jobs.get(again.json()["id"]).numbers == (NUMBER,)
    wrong = problem(billing.post("/v1/jobs", {**written, "recipient": "080-1234-0001 x12"}), 422)
    assert "an extension cannot be dialled" in wrong["errors"][0]["detail"]
    unknown = problem(billing.post("/v1/jobs", {**written, "region": "UK"}), 422)
    assert [each["field"] for each in unknown["errors"]] == ["region"]


def test_further_fields_for_the_provider_are_taken_or_refused_by_name(
    billing: Client, store: Store
) -> None:
    found = billing.post("/v1/jobs", {**SAY, "params": {"jp_line": "1"}}).json()
    assert store.jobs.get(found["id"]).params == {"jp_line": "1"}
    told = problem(billing.post("/v1/jobs", {**SAY, "params": {"caller": "1"}}), 422)
    assert "'caller' is a field that the dispatcher itself fills in" in str(told["errors"])


def test_the_wake_up_goes_out_with_the_enqueue(billing: Client, store: Store) -> None:
    billing.call()
    eventually(lambda: redis_of(store).llen("vd.normal"), "there is a wake-up")


# -- idempotency ---------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["body", "header", "quoted", "both"])
def test_the_same_key_is_the_same_job(billing: Client, where: str) -> None:
    body = {**SAY, "key": "alert-1"} if where in {"body", "both"} else SAY
    shown = {"header": "alert-1", "quoted": '"alert-1"', "both": "alert-1"}.get(where)
    headers = {"Idempotency-Key": shown} if shown else {}
    first = billing.post("/v1/jobs", body, headers=headers)
    again = billing.post("/v1/jobs", body, headers=headers)
    assert (first.status_code, first.json()["new"]) == (202, True)
    assert (again.status_code, again.json()["new"]) == (200, False)
    assert first.json()["id"] == again.json()["id"]
    assert again.json()["key"] == "alert-1"
    assert again.headers["Location"] == first.headers["Location"]


def test_the_same_key_for_another_request_is_a_conflict(billing: Client) -> None:
    id_ = billing.call(key="alert-1")["id"]
    found = problem(billing.post("/v1/jobs", {**SAY, "say": "Other", "key": "alert-1"}), 409)
    assert id_ in found["detail"]
    assert "new key" in found["detail"]


def test_two_keys_that_differ_are_refused(billing: Client) -> None:
    headers = {"Idempotency-Key": "a"}
    found = problem(billing.post("/v1/jobs", {**SAY, "key": "b"}, headers=headers), 422)
    assert [error["field"] for error in found["errors"]] == ["key"]


def test_the_keys_of_one_client_mean_nothing_to_another(
    gateway: Gateway, store: Store, billing: Client
) -> None:
    other = client(gateway, store, "alerts", Scope.ENQUEUE)
    ids = {each.call(key="alert-1")["id"] for each in (billing, other)}
    assert len(ids) == 2


def test_keys_of_one_name_share_their_clients_idempotency_keys(
    gateway: Gateway, store: Store, billing: Client
) -> None:
    rotated = client(gateway, store, "billing", Scope.ENQUEUE)
    assert len({each.call(key="alert-1")["id"] for each in (billing, rotated)}) == 1


def test_a_crowd_with_one_key_makes_one_job(billing: Client, store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: billing.call(key="alert-1"), range(40)))
    assert len({job["id"] for job in found}) == 1
    assert sum(job["new"] for job in found) == 1


# -- what is wrong -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"say": "Hello"}, "recipient"),
        ({"recipient": "08012340001", "say": "Hello"}, "recipient"),
        ({"recipient": NUMBER}, "request"),
        ({**SAY, "lang": "xx"}, "lang"),
        ({**SAY, "expires": "soon"}, "expires"),
        ({**SAY, "max_attempts": "many"}, "max_attempts"),
        ({**SAY, "Tags": []}, "Tags"),
        ({**SAY, "say": 1}, "say"),
        ({**SAY, "webhook": "ftp://x"}, "webhook"),
        ({"participants": [NUMBER]}, "participants"),
    ],
)
def test_a_request_that_cannot_be_a_job_is_told_which_field_to_mend(
    billing: Client, fields: dict[str, object], field: str
) -> None:
    found = problem(billing.post("/v1/jobs", fields), 422)
    assert [error["field"] for error in found["errors"]] == [field]
    assert found["errors"][0]["detail"]
    assert "correct" in found["remedy"]


def test_all_that_is_wrong_is_told_at_once(billing: Client) -> None:
    found = problem(billing.post("/v1/jobs", {**SAY, "lang": 1, "at": "x", "tags": [""]}), 422)
    assert {error["field"] for error in found["errors"]} == {"lang", "at", "tags"}


# -- who sees what -------------------------------------------------------------------------


def test_a_client_sees_its_own_jobs_whole_and_no_others(
    gateway: Gateway, store: Store, billing: Client
) -> None:
    id_ = billing.call()["id"]
    other = client(gateway, store, "alerts", Scope.ENQUEUE)
    found = billing.get(f"/v1/jobs/{id_}").json()
    assert (found["recipient"], found["say"]) == (NUMBER, "Disk full on db1")
    for path in (f"/v1/jobs/{id_}", f"/v1/jobs/{id_}/why", f"/v1/jobs/{id_}?wait=1"):
        theirs, nobodys = other.get(path), other.get(path.replace(id_, "a" * 16))
        assert problem(theirs, 404)["remedy"] == problem(nobodys, 404)["remedy"]


def test_a_reader_sees_all_jobs_masked(billing: Client, dashboard: Client) -> None:
    id_ = billing.call()["id"]
    found = dashboard.get(f"/v1/jobs/{id_}").json()
    assert found["recipient"] == "+8180****0001"
    assert "say" not in found


def test_an_operator_sees_numbers_whole_where_asked_for(
    billing: Client, dashboard: Client, ops: Client
) -> None:
    path = f"/v1/jobs/{billing.call()['id']}"
    assert ops.get(path).json()["recipient"] == "+8180****0001"
    assert ops.get(f"{path}?unmask=true").json()["recipient"] == NUMBER
    assert "operate" in problem(dashboard.get(f"{path}?unmask=true"), 403)["detail"]


def test_why_says_where_it_stands(billing: Client, dashboard: Client, store: Store) -> None:
    id_ = billing.call()["id"]
    found = billing.get(f"/v1/jobs/{id_}/why").json()
    assert (found["state"], found["position"]) == ("queued", 1)
    store.holds.start("paused", f"paused: a word about {NUMBER}")
    assert NUMBER in billing.get(f"/v1/jobs/{id_}/why").json()["why"]
    assert "+8180****0001" in dashboard.get(f"/v1/jobs/{id_}/why").json()["why"]


@pytest.mark.parametrize("id_", ["x", "A" * 16, "a" * 17, "1" * 16, "a" * 15 + "%00", "%2e%2e"])
def test_what_cannot_be_an_id_is_of_no_job(billing: Client, id_: str) -> None:
    problem(billing.get(f"/v1/jobs/{id_}"), 404)


# -- waiting -------------------------------------------------------------------------------


def test_a_wait_ends_with_the_job(billing: Client, store: Store) -> None:
    id_ = billing.call()["id"]
    timer = threading.Timer(0.3, store.jobs.cancel, [id_], {"actor": "sam"})
    began = time.monotonic()
    timer.start()
    found = billing.get(f"/v1/jobs/{id_}?wait=30").json()
    assert found["state"] == "cancelled"
    assert 0.3 <= time.monotonic() - began < 28
    timer.join()


def test_a_wait_that_is_over_first_tells_how_it_stands(billing: Client) -> None:
    began = time.monotonic()
    assert billing.get(f"/v1/jobs/{billing.call()['id']}?wait=0.3").json()["state"] == "queued"
    assert time.monotonic() - began > 0.3


def test_many_wait_without_taking_the_threads(billing: Client, store: Store) -> None:
    ids = [billing.call(key=str(n))["id"] for n in range(40)]
    with ThreadPoolExecutor(40) as pool:
        waits = [pool.submit(billing.get, f"/v1/jobs/{id_}?wait=30") for id_ in ids]
        time.sleep(0.3)  # until they wait; the test holds without it, too
        assert billing.call()["state"] == "queued"
        for id_ in ids:
            store.jobs.cancel(id_, actor="sam")
        assert {each.result().json()["state"] for each in waits} == {"cancelled"}


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "x"])
def test_a_wait_has_its_bounds(billing: Client, wait: str) -> None:
    path = f"/v1/jobs/{billing.call()['id']}?wait={wait}"
    assert [e["field"] for e in problem(billing.get(path), 422)["errors"]] == ["wait"]
