"""Which trace a request over HTTP belongs to: its calls are of it, traced or not."""

from __future__ import annotations

import pytest

from dispatcher.model.api_key import Scope
from dispatcher.store import Store
from support.api_client import SAY, Client, client
from support.gateway_process import Gateway

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GIVEN = f"00-{TRACE}-{SPAN}-01"
OTHER = f"00-{TRACE[::-1]}-{SPAN}-00"


def asked(billing: Client, headers: dict[str, str], **fields: str) -> str | None:
    """Ask for a call; return the trace that it belongs to."""
    answer = billing.post("/v1/jobs", {**SAY, **fields}, headers=headers)
    assert answer.status_code == 202, answer.text
    told: str | None = answer.json()["traceparent"]
    return told


def test_a_call_belongs_to_the_trace_of_its_request(billing: Client) -> None:
    assert asked(billing, {"traceparent": GIVEN}) == GIVEN
    assert asked(billing, {}) is None


def test_what_a_body_names_counts_more_than_the_header(billing: Client) -> None:
    assert asked(billing, {"traceparent": GIVEN}, traceparent=OTHER) == OTHER


@pytest.mark.parametrize("wrong", ["", "00-1-2-01", GIVEN.upper(), "x" * 4000, "+818012340001"])
def test_a_wrong_header_is_left_out_and_the_call_is_made(billing: Client, wrong: str) -> None:
    """As the W3C wants it: a trace is less than a call."""
    assert asked(billing, {"traceparent": wrong}) is None


def test_a_wrong_field_is_refused(billing: Client) -> None:
    answer = billing.post("/v1/jobs", {**SAY, "traceparent": "00-1-2-01"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "traceparent"


def test_lines_belong_to_the_trace_of_their_request_or_one_of_their_own(
    billing: Client, store: Store
) -> None:
    lines = [{**SAY, "key": "a"}, {**SAY, "key": "b", "traceparent": OTHER}]
    answered, summary = billing.bulk(lines, {"traceparent": GIVEN})
    assert summary["accepted"] == 2
    assert [store.jobs.get(each["id"]).traceparent for each in answered] == [GIVEN, OTHER]


def test_an_alert_belongs_to_the_trace_of_its_report(gateway: Gateway, store: Store) -> None:
    monitoring = client(gateway, store, "monitoring", Scope.ALERT)
    body = {"summary": "Disk full"}
    answer = monitoring.post("/v1/alerts/generic", body, headers={"traceparent": GIVEN})
    assert answer.status_code == 202
    (told,) = answer.json()["alerts"]
    assert store.alerts.get(told["id"]).traceparent == GIVEN
