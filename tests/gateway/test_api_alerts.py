"""`/v1/alerts`: seen, taken, stopped, and summed up."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from dispatcher.alerts.sources.registry import SOURCES
from dispatcher.model.alert import AlertState
from dispatcher.store import Store
from support.api_client import Client
from support.gateway_process import Gateway, problem
from support.seen_alerts import called, event, reported, unreached
from workers.gateway.api.schemas import COMPONENTS

NUMBER = "+818011234567"


def test_alerts_are_listed_page_by_page_with_numbers_masked(
    store: Store, dashboard: Client
) -> None:
    ids = [reported(store, event(str(n), summary=f"{n}: {NUMBER}"))[0] for n in range(5)]
    found: list[dict[str, Any]] = []
    asked: dict[str, Any] = {"limit": 2}
    while asked.get("cursor", "") is not None:
        page = dashboard.get("/v1/alerts", params=asked).json()
        found += page["alerts"]
        asked["cursor"] = page["cursor"]
    assert sorted(each["id"] for each in found) == sorted(ids)
    moments = [each["received_at"] for each in found]
    assert moments == sorted(moments, reverse=True)
    assert {each["summary"] for each in found} == {f"{n}: +8180****4567" for n in range(5)}
    Draft202012Validator(COMPONENTS["Alert"]).validate(found[0])


def test_alerts_are_listed_by_states_and_chain(store: Store, dashboard: Client) -> None:
    one, two, three = (reported(store, event(str(n)))[0] for n in range(3))
    unreached(store, one)
    store.alerts.cancel(two, by="ops")
    found = dashboard.get("/v1/alerts?state=unreached&state=cancelled").json()["alerts"]
    assert {each["id"] for each in found} == {one, two}
    assert len(dashboard.get("/v1/alerts?chain=database").json()["alerts"]) == 3
    assert dashboard.get("/v1/alerts?chain=web").json()["alerts"] == []
    told = problem(dashboard.get("/v1/alerts?state=lost"), 422)
    assert told["errors"][0]["field"] == "state"
    assert three


def test_an_alert_is_told_whole(store: Store, dashboard: Client) -> None:
    (id_,) = reported(store)
    job = called(store, id_)
    found = dashboard.get(f"/v1/alerts/{id_}").json()
    Draft202012Validator(COMPONENTS["Alert"]).validate(found)
    (call,) = found["calls"]
    assert (call["job_id"], call["became"], call["recipient"]) == (job, "waits", "+8180****0002")
    assert found["why"].startswith("the chain database is under way")
    assert found["timeline"][0]["by"] == "monitoring"


def test_of_several_who_take_it_the_first_has_it(store: Store, ops: Client) -> None:
    (id_,) = reported(store)
    job = called(store, id_)
    body = {"by": "ann", "note": "restarting it"}
    first = ops.post(f"/v1/alerts/{id_}/acknowledge", body).json()
    assert (first["done"], first["state"]) == (True, "acknowledged")
    assert first["acknowledged_by"] == "ann"
    assert store.jobs.get(job).state == "cancelled"
    second = ops.post(f"/v1/alerts/{id_}/acknowledge").json()
    assert (second["done"], second["acknowledged_by"]) == (False, "ann")
    assert "ann has it since" in second["what"]
    stopped = ops.post(f"/v1/alerts/{id_}/cancel").json()
    assert (stopped["done"], stopped["state"]) == (False, "acknowledged")
    assert store.alerts.get(id_).acknowledged_how == "http"


def test_without_a_name_it_is_the_key(store: Store, ops: Client) -> None:
    (id_,) = reported(store)
    assert ops.post(f"/v1/alerts/{id_}/acknowledge").json()["acknowledged_by"] == "api:ops"


def test_what_has_ended_is_told_with_who_had_it(store: Store, ops: Client) -> None:
    (id_,) = reported(store)
    store.alerts.acknowledge(id_, by="ann", how="cli")  # type: ignore[arg-type]
    reported(store, event(firing=False))
    assert store.alerts.get(id_).state is AlertState.RESOLVED
    for act in ("acknowledge", "cancel"):
        told = problem(ops.post(f"/v1/alerts/{id_}/{act}"), 409)
        assert "has been resolved since" in told["detail"]
        assert "ann has it since" in told["detail"]


def test_calls_are_stopped(store: Store, ops: Client) -> None:
    (id_,) = reported(store)
    found = ops.post(f"/v1/alerts/{id_}/cancel", {"note": "maintenance"}).json()
    assert (found["done"], found["state"]) == (True, "cancelled")
    assert ops.post(f"/v1/alerts/{id_}/cancel").json()["done"] is False


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"by": ""}, "by"),
        ({"by": "x" * 41}, "by"),
        ({"by": "a\u0007b"}, "by"),
        ({"by": 7}, "by"),
        ({"who": "ann"}, "who"),
        ({"note": "x" * 10_000}, "note"),
    ],
)
def test_what_is_wrong_with_a_body_is_named(
    store: Store, ops: Client, body: dict[str, Any], field: str
) -> None:
    (id_,) = reported(store)
    told = problem(ops.post(f"/v1/alerts/{id_}/acknowledge", body), 422)
    assert told["errors"][0]["field"] == field
    assert store.alerts.get(id_).state is AlertState.RINGING


def test_who_may_see_may_not_act_and_others_may_neither(
    gateway: Gateway, store: Store, dashboard: Client, billing: Client
) -> None:
    (id_,) = reported(store)
    for act in ("acknowledge", "cancel"):
        problem(dashboard.post(f"/v1/alerts/{id_}/{act}"), 403)
        problem(gateway.ask("POST", f"/v1/alerts/{id_}/{act}"), 401)
    for path in ("", f"/{id_}", "/summary"):
        problem(billing.get(f"/v1/alerts{path}"), 403)
    assert store.alerts.get(id_).state is AlertState.RINGING


@pytest.mark.parametrize("id_", ["nothere", "x" * 500, "a%20b", "..%2f..", "%00"])
def test_what_is_no_alert_is_said(store: Store, ops: Client, id_: str) -> None:
    problem(ops.get(f"/v1/alerts/{id_}"), 404)
    problem(ops.post(f"/v1/alerts/{id_}/acknowledge"), 404)


@pytest.mark.parametrize("door", sorted(SOURCES))
def test_where_monitoring_reports_no_get_is_answered(ops: Client, door: str) -> None:
    """Alertmanager follows a redirect by GET, and takes any 2xx for delivered."""
    answer = ops.get(f"/v1/alerts/{door}")
    problem(answer, 405)
    assert answer.headers["Allow"] == "POST"


def test_a_week_in_figures(store: Store, dashboard: Client) -> None:
    (id_,) = reported(store)
    called(store, id_)
    unreached(store, id_)
    found = dashboard.get("/v1/alerts/summary?since=1h&zone=Asia/Tokyo").json()
    Draft202012Validator(COMPONENTS["AlertSummary"]).validate(found)
    assert (found["alerts"], found["unreached"]) == (1, {"nobody_answered": 1})
    assert found["people"]["ann"]["calls"] == 1
    long_ago = "since=2020-01-01T00:00Z&until=2021-01-01T00:00Z"
    assert dashboard.get(f"/v1/alerts/summary?{long_ago}").json()["alerts"] == 0
    for query, field in (("zone=Moon", "zone"), ("since=yesterday", "since")):
        told = problem(dashboard.get(f"/v1/alerts/summary?{query}"), 422)
        assert told["errors"][0]["field"] == field
