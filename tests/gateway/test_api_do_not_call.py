"""`/v1/dnc` over real HTTP: who may see and change the do-not-call list, and what it refuses."""

from __future__ import annotations

import pytest

from dispatcher.model.api_key import Scope
from dispatcher.model.do_not_call import Wish
from dispatcher.model.key_rights import KeyRights
from dispatcher.store import Store
from support.api_client import NUMBER, SAY, Client, client
from support.claims import claim_one
from support.gateway_process import Gateway, problem

OTHER = "+14155550123"
TYPE = "urn:voice-dispatcher:do-not-call"


def add(store: Store, *numbers: str, **how: str) -> None:
    store.do_not_call.add([Wish(number, **how) for number in numbers or (NUMBER,)], actor="cli:ann")  # type: ignore[arg-type]


def test_who_is_on_the_list_is_refused_by_a_type_of_its_own(billing: Client, store: Store) -> None:
    add(store, NUMBER, reason="asked us")
    told = problem(billing.post("/v1/jobs", SAY), 403)
    assert told["type"] == TYPE
    assert told["errors"][0]["field"] == "recipient"
    assert "do-not-call list" in told["detail"]
    assert NUMBER not in str(told)
    assert "asked us" not in str(told)
    assert problem(billing.post("/v1/jobs", {**SAY, "lang": "xx"}), 422)["type"] == "about:blank"


def test_a_line_of_many_is_refused_alone_and_by_the_same_type(
    billing: Client, store: Store
) -> None:
    add(store)
    (refused, accepted), summary = billing.bulk(
        [{**SAY, "key": "a"}, {**SAY, "key": "b", "recipient": OTHER}]
    )
    assert (refused["type"], refused["status"]) == (TYPE, 403)
    assert accepted["new"]
    assert (summary["accepted"], summary["refused"]) == (1, 1)


def test_exempt_is_a_right_of_the_key(gateway: Gateway, store: Store, billing: Client) -> None:
    add(store)
    told = problem(billing.post("/v1/jobs", {**SAY, "dnc": "exempt"}), 403)
    assert told["errors"] == [{"field": "dnc", "detail": "it needs the right `--dnc-exempt`"}]
    alarm = client(gateway, store, "alarm", Scope.ENQUEUE, rights=KeyRights(dnc_exempt=True))
    found = alarm.call(dnc="exempt")
    assert found["dnc"] == "exempt"
    assert found["timeline"][0]["why"] == "exempt from the do-not-call list"
    problem(alarm.post("/v1/jobs", SAY), 403)
    problem(billing.post("/v1/jobs", {**SAY, "dnc": "no"}), 422)


def test_an_operator_puts_on_and_takes_off_and_that_is_written_down(
    ops: Client, billing: Client, store: Store
) -> None:
    asked = {"number": [NUMBER, "(415) 555-0123"], "region": "US", "reason": "by mail"}
    waits = billing.call()["id"]
    assert ops.post("/v1/dnc", asked).json() == {"answers": ["new", "new"], "calling": []}
    assert claim_one(store, waits, token="t", lease=30) == "failed"
    assert ops.post("/v1/dnc", {"number": NUMBER}).json()["answers"] == ["known"]
    gone = ops.ask("DELETE", "/v1/dnc", json={"number": [OTHER, OTHER], "note": "mistake"})
    assert gone.json() == {"removed": [1, 0]}
    assert ops.ask("DELETE", "/v1/dnc", params={"number": NUMBER}).json() == {"removed": [1]}
    billing.call()
    acts = [(e.actor, e.action, e.target, e.note) for e in store.audit.read() if "dnc" in e.action]
    assert acts == [
        ("api:ops", "dnc.add", "2 numbers", ""),
        ("api:ops", "dnc.remove", "2 numbers", "mistake"),
        ("api:ops", "dnc.remove", "recipient:+8180****0001", ""),
    ]


