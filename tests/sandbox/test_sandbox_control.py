"""The control endpoints, and options changed at run time."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from support.polling import eventually
from support.sandbox_client import Client, Start


def test_credits_are_set_and_topped_up(start: Start) -> None:
    client = start(credits=100, ring=60)
    assert client.credits(credits=30.5).json()["balance"] == 30.5
    assert client.play().status_code == 403
    assert client.credits(add=20).json()["balance"] == 50.5
    assert client.play().status_code == 201
    lines = client.stats()["credits"]["ledger"]
    assert [(line["what"], line["amount"], line["balance"]) for line in lines] == [
        ("start", 100.0, 100.0),
        ("added", -69.5, 30.5),
        ("added", 20.0, 50.5),
    ]


def test_the_sums_of_the_ledger_add_up_to_the_costs_of_the_calls(start: Start) -> None:
    client = start(ring=0, credits=200)
    for digits in ("0001", "0002", "0003"):
        client.say("+81801234" + digits)
    client.meet("+818012340001", "+818012340001", "+818012340002")
    money = client.stats()["credits"]
    assert money["charged"] == sum(call["cost"] for call in client.calls()) == 40.0
    assert (money["start"], money["added"], money["balance"]) == (200.0, 0.0, 160.0)
    assert client.balance() == 160.0


def test_a_call_is_listed_with_all_that_a_test_wants_to_know(start: Start) -> None:
    client = start(ring=60)
    callid = client.say(tags="a,b", callbackurl="http://127.0.0.1:9/x").json()[0]["callid"]
    (call,) = client.calls()
    placed_at = call.pop("placed_at")
    assert call == {
        "callid": callid,
        "conferenceid": None,
        "call_type": "simple/playbacks",
        "caller": "81450000000",
        "recipient": "+818012340001",
        "url": "",
        "tts_message": "Disk full",
        "tts_lang": "en",
        "params": {},
        "tags": ["a", "b"],
        "status": "IN PROGRESS",
        "cost": 0.0,
        "ended_at": None,
        "callbackurl": True,
        "callback_tries": [],
    }
    assert placed_at.endswith("+00:00")


def test_calls_are_filtered_by_recipient_and_tag(start: Start) -> None:
    client = start(ring=60)
    client.callid("+818012340001", tags="red")
    client.callid("+818012340002", tags="red,blue")
    assert client.get("/_sandbox/calls?recipient=+818012340002").json() == client.calls(tag="blue")
    assert [len(client.calls(**query)) for query in ({}, {"tag": "red"}, {"tag": "no"})] == [
        2,
        2,
        0,
    ]


def test_a_long_list_of_calls_is_whole(start: Start) -> None:
    client = start(postpaid=True, ring=0)
    ids = [client.callid() for _ in range(230)]
    assert [call["callid"] for call in client.calls()] == ids


def test_stats_count_requests_by_status_and_kind(start: Start) -> None:
    client = start()
    callid = client.callid()
    client.status(callid)
    client.balance()
    client.get("/nowhere/")
    client.get("/you/credits/", auth=("x", "y"))
    client.meet()
    requests_seen = client.stats()["requests"]
    assert requests_seen["by_status"] == {"201": 1, "200": 2, "404": 1, "401": 1, "400": 1}
    assert requests_seen["by_kind"] == {
        "playback": 1,
        "call_status": 1,
        "credits": 2,
        "other": 1,
        "conference": 1,
    }
    assert (requests_seen["total"], requests_seen["accepted"]) == (6, 5)


def test_the_worst_second_counts_all_requests_and_the_accepted_ones(start: Start) -> None:
    client = start(rate=1)
    for _ in range(5):
        client.get("/you/credits/")
    worst = client.stats()["requests"]["worst_second"]
    assert worst["accepted"] == 1
    assert worst["all"] >= 2


def test_options_change_at_run_time(start: Start) -> None:
    client = start(ring=60)
    assert client.options(rate=0.001, credits=70, ring=0).status_code == 200
    assert client.play().status_code == 201
    assert client.play().status_code == 429
    assert client.options(rate=None).status_code == 200
    assert client.balance() == 60.0
    shown = client.get("/_sandbox/options").json()
    assert (shown["ring"], shown["rate"], shown["down"], "token" in shown) == (
        0,
        None,
        "off",
        False,
    )


def test_a_wrong_token_for_a_while(start: Start) -> None:
    client = start()
    client.options(token="another")
    assert client.play().status_code == 401
    client.options(token="sandbox")
    assert client.play().status_code == 201


@pytest.mark.parametrize("mode", ["500", "503"])
def test_the_provider_can_be_down_with_a_page(start: Start, mode: str) -> None:
    client = start()
    client.options(down=mode)
    for answer in (client.play(), client.get("/you/credits/", auth=("x", "y"))):
        assert (answer.status_code, answer.headers["Content-Type"][:9]) == (int(mode), "text/html")
    client.options(down="off")
    assert (client.calls(), client.play().status_code) == ([], 201)


def test_the_client_may_not_be_on_the_list_of_allowed_addresses(start: Start) -> None:
    client = start()
    client.options(down="403")
    answer = client.play()
    assert (answer.status_code, answer.json()) == (
        403,
        {"detail": "Your IP address is not allowed."},
    )


def test_an_outage_can_end_by_itself(start: Start) -> None:
    client = start()
    client.options(down="503", down_for=2)
    assert client.play().status_code == 503
    eventually(lambda: client.play().status_code == 201)


def test_the_provider_can_refuse_connections_for_a_while(start: Start) -> None:
    """The listener is gone, and connections from before are ended, so nobody is left in doubt."""
    client = start()
    begun = time.monotonic()
    assert client.options(down="refuse", down_for=3).status_code == 200
    with pytest.raises(requests.ConnectionError, match="refused"):
        client.play()
    eventually(lambda: reachable(client))
    assert time.monotonic() - begun >= 3
    assert client.get("/_sandbox/options").json()["down"] == "off"
    assert client.calls() == []


def reachable(client: Client) -> bool:
    try:
        return client.get("/you/credits/").status_code == 200
    except requests.ConnectionError:
        return False


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"speed": 1}, "'speed'"),
        ({"seed": 5}, "'seed'"),
        ({"rate": 0}, "rate"),
        ({"rate": "fast"}, "'fast'"),
        ({"rate": True}, "True"),
        ({"ring": -1}, "-1"),
        ({"ring": None}, "None"),
        ({"callback_drop": 1.5}, "1.5"),
        ({"max_connections": 0}, "max_connections"),
        ({"callback_format": "xml"}, "'xml'"),
        ({"token": ""}, "token"),
        ({"postpaid": 1}, "postpaid"),
        ({"down": "broken"}, "'broken'"),
        ({"down": "503", "down_for": -1}, "-1"),
        ({"down": "refuse"}, "down_for"),
        ({"down_for": 5}, "down is None"),
    ],
)
def test_a_wrong_option_is_named_and_changes_nothing(
    shared: Client, changes: dict[str, Any], word: str
) -> None:
    before = shared.get("/_sandbox/options").json()
    answer = shared.options(latency=5, **changes)
    assert answer.status_code == 400
    assert word in answer.json()["detail"]
    assert shared.get("/_sandbox/options").json() == before


@pytest.mark.parametrize(
    "body", [{}, {"credits": 1, "add": 1}, {"add": "x"}, {"credits": None}, {"add": 1e300}, [], 5]
)
def test_a_wrong_change_of_credits_is_400(shared: Client, body: object) -> None:
    before = shared.balance()
    assert shared.post("/_sandbox/credits", json=body).status_code == 400
    assert shared.balance() == before


def test_a_reset_makes_the_sandbox_as_new(start: Start) -> None:
    client = start(credits=100, callback_delay=60, ring=0)
    first = client.callid(callbackurl="http://127.0.0.1:9/x")
    client.options(rate=0.001)
    client.get("/nowhere/")
    assert client.post("/_sandbox/reset").status_code == 200
    stats = client.stats()
    assert stats["requests"]["total"] == stats["calls"]["placed"] == 0
    assert stats["calls"]["callbacks_waiting"] == 0
    assert stats["credits"]["balance"] == 100.0
    assert [client.callid(), client.get("/nowhere/").status_code] == [first, 404]


def test_the_control_endpoints_can_be_switched_off(start: Start) -> None:
    client = start(control=False)
    assert client.get("/_sandbox/stats").status_code == 404
    assert client.options(rate=1).status_code == 404


def test_control_needs_no_credentials_and_is_not_counted(start: Start) -> None:
    client = start(rate=0.001)
    for _ in range(3):
        assert client.get("/_sandbox/stats", auth=("x", "y")).status_code == 200
    assert client.stats()["requests"]["total"] == 0
