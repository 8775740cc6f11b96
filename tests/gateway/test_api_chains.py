"""`/v1/chains` and `/v1/rotas`: who is called for alerts, seen and changed over HTTP."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
import requests

from dispatcher.model.do_not_call import Wish
from dispatcher.model.on_call_check import MOST_PROBLEMS
from dispatcher.store import Store
from dispatcher.store.chains_files import WatchedFile
from support.api_client import Client
from support.gateway_process import Gateway, problem

ANN, BOB = "+818012340002", "+818012340001"
FILE: dict[str, Any] = {
    "region": "JP",
    "contacts": {"ann": {"number": ANN, "lang": "en"}, "bob": {"number": "080-1234-0001"}},
    "rotas": {"primary": {"members": ["ann", "bob"], "start": "2026-01-05", "zone": "Asia/Tokyo"}},
    "chains": {"all": {"steps": [{"call": "primary", "times": 2, "every": "1m"}], "repeat": 3}},
}


def put(ops: Client, body: Any, version: str | None = "*") -> requests.Response:
    return ops.ask("PUT", "/v1/chains", {"If-Match": version} if version else {}, json=body)


@pytest.fixture
def published(ops: Client) -> dict[str, Any]:
    answer = put(ops, FILE, "0")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_what_is_put_in_force_is_shown_with_numbers_masked(
    ops: Client, dashboard: Client, store: Store
) -> None:
    none = dashboard.get("/v1/chains")
    assert (none.json()["version"], none.headers["ETag"]) == (0, '"0"')
    answer = put(ops, FILE, none.headers["ETag"])
    assert (answer.json(), answer.headers["ETag"]) == ({"version": 1, "warnings": []}, '"1"')
    shown = dashboard.get("/v1/chains")
    assert shown.headers["ETag"] == '"1"'
    assert shown.json()["by"] == "api:ops"
    assert shown.json()["on_call"]["contacts"]["bob"]["numbers"] == ["+8180****0001"]
    assert ANN not in shown.text
    assert BOB not in shown.text
    assert [each.action for each in store.audit.read()].count("chains.publish") == 1


def test_what_is_shown_whole_can_be_put_back(
    ops: Client, dashboard: Client, store: Store, published: dict[str, Any]
) -> None:
    problem(dashboard.get("/v1/chains?unmask=true"), 403)
    whole = ops.get("/v1/chains?unmask=true").json()["on_call"]
    assert whole["contacts"]["bob"]["numbers"] == [BOB]
    assert "unmask" in [each.action for each in store.audit.read()]
    assert put(ops, whole).json()["version"] == published["version"]
    masked = ops.get("/v1/chains").json()["on_call"]
    told = problem(put(ops, masked), 422)
    assert told["errors"][0]["field"].startswith("contacts.ann.numbers")


def test_of_two_who_change_the_same_version_one_is_told(
    ops: Client, published: dict[str, Any]
) -> None:
    other = {**FILE, "chains": {"all": {"steps": [{"call": "ann"}]}}}
    assert put(ops, other, '"1"').json()["version"] == 2
    told = problem(put(ops, FILE, '"1"'), 412)
    assert "not version 1" in told["detail"]
    problem(put(ops, FILE, None), 428)
    told = problem(put(ops, FILE, "W/x"), 422)
    assert told["errors"][0]["field"] == "If-Match"
    assert ops.get("/v1/chains").json()["version"] == 2


def test_all_that_is_wrong_is_named_and_changes_nothing(
    ops: Client, published: dict[str, Any]
) -> None:
    wrong = {
        **FILE,
        "contacts": {"ann": {"number": "12"}, "bob": {"number": 818012340001}},
        "chains": {"all": {"steps": []}},
        "chans": {},
    }
    told = problem(put(ops, wrong), 422)
    assert {each["field"].split(".")[0] for each in told["errors"]} == {
        "contacts",
        "chains",
        "chans",
    }
    told = problem(put(ops, {**FILE, "teams": {"ops": ["an"]}}), 422)
    assert "do you mean 'ann'?" in told["detail"]
    assert ops.get("/v1/chains").json()["version"] == 1


def test_a_body_with_thousands_of_faults_is_answered_soon(ops: Client) -> None:
    contacts = {f"c{n}": {"number": ANN} for n in range(4000)}
    steps = [{"call": [f"missing-{n}-{k}" for k in range(400)]} for n in range(40)]
    told = put(ops, {"contacts": contacts, "chains": {"all": {"steps": steps}}}, "*")
    assert len(problem(told, 422)["errors"]) == MOST_PROBLEMS
    assert told.elapsed.total_seconds() < 30


def test_who_could_not_be_called_is_told(ops: Client, store: Store) -> None:
    store.do_not_call.add([Wish(ANN)], actor="cli:ann")
    warned = put(ops, FILE).json()["warnings"]
    assert len(warned) == 1
    assert "ann (+8180****0002)" in warned[0]
    assert "do-not-call list" in warned[0]


def test_a_file_that_is_watched_is_what_is_in_force(ops: Client, store: Store) -> None:
    store.chains_files.tell("a", WatchedFile("host-a", "/etc/chains.yaml", "1"))
    told = problem(put(ops, FILE), 409)
    assert "/etc/chains.yaml on host-a" in told["detail"]
    assert ops.get("/v1/chains").json()["files"] == ["/etc/chains.yaml on host-a"]


def test_a_rota_tells_its_turns_and_swaps(
    ops: Client, dashboard: Client, store: Store, published: dict[str, Any]
) -> None:
    found = dashboard.get("/v1/rotas/primary").json()
    assert (found["name"], found["zone"], found["swaps"]) == ("primary", "Asia/Tokyo", [])
    assert {turn["who"] for turn in found["turns"]} == {"ann", "bob"}
    for one, after in pairwise(found["turns"]):
        assert one["to"] == after["from"]
    day = datetime.fromisoformat(found["turns"][-1]["from"]).date().isoformat()
    later = f"{day}T23:00"
    body = {"who": "nobody", "from": day, "to": later, "note": "holiday"}
    made = ops.post("/v1/rotas/primary/swaps", body).json()
    after = dashboard.get("/v1/rotas/primary").json()
    assert [turn["why"] for turn in after["turns"] if turn["who"] is None] == ["swap: holiday"]
    assert after["swaps"] == [{**made, "by": "api:ops"}]
    problem(ops.ask("DELETE", f"/v1/rotas/other/swaps/{made['id']}"), 404)
    gone = ops.ask("DELETE", f"/v1/rotas/primary/swaps/{made['id']}")
    assert gone.json() == {"id": made["id"], "ended": True}
    problem(ops.ask("DELETE", f"/v1/rotas/primary/swaps/{made['id']}"), 404)
    assert dashboard.get("/v1/rotas/primary").json()["swaps"] == []
    actions = [each.action for each in store.audit.read()]
    assert {"rota.swap", "rota.unswap"} <= set(actions)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"who": "carol", "from": "2026-12-24", "to": "2026-12-27"}, "no contact or team 'carol'"),
        ({"who": "ann", "from": "2026-12-27", "to": "2026-12-24"}, "before it begins"),
        ({"who": "ann", "from": "soon", "to": "2026-12-24"}, "no day or time"),
        ({"who": "ann", "from": "9999-12-31T23:59-12:00", "to": "9999-12-31T23:59-13:00"}, ""),
        ({"who": "ann", "to": "2026-12-24"}, "from: it is missing"),
        ({"who": ["ann"], "from": "2026-12-24", "to": "2026-12-27"}, "who: it must be a text"),
        ({"who": "ann", "from": "2026-12-24", "to": "2026-12-27", "why": "x"}, "why: "),
        ({"who": "ann", "from": "2026-12-24", "to": "2026-12-27", "note": "x" * 201}, "note"),
    ],
)
def test_a_swap_that_cannot_be_is_refused(
    ops: Client, published: dict[str, Any], body: dict[str, Any], why: str
) -> None:
    assert why in problem(ops.post("/v1/rotas/primary/swaps", body), 422)["detail"]


def test_what_is_not_there_is_named(ops: Client, gateway: Gateway, store: Store) -> None:
    assert "there is none" in problem(ops.get("/v1/rotas/primary"), 404)["detail"]
    put(ops, FILE)
    assert "there is primary" in problem(ops.get("/v1/rotas/second"), 404)["detail"]
    problem(ops.get("/v1/rotas/a%20b"), 422)
    problem(ops.get("/v1/rotas/primary?days=367"), 422)
