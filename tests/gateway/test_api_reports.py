"""`POST /v1/alerts/{source}` over real HTTP: who may report, and what becomes of it."""

from __future__ import annotations

import base64
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from dispatcher.alerts.sources.registry import SOURCES
from dispatcher.model.alert import AlertState
from dispatcher.model.api_key import Scope
from dispatcher.model.on_call import OnCall
from dispatcher.store import Store
from support.api_client import NUMBER, Client, client
from support.gateway_process import Gateway, problem
from support.polling import eventually
from support.redis_inside import key_of, redis_of
from workers.devstack.embedded_server import EmbeddedServer
from workers.gateway.api.report_route import Strangers

ON_CALL = {
    "contacts": {"ann": {"numbers": [NUMBER]}},
    "chains": {"all": {"steps": [{"call": ["ann"]}]}},
    "routes": [{"match": {"severity": "info"}, "chain": "none"}, {"chain": "all"}],
}
ALERT = {
    "status": "firing",
    "labels": {"alertname": "DiskFull", "instance": "db1"},
    "annotations": {"summary": "Disk full on db1"},
    "startsAt": "2026-11-28T21:57:21.908937506Z",
    "fingerprint": "efb0c6c488e007da",
}
BAD = {**ALERT, "status": "on"}


@pytest.fixture
def monitoring(gateway: Gateway, store: Store) -> Client:
    """A monitoring, and somebody on call."""
    store.on_call.publish(OnCall.model_validate(ON_CALL), by="cli:ann")
    return client(gateway, store, "prometheus", Scope.ALERT)


def group(*alerts: Any) -> dict[str, Any]:
    return {"version": "4", "status": "firing", "alerts": list(alerts or (ALERT,))}


def report(who: Client, body: Any, source: str = "alertmanager", **options: Any) -> Any:
    answer = who.post(f"/v1/alerts/{source}", body, **options)
    assert answer.status_code == 202, answer.text
    return answer.json()


def numbers_of_jobs(store: Store) -> int:
    return len(redis_of(store).keys(key_of(store, "job", "*")))


def test_a_report_rings_and_the_same_again_rings_nobody(monitoring: Client, store: Store) -> None:
    (first,) = report(monitoring, group())["alerts"]
    assert (first["what"], first["state"]) == ("new", "ringing")
    (again,) = report(monitoring, group())["alerts"]
    assert (again["what"], again["id"]) == ("repeat", first["id"])
    found = store.alerts.get(first["id"])
    assert found.summary == "Disk full on db1"
    assert [call.contact for call in found.calls] == ["ann"]
    assert found.reports == 2
    assert found.timeline[0].by == "prometheus"


def test_a_resolved_alert_cancels_what_has_not_rung(monitoring: Client, store: Store) -> None:
    (first,) = report(monitoring, group())["alerts"]
    job = store.alerts.get(first["id"]).calls[0].job_id
    assert job
    (over,) = report(monitoring, group({**ALERT, "status": "resolved"}))["alerts"]
    assert (over["what"], over["id"]) == ("resolved", first["id"])
    assert store.alerts.get(first["id"]).state is AlertState.RESOLVED
    assert store.jobs.get(job).state == "cancelled"


def test_two_that_know_nothing_of_each_other_do_not_mix_and_a_pair_does(
    gateway: Gateway, store: Store, monitoring: Client
) -> None:
    staging = client(gateway, store, "staging", Scope.ALERT)
    renewed = client(gateway, store, "prometheus", Scope.ALERT)
    (first,) = report(monitoring, group())["alerts"]
    (other,) = report(staging, group())["alerts"]
    (same,) = report(renewed, group())["alerts"]
    assert (other["what"], same["what"]) == ("folded" if other["bundle"] else "new", "repeat")
    assert other["id"] != first["id"] == same["id"]
    report(staging, group({**ALERT, "status": "resolved"}))
    assert store.alerts.get(first["id"]).state is not AlertState.RESOLVED


def test_one_bad_alert_loses_none_of_the_good_ones_and_is_seen(
    monitoring: Client, store: Store
) -> None:
    told = report(monitoring, group(BAD, ALERT))
    assert [each["what"] for each in told["alerts"]] == ["new"]
    assert told["refused"] == [
        {"field": "alerts.0", "detail": "its status is 'on', and must be firing or resolved"}
    ]
    (note,) = store.refused_reports.all()
    assert (note.source, note.sender, note.many) == ("alertmanager", "prometheus", 1)


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        (b"{", 400, "not a JSON object"),
        (b'{"alerts": NaN}', 400, "not a JSON object"),
        (b"[" * 100_000, 400, "nested too deeply"),
        (b"[]", 422, "the body must be a JSON object"),
        (json.dumps({"alerts": [BAD]}).encode(), 422, "its status is 'on'"),
        (b" " * (5 << 20), 413, "more than 4194304 bytes"),
    ],
)
def test_what_is_refused_for_good_is_kept_where_people_look(
    monitoring: Client, store: Store, body: bytes, status: int, says: str
) -> None:
    """Alertmanager drops it, and tells nobody."""
    told = problem(monitoring.ask("POST", "/v1/alerts/alertmanager", data=body), status)
    assert says in told["detail"]
    (note,) = store.refused_reports.all()
    assert says in note.why
    assert note.sender == "prometheus"
    (event,) = [each for each in store.events.after() if each.kind == "alert.refused"]
    assert event.facts["by"] == "prometheus"
    assert numbers_of_jobs(store) == 0


