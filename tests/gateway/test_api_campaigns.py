"""`/v1/campaigns`, and what a query may not say."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from jsonschema_rs import Draft202012Validator

from dispatcher.store import Store
from support.api_client import SAY, Client
from support.gateway_process import Gateway, problem
from support.store_jobs import enqueue, failed, in_progress
from workers.gateway.api.schemas import COMPONENTS

MOVES = {"at": "", "expected_end": ""}
GIVEN = {"id": "a" * 16, "name": "spring"}


def test_a_campaign_is_told_by_its_name_or_its_tag(store: Store, dashboard: Client) -> None:
    failed(store, tags=["campaign:spring"])
    in_progress(store, tags=["campaign:spring"])
    found = dashboard.get("/v1/campaigns/spring").json()
    assert (found["jobs"], found["in_progress"], found["attempts"]) == (2, 1, 2)
    assert found["failed"] == {"invalid_request": 1}
    Draft202012Validator(COMPONENTS["Campaign"]).validate(found)
    again = dashboard.get("/v1/campaigns/campaign:spring").json()
    stats = dashboard.get("/v1/stats", params={"tag": "campaign:spring"}).json()
    for other in (again, stats["campaign"]):
        assert other | MOVES == found | MOVES
    assert "campaign" not in dashboard.get("/v1/stats").json()


@pytest.mark.parametrize("name", ["a/b c", "東京?", "50%", "a#b"])
def test_a_name_may_hold_what_an_address_must_escape(
    store: Store, dashboard: Client, name: str
) -> None:
    enqueue(store, tags=[f"campaign:{name}"])
    assert dashboard.get(f"/v1/campaigns/{quote(name, safe='')}").json()["name"] == name


def test_what_is_no_campaign_is_said(store: Store, dashboard: Client, billing: Client) -> None:
    told = problem(dashboard.get("/v1/campaigns/spring"), 404)
    assert "there is no campaign 'spring'" in told["detail"]
    told = problem(dashboard.get("/v1/campaigns/campaign:"), 422)
    assert told["errors"][0]["field"] == "name"
    told = problem(dashboard.get("/v1/stats", params={"tag": "vip"}), 422)
    assert "is not the tag of a campaign" in told["detail"]
    problem(billing.get("/v1/campaigns"), 403)
    problem(billing.get("/v1/campaigns/spring"), 403)


def test_campaigns_are_found_by_a_part_of_their_name(store: Store, dashboard: Client) -> None:
    for name in ("spring visits", "Spring sale", "winter"):
        enqueue(store, tags=[f"campaign:{name}"])
    found = dashboard.get("/v1/campaigns", params={"name": "SPRING"}).json()["campaigns"]
    assert {each["name"] for each in found} == {"Spring sale", "spring visits"}
    problem(dashboard.get("/v1/campaigns", params={"name": "x" * 101}), 422)


def test_campaigns_are_listed_page_by_page(store: Store, dashboard: Client) -> None:
    for n in range(5):
        enqueue(store, tags=[f"campaign:{n}"])
    names: list[str] = []
    asked: dict[str, Any] = {"limit": 2}
    while asked.get("cursor", "") is not None:
        page = dashboard.get("/v1/campaigns", params=asked).json()
        names += [each["name"] for each in page["campaigns"]]
        asked["cursor"] = page["cursor"]
    assert sorted(names) == [str(n) for n in range(5)]
    problem(dashboard.get("/v1/campaigns", params={"cursor": "x"}), 422)


def test_no_route_passes_over_a_parameter_that_it_does_not_know(
    gateway: Gateway, ops: Client
) -> None:
    paths = gateway.ask("GET", "/openapi.json").json()["paths"]
    asked = 0
    for path, item in paths.items():
        for method, operation in item.items():
            if not path.startswith("/v1/"):
                continue
            known = [e["name"] for e in operation.get("parameters", []) if e["in"] == "query"]
            answer = ops.ask(method.upper(), path.format(**GIVEN), params={"pgae": "2"})
            if answer.status_code == 403:  # for keys of another kind
                continue
            told = problem(answer, 422)
            use = f"use {', '.join(known)}" if known else "this route takes none"
            assert told["errors"] == [
                {"field": "pgae", "detail": f"there is no such parameter; {use}"}
            ], path
            asked += 1
    assert asked > 12


def test_a_query_without_a_key_is_told_of_the_key(gateway: Gateway) -> None:
    problem(gateway.ask("GET", "/v1/jobs?pgae=2"), 401)


def test_own_fields_come_back(billing: Client, dashboard: Client) -> None:
    job = billing.call(meta={"patient_id": "A-4711", "phone": "+818012340009"})
    assert job["meta"] == {"patient_id": "A-4711", "phone": "+818012340009"}
    seen = dashboard.get(f"/v1/jobs/{job['id']}").json()["meta"]
    assert seen == {"patient_id": "A-4711", "phone": "+8180****0009"}
    told = problem(billing.post("/v1/jobs", {**SAY, "meta": {"a": 1}}), 422)
    assert told["errors"][0]["field"] == "meta"
