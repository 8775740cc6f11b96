"""The OpenAPI document and its page: true to the code, and without anything from elsewhere."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from dispatcher.alerts.sources.registry import SOURCES
from dispatcher.model.api_key import Scope
from dispatcher.model.request import JobRequest
from dispatcher.model.states import Reason, State
from dispatcher.policy import Decision
from dispatcher.store import Store
from support.api_client import SAY, Client, client
from support.gateway_process import Gateway, problem
from support.plain_language import OLD
from support.store_jobs import claim
from workers.gateway.api.problem_examples import JOB_ID
from workers.gateway.api.schemas import COMPONENTS

STANDS = ("state", "reason")
WHAT = {
    "jobs": "job",
    "alerts": "alert",
    "campaigns": "campaign",
    "stats": "campaign",
    "rotas": "rota",
}
"""What is not there where a route answers 404; of all others it is an action."""


@pytest.fixture(scope="module")
def document(gateway: Gateway) -> dict[str, Any]:
    found: dict[str, Any] = gateway.ask("GET", "/openapi.json").json()
    return found


def test_a_request_has_just_the_documented_fields() -> None:
    assert COMPONENTS["JobRequest"]["properties"].keys() == JobRequest.model_fields.keys()


def test_a_job_has_just_the_documented_fields(billing: Client, ops: Client) -> None:
    job = billing.call(say="荷物", code="276983", priority="normal")
    numbers = [SAY["recipient"], "+818012340002"]
    conference = billing.post("/v1/jobs", {"participants": numbers}).json()
    assert COMPONENTS["Job"]["properties"].keys() == job.keys() | conference.keys()
    assert COMPONENTS["Event"]["properties"].keys() == job["timeline"][0].keys()
    why = billing.get(f"/v1/jobs/{job['id']}/why").json()
    assert COMPONENTS["Why"]["properties"].keys() == why.keys()
    preview = ops.post("/v1/cancel", {"ids": [job["id"]]}).json()
    begun = ops.post("/v1/cancel", {"preview": False, "id": preview["id"]}).json()
    assert preview.keys() <= begun.keys() == COMPONENTS["BulkAction"]["properties"].keys()


def test_every_operation_has_words_an_example_and_its_problems(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        for method, each in item.items():
            assert each["description"], (method, path)
            if not path.startswith("/v1/"):
                continue
            assert each["security"] == [{"key": []}]
            assert {"400", "401", "403", "429", "503"} <= each["responses"].keys()
            for status, answer in each["responses"].items():
                (content,) = answer["content"].values()
                assert content["example"], (method, path, status)
                assert int(status) < 400 or "application/problem+json" in answer["content"]
            if "requestBody" in each:
                (content,) = each["requestBody"]["content"].values()
                assert content["example"]


def test_examples_have_the_fields_and_words_of_their_schemas(document: dict[str, Any]) -> None:
    components = document["components"]
    for path, item in document["paths"].items():
        for method, each in item.items():
            bodies = [each["requestBody"]] if "requestBody" in each else []
            for part in (*each["responses"].values(), *bodies):
                for media, content in part.get("content", {}).items():
                    if path.startswith("/v1/") and media != "application/x-ndjson":
                        schema = {**content["schema"], "components": components}
                        found = [*Draft202012Validator(schema).iter_errors(content["example"])]
                        assert not found, (method, path, found)
                        named = content["schema"].get("$ref", "").rpartition("/")[2]
                        if named:
                            fields = components["schemas"][named]["properties"]
                            assert content["example"].keys() <= fields.keys()


def test_problems_are_those_of_the_route(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        for method, each in item.items():
            if not path.startswith("/v1/"):
                continue
            if "requestBody" not in each:
                assert "JSON" not in example(each, 400)["detail"]
                assert not {"408", "413", "415"} & each["responses"].keys()
                asked = {it["name"] for it in each["parameters"]} if "parameters" in each else set()
                assert ("422" in each["responses"]) == bool(asked - {"id"})
                if "422" in each["responses"]:
                    assert {it["field"] for it in example(each, 422)["errors"]} <= asked
            if "404" in each["responses"]:
                what = WHAT.get(path.split("/")[2], "action")
                assert f"there is no {what} " in example(each, 404)["detail"], (method, path)


def test_refusals_and_results_are_what_the_gateway_answers(
    billing: Client, ops: Client, store: Store, document: dict[str, Any]
) -> None:
    """What each action on one job answers, before and after it can be done."""

    id_ = billing.call()["id"]

    def same(kind: str) -> None:
        answer = ops.post(f"/v1/jobs/{id_}/{kind}")
        operation = document["paths"][f"/v1/jobs/{{id}}/{kind}"]["post"]
        shown, found = example(operation, answer.status_code), answer.json()
        if answer.status_code == 409:
            assert {**shown, "detail": shown["detail"].replace(JOB_ID, id_)} == found
        else:
            assert [found[name] for name in STANDS] == [shown.get(name) for name in STANDS]
            ended, meant = found["timeline"][-1], shown["timeline"][-1]
            for name in ("to", "reason", "actor"):
                assert ended[name] == meant.get(name)  # the document leaves out what is null

    same("retry")  # it is queued
    same("cancel")
    same("retry")
    fail(store, id_, Reason.NO_ANSWER)
    same("reached")
    same("retry")
    fail(store, id_, Reason.OUTCOME_UNKNOWN)
    same("reached")
    same("cancel")  # it is completed


def test_a_pause_is_shown_as_it_is_answered(ops: Client, document: dict[str, Any]) -> None:
    for path in ("/v1/pause", "/v1/resume"):
        operation = document["paths"][path]["post"]
        body = operation["requestBody"]["content"]["application/json"]["example"]
        found, shown = ops.post(path, body).json(), example(operation, 200)
        for hold in (*found["holds"], *shown["holds"]):
            del hold["since"]
        assert found == shown


def test_a_bulk_action_is_shown_as_itself(ops: Client, document: dict[str, Any]) -> None:
    for kind, other in (("retry", "cancel"), ("cancel", "retry")):
        operation = document["paths"][f"/v1/{kind}"]["post"]
        assert example(operation, 200)["action"] == example(operation, 202)["action"] == kind
        preview = ops.post(f"/v1/{other}", {"filter": {}}).json()
        refused = ops.post(f"/v1/{kind}", {"preview": False, "id": preview["id"]})
        assert problem(refused, 409) == example(operation, 409)


def test_all_references_lead_somewhere(document: dict[str, Any]) -> None:
    used = set(re.findall(r"'#/components/schemas/(\w+)'", str(document)))
    assert used <= document["components"]["schemas"].keys()


def test_the_examples_are_answered_as_documented(
    gateway: Gateway, billing: Client, ops: Client, store: Store, document: dict[str, Any]
) -> None:
    """Each example of a body is taken for what it is meant to be: its fields are known."""
    monitoring = client(gateway, store, "prometheus", Scope.ALERT)
    for path, item in document["paths"].items():
        for method, each in item.items():
            if "requestBody" not in each or path.endswith("bulk"):
                continue
            body = each["requestBody"]["content"]["application/json"]["example"]
            id_ = billing.call()["id"] if "jobs" in path else "nothing"
            reports = path.removeprefix("/v1/alerts/") in SOURCES
            who = monitoring if reports else billing if path == "/v1/jobs" else ops
            place = path.replace("{id}", id_).replace("{name}", "primary")
            headers = {"If-Match": "*"} if path == "/v1/chains" else {}
            answer = who.ask(method, place, headers, json=body)
            assert answer.status_code in {200, 202, 404, 409}, (path, answer.text)
    assert store.holds.all() == []


def test_the_page_needs_nothing_from_elsewhere(gateway: Gateway, document: dict[str, Any]) -> None:
    answer = gateway.ask("GET", "/docs")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert not re.search(r"<script|<link|<img|\bsrc=|https?://(?!example)", answer.text)
    for path, item in document["paths"].items():
        for method in item:
            assert f"<b>{method.upper()} {path}</b>" in answer.text
    for name in COMPONENTS:
        assert f"id='{name}'" in answer.text


def test_every_anchor_of_the_page_is_there_once(gateway: Gateway) -> None:
    text = gateway.ask("GET", "/docs").text
    ids = re.findall(r" id='([^']*)'", text)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"href='#([^']*)'", text)) <= set(ids)


def test_names_and_texts_are_in_plain_words(document: dict[str, Any]) -> None:
    assert not [text for text in _texts(document) if OLD.search(text)]


def example(operation: dict[str, Any], status: int) -> dict[str, Any]:
    """Return a copy of the example of an operation's answer."""
    (content,) = operation["responses"][str(status)]["content"].values()
    found: dict[str, Any] = copy.deepcopy(content["example"])
    return found


def fail(store: Store, id_: str, reason: Reason) -> None:
    decision = Decision(State.FAILED, reason, "nobody knows", reason)
    store.calls.settle(id_, claim(store, id_).attempt, decision)


def _texts(value: Any) -> Iterator[str]:
    """Yield every name and text of an OpenAPI document."""
    if isinstance(value, dict):
        for name, below in value.items():
            yield name.replace("_", " ")
            yield from _texts(below)
    elif isinstance(value, list):
        for below in value:
            yield from _texts(below)
    elif isinstance(value, str):
        yield value
