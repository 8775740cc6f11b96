"""Who is let in to the API, how often, and what the rest is told."""

from __future__ import annotations

import re

import pytest

from dispatcher.alerts.sources.registry import SOURCES
from dispatcher.model.api_key import Scope
from dispatcher.store import Store
from support.api_client import SAY, Client, client
from support.gateway_process import Gateway, everything, problem

ID = "a" * 16
ROUTES = {
    ("POST", "/v1/jobs"): {Scope.ENQUEUE},
    ("POST", "/v1/jobs/bulk"): {Scope.ENQUEUE},
    ("GET", "/v1/jobs"): {Scope.ENQUEUE, Scope.READ, Scope.OPERATE},
    ("POST", f"/v1/jobs/{ID}/retry"): {Scope.OPERATE},
    ("POST", f"/v1/jobs/{ID}/cancel"): {Scope.ENQUEUE, Scope.OPERATE},
    ("POST", f"/v1/jobs/{ID}/reached"): {Scope.OPERATE},
    ("POST", "/v1/retry"): {Scope.OPERATE},
    ("POST", "/v1/cancel"): {Scope.OPERATE},
    ("GET", f"/v1/actions/{ID}"): {Scope.READ, Scope.OPERATE},
    ("POST", f"/v1/actions/{ID}/stop"): {Scope.OPERATE},
    ("GET", "/v1/audit"): {Scope.READ, Scope.OPERATE},
    ("GET", f"/v1/jobs/{ID}"): {Scope.ENQUEUE, Scope.READ, Scope.OPERATE},
    ("GET", f"/v1/jobs/{ID}/why"): {Scope.ENQUEUE, Scope.READ, Scope.OPERATE},
    ("GET", "/v1/stats"): {Scope.READ, Scope.OPERATE},
    ("GET", "/v1/campaigns"): {Scope.READ, Scope.OPERATE},
    ("GET", "/v1/campaigns/spring"): {Scope.READ, Scope.OPERATE},
    ("GET", "/v1/balance"): {Scope.READ, Scope.OPERATE},
    ("POST", "/v1/pause"): {Scope.OPERATE},
    ("POST", "/v1/resume"): {Scope.OPERATE},
    ("GET", "/v1/alerts"): {Scope.READ, Scope.OPERATE},
    ("GET", "/v1/alerts/summary"): {Scope.READ, Scope.OPERATE},
    ("GET", f"/v1/alerts/{ID}"): {Scope.READ, Scope.OPERATE},
    ("POST", f"/v1/alerts/{ID}/acknowledge"): {Scope.OPERATE},
    ("POST", f"/v1/alerts/{ID}/cancel"): {Scope.OPERATE},
    **{("POST", f"/v1/alerts/{source}"): {Scope.ALERT} for source in SOURCES},
    ("GET", "/v1/dnc"): {Scope.READ, Scope.OPERATE},
    ("POST", "/v1/dnc"): {Scope.OPERATE},
    ("DELETE", "/v1/dnc"): {Scope.OPERATE},
    ("GET", "/v1/chains"): {Scope.READ, Scope.OPERATE},
    ("PUT", "/v1/chains"): {Scope.OPERATE},
    ("GET", "/v1/rotas/spring"): {Scope.READ, Scope.OPERATE},
    ("POST", "/v1/rotas/spring/swaps"): {Scope.OPERATE},
    ("DELETE", f"/v1/rotas/spring/swaps/{ID}"): {Scope.OPERATE},
}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_lets_in_just_the_scopes_it_is_for(
    gateway: Gateway, store: Store, method: str, path: str
) -> None:
    problem(gateway.ask(method, path), 401)
    for scope in Scope:
        answer = client(gateway, store, scope, scope).ask(method, path)
        if scope in ROUTES[method, path]:
            assert answer.status_code not in {401, 403}, (scope, answer.text)
        else:
            found = problem(answer, 403)
            assert any(wanted in found["detail"] for wanted in ROUTES[method, path])
            assert "--scope" in found["remedy"]


def test_all_routes_of_the_document_are_looked_at(gateway: Gateway) -> None:
    document = gateway.ask("GET", "/openapi.json").json()
    known = {
        (method.upper(), path.replace("{id}", ID).replace("{name}", "spring"))
        for path, item in document["paths"].items()
        for method in item
        if path.startswith("/v1/")
    }
    assert known == ROUTES.keys()


def test_the_document_says_which_scope_a_route_needs(gateway: Gateway) -> None:
    document = gateway.ask("GET", "/openapi.json").json()
    for (method, path), scopes in ROUTES.items():
        place = path.replace(ID, "{id}").replace("spring", "{name}")
        operation = document["paths"][place][method.lower()]
        named = re.findall(r"`(\w+)`", operation["description"].partition(" the scope ")[2])
        (refusal,) = operation["responses"]["403"]["content"].values()
        assert refusal["example"]["detail"].endswith(f" the scope {' or '.join(named)}")
        held = {Scope.OPERATE} if "read" in named else set()  # by keys with another scope
        assert {Scope(each) for each in named} | held == scopes, (method, path)


def test_whoever_is_not_let_in_is_told_the_same(
    gateway: Gateway, store: Store, billing: Client
) -> None:
    keys = store.api_keys
    revoked, text = keys.create("x", [Scope.READ])
    keys.revoke(revoked.id)
    shown = [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Bearer {text}",
        f"Bearer {billing.text[:-1]}",
        f"Bearer vd_{'a' * 10}_{'0' * 64}",
        f"Basic {billing.text}",
        "Bearer " + "x" * 10_000,
        "Bearer \xff",
    ]
    answers = [
        gateway.ask("GET", "/v1/stats", headers={"Authorization": each} if each else {})
        for each in shown
    ]
    assert len({problem(each, 401)["detail"] for each in answers}) == 1
    assert {each.headers["WWW-Authenticate"] for each in answers} == {"Bearer"}
    assert "keys create" in answers[0].json()["remedy"]


def test_two_keys_in_one_request_are_refused(gateway: Gateway, billing: Client) -> None:
    shown = f"Authorization: Bearer {billing.text}\r\n"
    with gateway.wire() as wire:
        head = f"GET /v1/jobs/{ID} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{shown * 2}\r\n"
        wire.sendall(head.encode())
        told = everything(wire)
    assert told.startswith(b"HTTP/1.1 400 ")
    assert b"Authorization" in told


def test_a_key_is_out_the_moment_it_is_revoked(billing: Client, store: Store) -> None:
    billing.call()
    store.api_keys.revoke(billing.key.id)
    problem(billing.post("/v1/jobs", SAY), 401)


def test_a_rate_is_kept_and_says_when_to_go_on(gateway: Gateway, store: Store) -> None:
    slow = client(gateway, store, "slow", Scope.ENQUEUE, quota="3/hour")
    for _ in range(3):
        slow.call()
    answer = slow.post("/v1/jobs", SAY)
    found = problem(answer, 429)
    assert slow.key.id in found["detail"]
    assert 1100 < int(answer.headers["Retry-After"]) <= 1200
    assert answer.headers["Retry-After"] in found["remedy"]


def test_the_secret_of_a_key_is_not_logged(gateway: Gateway, billing: Client) -> None:
    billing.post("/v1/jobs", {"recipient": billing.text})
    billing.get(f"/v1/jobs/{billing.text}")
    assert billing.text not in gateway.log
    assert billing.text.rpartition("_")[2] not in gateway.log