def test_who_has_no_key_is_refused_and_that_is_seen_too(
    gateway: Gateway, store: Store, billing: Client, ops: Client
) -> None:
    problem(billing.post("/v1/alerts/grafana", group()), 403)
    problem(ops.post("/v1/alerts/grafana", group()), 403)

    def seen() -> int:
        problem(gateway.ask("POST", "/v1/alerts/grafana", json=group()), 401)
        return sum(each.many for each in store.refused_reports.all() if each.source == "grafana")

    eventually(lambda: seen() > 1, "it is seen, though strangers have it written seldom", 30)
    assert {each.sender for each in store.refused_reports.all()} == {""}


def test_a_key_of_monitoring_may_do_nothing_else(monitoring: Client) -> None:
    for method, path in (("POST", "/v1/jobs"), ("GET", "/v1/jobs"), ("GET", "/v1/stats")):
        problem(monitoring.ask(method, path, json={}), 403)


def test_a_program_that_sends_no_header_shows_its_key_in_basic_authentication(
    gateway: Gateway, monitoring: Client, billing: Client
) -> None:
    path = "/v1/alerts/alertmanager"
    auth = ("any", monitoring.text)
    assert gateway.ask("POST", path, json=group(), auth=auth).status_code == 202
    problem(gateway.ask("POST", path, json=group(), auth=(monitoring.text, "")), 401)
    for wrong in ("Basic", "Basic !", "Basic " + base64.b64encode(b"\xff:x").decode()):
        answer = gateway.ask("POST", path, json=group(), headers={"Authorization": wrong})
        problem(answer, 401)
    problem(gateway.ask("GET", "/v1/jobs", auth=("any", billing.text)), 401)


@pytest.mark.parametrize("source", SOURCES)
def test_nothing_but_a_post_is_answered_as_if_it_were_delivered(
    gateway: Gateway, monitoring: Client, source: str
) -> None:
    """A redirect is followed by a GET, which some programs count as delivered."""
    for path in (f"/v1/alerts/{source}", f"/v1/alerts/{source}/"):
        for method in ("GET", "HEAD", "PUT", "DELETE"):
            answer = monitoring.ask(method, path, allow_redirects=False)
            assert answer.status_code == 405
            assert answer.headers["Allow"] == "POST"


def test_a_slash_behind_the_address_is_no_redirect(monitoring: Client) -> None:
    answer = monitoring.post("/v1/alerts/alertmanager/", group(), allow_redirects=False)
    assert answer.status_code == 202
    query = {"id": "name", "summary": "name"}
    mapped = monitoring.post("/v1/alerts/generic/", {"name": "x"}, params=query)
    assert mapped.status_code == 202


def test_whatever_a_body_is_called_it_is_read(monitoring: Client) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = monitoring.ask(
            "POST",
            "/v1/alerts/alertmanager",
            data=json.dumps(group()),
            headers={"Content-Type": kind},
        )
        assert answer.status_code == 202


def test_any_json_is_read_with_a_mapping_in_the_query(monitoring: Client, store: Store) -> None:
    query = {"alerts": "items", "id": "guid", "summary": "title", "firing": "state == 'bad'"}
    body = {"items": [{"guid": 7, "title": "Load", "state": "bad"}, {"guid": 8, "state": "good"}]}
    told = report(monitoring, body, "generic", params=query)
    assert [each["what"] for each in told["alerts"]] == ["new", "unknown"]
    assert told["alerts"][1]["id"] is None
    wrong = monitoring.post("/v1/alerts/generic", body, params={"id": "a["})
    assert "is not JMESPath" in problem(wrong, 422)["detail"]
    unknown = monitoring.post("/v1/alerts/generic", body, params={"identity": "a"})
    assert "no such parameter" in problem(unknown, 422)["detail"]


def test_five_hundred_alerts_in_one_body_are_all_kept(monitoring: Client, store: Store) -> None:
    many = [{**ALERT, "fingerprint": f"f{n}"} for n in range(500)]
    told = report(monitoring, group(*many))
    assert len({each["id"] for each in told["alerts"]}) == 500
    assert numbers_of_jobs(store) <= 10


def test_without_redis_it_is_to_be_sent_again(tmp_path: Path) -> None:
    with ExitStack() as running:
        with EmbeddedServer(tmp_path / "redis", appendfsync="no") as redis:
            gateway = running.enter_context(Gateway(tmp_path, redis.url))
            prometheus = client(gateway, Store.from_url(redis.url), "prometheus", Scope.ALERT)
            report(prometheus, group())
        problem(prometheus.post("/v1/alerts/alertmanager", group()), 503)


def test_a_route_may_say_that_nobody_is_called(monitoring: Client, store: Store) -> None:
    info = {**ALERT, "labels": {"severity": "info"}}
    (told,) = report(monitoring, group(info))["alerts"]
    assert (told["what"], numbers_of_jobs(store)) == ("not_called", 0)


def test_no_text_of_an_alert_is_in_the_log(gateway: Gateway, monitoring: Client) -> None:
    report(monitoring, group(BAD, {**ALERT, "annotations": {"summary": "Secret of ours"}}))
    assert "Secret" not in gateway.log


def test_a_brake_of_its_own_key_says_when_to_come_again(gateway: Gateway, store: Store) -> None:
    slow = client(gateway, store, "slow", Scope.ALERT, quota="1/hour")
    report(slow, group())
    answer: requests.Response = slow.post("/v1/alerts/alertmanager", group())
    problem(answer, 429)


def test_a_flood_of_strangers_has_little_written() -> None:
    now = [100.0]
    strangers = Strangers(lambda: now[0])
    assert [strangers.take("grafana") for _ in range(1000)] == [1, *[0] * 999]
    assert strangers.take("zabbix") == 1
    now[0] += 1
    assert strangers.take("grafana") == 1000
