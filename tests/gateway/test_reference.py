"""The OpenAPI document and its page: true to the code, and without anything from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from dispatcher.model.request import JobRequest
from dispatcher.store import Store
from support.api_client import SAY, Client
from support.gateway_process import Gateway
from support.plain_language import OLD
from workers.gateway.api.schemas import COMPONENTS


@pytest.fixture(scope="module")
def document(gateway: Gateway) -> dict[str, Any]:
    found: dict[str, Any] = gateway.ask("GET", "/openapi.json").json()
    return found


def test_a_request_has_just_the_documented_fields() -> None:
    assert COMPONENTS["JobRequest"]["properties"].keys() == JobRequest.model_fields.keys()


def test_a_job_has_just_the_documented_fields(billing: Client, ops: Client) -> None:
    job = billing.call()
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
            assert {"400", "401", "403", "422", "429", "503"} <= each["responses"].keys()
            for status, answer in each["responses"].items():
                (content,) = answer["content"].values()
                assert content["example"], (method, path, status)
                assert int(status) < 400 or "application/problem+json" in answer["content"]
            if "requestBody" in each:
                (content,) = each["requestBody"]["content"].values()
                assert content["example"]


def test_all_references_lead_somewhere(document: dict[str, Any]) -> None:
    used = set(re.findall(r"'#/components/schemas/(\w+)'", str(document)))
    assert used <= document["components"]["schemas"].keys()


def test_the_examples_are_answered_as_documented(
    billing: Client, ops: Client, store: Store, document: dict[str, Any]
) -> None:
    """Each example of a body is taken for what it is meant to be: its fields are known."""
    for path, item in document["paths"].items():
        for method, each in item.items():
            if "requestBody" not in each or path.endswith("bulk"):
                continue
            body = each["requestBody"]["content"]["application/json"]["example"]
            id_ = billing.call()["id"] if "jobs" in path else "nothing"
            who = billing if path == "/v1/jobs" else ops
            answer = who.ask(method, path.replace("{id}", id_), json=body)
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