def test_a_reader_sees_masks_and_cannot_find_out_who_it_is(
    dashboard: Client, ops: Client, store: Store
) -> None:
    add(store, NUMBER, reason=f"wife of {OTHER}")
    (entry,) = dashboard.get("/v1/dnc").json()["entries"]
    assert (entry["number"], entry["added_by"]) == ("+8180****0001", "cli:ann")
    assert OTHER not in entry["reason"]
    problem(dashboard.get("/v1/dnc?unmask=true"), 403)
    problem(dashboard.get("/v1/dnc", params={"number": NUMBER}), 403)
    (whole,) = ops.get("/v1/dnc", params={"number": NUMBER, "unmask": "true"}).json()["entries"]
    assert whole["number"] == NUMBER
    assert ops.get("/v1/dnc", params={"number": OTHER}).json() == {"entries": [], "cursor": None}
    assert [entry.action for entry in store.audit.read()] == ["dnc.add", "unmask"]


def test_a_hash_alone_is_kept_and_asked_for(ops: Client, billing: Client) -> None:
    ops.post("/v1/dnc", {"number": NUMBER, "keep_number": False})
    problem(billing.post("/v1/jobs", SAY), 403)
    (entry,) = ops.get("/v1/dnc").json()["entries"]
    assert entry["number"] is None
    assert ops.get("/v1/dnc", params={"number": entry["hash"]}).json()["entries"] == [entry]
    other = {"number": f"{'0' * 8}:{'1' * 40}"}
    assert "another key" in problem(ops.post("/v1/dnc", other), 422)["detail"]


def test_pages_have_every_entry_once(ops: Client, billing: Client, store: Store) -> None:
    numbers = {f"+81801234{n:04}" for n in range(1300)}
    add(store, *numbers)
    found, cursor = [], None
    while True:
        page = ops.get("/v1/dnc", params={"limit": 200, "cursor": cursor, "unmask": "true"}).json()
        found += [entry["number"] for entry in page["entries"]]
        if (cursor := page["cursor"]) is None:
            break
    assert len(found) == 1300
    assert set(found) == numbers
    problem(ops.get("/v1/dnc?cursor=12"), 422)
    of_jobs = [billing.call(recipient=OTHER) for _ in "12"] and ops.get("/v1/jobs?limit=1").json()
    told = problem(ops.get("/v1/dnc", params={"cursor": of_jobs["cursor"]}), 422)
    assert "start again" in told["remedy"]


@pytest.mark.parametrize(
    ("method", "query"),
    [("GET", "number=%2B14155550123&number=%2B818012340001"), ("DELETE", "tag=a&tag=b&number=x")],
)
def test_what_is_given_twice_is_not_read_once(ops: Client, method: str, query: str) -> None:
    told = problem(ops.ask(method, f"/v1/dnc?{query}"), 422)
    assert [each["detail"] for each in told["errors"]] == ["give it once"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "number"),
        ({"number": []}, "number"),
        ({"number": [f"+8180123{n:05}" for n in range(501)]}, "number"),
        ({"number": "080-1234-5678"}, "number"),
        ({"number": 1}, "number"),
        ({"number": NUMBER, "region": "XX"}, "region"),
        ({"number": NUMBER, "until": "soon"}, "until"),
        ({"number": NUMBER, "until": "2027"}, "until"),
        ({"number": NUMBER, "until": "2026-01-01T00:00:00Z"}, "until"),
        ({"number": NUMBER, "tag": "a,b"}, "tag"),
        ({"number": NUMBER, "reason": "x" * 201}, "reason"),
        ({"number": NUMBER, "keep_number": "no"}, "keep_number"),
        ({"number": NUMBER, "why": "x"}, "why"),
    ],
)
def test_what_is_wrong_is_named_by_its_field(
    ops: Client, store: Store, body: dict[str, object], field: str
) -> None:
    told = problem(ops.post("/v1/dnc", body), 422)
    assert [each["field"] for each in told["errors"]] == [field]
    assert "1234-5678" not in str(told)
    assert store.do_not_call.size() == 0
