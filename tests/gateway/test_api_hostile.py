"""Everything hostile that a public API meets is refused as a problem, and shows no number."""

from __future__ import annotations

import json
import time

import pytest

from dispatcher.store import Store
from support.api_client import NUMBER, SAY, Client
from support.gateway_process import everything, problem

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "Expecting value"),
        (b"{oops", "line 1, column 2"),
        (b"[]", "another kind of value"),
        (b"null", "another kind of value"),
        (b'"text"', "another kind of value"),
        (b'{"say": "a", "say": "b"}', "twice"),
        (b'{"redial": NaN}', "NaN"),
        (b'{"redial": -Infinity}', "Infinity"),
        (b'{"redial_after": 1e999}', "too large"),
        (b'{"redial": ' + b"9" * 10_000 + b"}", "too large"),
        (b'{"say": "\xff"}', "not UTF-8"),
        (b'\xff\xfe{\x00"\x00', "not UTF-8"),
        (b'{"say": "\\udfff"}', "surrogate"),
        (b'{"say": "\\ud83d"}', "surrogate"),
        (b'{"say": "a\x00b"}', "control character"),
        (b'{"a":' * 10_000, "deep"),
        (b"[" * 60_000, "deep"),
    ],
)
def test_what_is_not_json_in_one_sense_only_is_refused(
    billing: Client, body: bytes, says: str
) -> None:
    found = problem(billing.ask("POST", "/v1/jobs", data=body, headers=JSON), 400)
    assert says in found["detail"]
    assert "UTF-8" in found["remedy"]


def test_a_pair_of_surrogates_is_a_character(billing: Client, store: Store) -> None:
    body = json.dumps({**SAY, "say": "\N{GRINNING FACE}"}).encode()
    assert b"\\ud83d\\ude00" in body
    found = billing.ask("POST", "/v1/jobs", data=body, headers=JSON).json()
    assert store.jobs.get(found["id"]).say == "\N{GRINNING FACE}"


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json"]
)
def test_what_is_not_declared_as_json_is_refused(billing: Client, kind: str) -> None:
    """Among these are all that a web page of somebody else could have a browser send."""
    body = json.dumps(SAY)
    answer = billing.ask("POST", "/v1/jobs", data=body, headers={"Content-Type": kind})
    assert "application/json" in problem(answer, 415)["remedy"]


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_declared_in_more_than_one_way(billing: Client, kind: str) -> None:
    body = json.dumps(SAY)
    answer = billing.ask("POST", "/v1/jobs", data=body, headers={"Content-Type": kind})
    assert answer.status_code == 202


def test_a_body_has_a_size(billing: Client) -> None:
    answer = billing.post("/v1/jobs", {**SAY, "say": "x" * 70_000})
    assert "65536" in problem(answer, 413)["detail"]


def test_a_body_that_only_says_that_it_is_large_is_not_waited_for(billing: Client) -> None:
    head = (
        "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {billing.text}\r\nContent-Length: 99999999\r\n\r\n"
    )
    began = time.monotonic()
    with billing.gateway.wire() as wire:
        wire.sendall(head.encode())
        assert everything(wire).startswith(b"HTTP/1.1 413 ")
    assert time.monotonic() - began < 9  # or it would be the wait for the body that ended


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Idempotency-Key: a\r\nIdempotency-Key: b", 400),
        ("Idempotency-Key: ", 400),
        ('Idempotency-Key: ""', 400),
        ("Idempotency-Key: \xe9", 400),
        (f"Idempotency-Key: {'x' * 256}", 400),
        ("Content-Type: application/json", 400),
        ("X-HTTP-Method-Override: DELETE", 202),
        ("X-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4", 202),
        ("Transfer-Encoding: chunked", 400),
        ("X-A: b\r\n folded", 400),
        ("X-\x00A: b", 400),
        (" X-A: b", 400),
    ],
)
def test_tricks_with_headers_get_nowhere(billing: Client, header: str, status: int) -> None:
    body = json.dumps(SAY).encode()
    head = (
        "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {billing.text}\r\nContent-Length: {len(body)}\r\n"
        f"Connection: close\r\n{header}\r\n\r\n"
    )
    with billing.gateway.wire() as wire:
        wire.sendall(head.encode("latin-1") + body)
        told = everything(wire)
    assert told.startswith(b"HTTP/1.1 %d " % status), told
    assert status == 202 or b"application/problem+json" in told


@pytest.mark.parametrize(
    "fields",
    [
        {"recipient": NUMBER + "x"},
        {"recipient": f" {NUMBER}", "key": NUMBER},
        {"recipient": NUMBER, "lang": NUMBER},
        {"recipient": NUMBER, "at": NUMBER},
        {"recipient": NUMBER, "priority": NUMBER},
        {"recipient": NUMBER, "caller": NUMBER + "9" * 9},
        {"recipient": NUMBER, "tags": [NUMBER + ","]},
        {"recipient": NUMBER, "max_attempts": NUMBER},
        {"recipient": NUMBER, NUMBER: 1},
        {"participants": [NUMBER, NUMBER]},
        {"recipient": {"number": NUMBER}},
    ],
)
def test_no_error_shows_a_number(billing: Client, fields: dict[str, object]) -> None:
    answer = billing.post("/v1/jobs", {"say": "Hello", **fields})
    problem(answer, 422)
    assert NUMBER not in answer.text
    assert NUMBER[1:] not in answer.text
    assert NUMBER not in billing.gateway.log


def test_no_error_shows_what_is_said(billing: Client) -> None:
    secret = "the vault's code is swordfish"
    for body in ({**SAY, "say": secret, "lang": "xx"}, {"say": secret}, {secret: 1}):
        answer = billing.post("/v1/jobs", body)
        problem(answer, 422)
        assert "swordfish" not in answer.text or secret in body
    assert "swordfish" not in billing.gateway.log


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "HEAD"])
@pytest.mark.parametrize(
    ("path", "allowed"),
    [("/v1/jobs", "GET, POST"), (f"/v1/jobs/{'a' * 16}", "GET"), ("/v1/jobs/bulk", "POST")],
)
def test_methods_that_are_none_of_a_paths_are_refused(
    billing: Client, method: str, path: str, allowed: str
) -> None:
    answer = billing.ask(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


def test_no_page_of_somebody_else_may_read_an_answer(billing: Client) -> None:
    answer = billing.ask("GET", "/v1/jobs", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/v1/jobs/", "/healthz/", "/docs/", "/metrics/"])
def test_nobody_is_sent_on_to_where_a_client_says_that_we_are(billing: Client, path: str) -> None:
    """Else a slash too many would have a key and a number go out in clear, or to anybody."""
    answer = billing.ask("POST", path, headers={"Host": "evil.example"}, allow_redirects=False)
    assert "location" not in answer.headers
    problem(answer, 404)
