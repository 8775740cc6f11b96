"""The provider's HTTP API as documented: answers, credentials, limits, credit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from support.polling import eventually
from support.sandbox_client import RECORDING, Client, Start


def test_a_playback_is_answered_with_a_list_of_one_callid(start: Start) -> None:
    answer = start().play()
    assert (answer.status_code, answer.headers["Content-Type"]) == (
        201,
        "application/json; charset=utf-8",
    )
    (placed,) = answer.json()
    assert list(placed) == ["callid"]


def test_the_older_path_behaves_the_same(start: Start) -> None:
    client = start()
    form = {"caller": "8145", "recipient": "+818012340001", "recording_url": RECORDING}
    (placed,) = client.post("/voice/simple/playback/", form).json()
    assert client.status(placed["callid"])["url"] == RECORDING


def test_a_call_can_be_read_until_it_has_ended(start: Start) -> None:
    client = start(ring=0.5)
    callid = client.callid(tags=" db1 ,, \u97f3 ,disk")
    assert client.status(callid)["status"] == "IN PROGRESS"
    eventually(lambda: client.status(callid)["status"] == "ANSWERED")
    assert client.status(callid)["tags"] == ["db1", "\u97f3", "disk"]


def test_text_to_speech_costs_extra(start: Start) -> None:
    client = start(ring=0, credits=100)
    client.play()
    assert client.balance() == 90.0
    client.say()
    assert client.balance() == 70.0


def test_a_conference_answers_with_a_callid_for_each_participant(start: Start) -> None:
    client = start(ring=0)
    placed = client.meet("+818012340001", " +818012340002", lang="en").json()
    numbers = [each["participant"] for each in placed["participants"]]
    assert numbers == ["+818012340001", "+818012340002"]
    whole = client.get(f"/voice/simple/conferences/{placed['conferenceid']}/").json()
    assert (whole["cost"], whole["conferenceid"]) == (10.0, placed["conferenceid"])
    assert set(whole) == {
        "conferenceid",
        "cost",
        "start_time",
        "end_time",
        "duration",
        "participants",
    }
    for participant, announced in zip(whole["participants"], placed["participants"], strict=True):
        alone = client.status(announced["callid"])
        assert alone["call_type"] == "simple/conferences"
        assert participant.items() <= alone.items()


@pytest.mark.parametrize(
    "path", ["/voice/calls/none/", "/voice/simple/conferences/none/", "/voice/calls/", "/nowhere/"]
)
def test_what_is_unknown_is_404(shared: Client, path: str) -> None:
    answer = shared.get(path)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


@pytest.mark.parametrize("auth", [("sandbox", "wrong"), ("wrong", "sandbox"), ("", "")])
@pytest.mark.parametrize("path", ["/you/credits/", "/voice/calls/none/", "/nowhere/"])
def test_wrong_credentials_are_401_everywhere(
    shared: Client, auth: tuple[str, str], path: str
) -> None:
    answer = shared.get(path, auth=auth)
    assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid sid/token"})


@pytest.mark.parametrize("header", [b"", b"Bearer x", b"Basic", b"Basic \xff\xfe", b"Basic !!!"])
def test_any_other_authorization_is_401(shared: Client, header: bytes) -> None:
    answer = shared.get(
        "/you/credits/", auth=lambda request: request, headers={"Authorization": header}
    )
    assert answer.status_code == 401


def test_more_requests_than_the_rate_are_throttled_reads_included(start: Start) -> None:
    """Two in 40 seconds: the third is told to wait, whatever it asks for, and places no call."""
    client = start(rate=0.05)
    client.balance()
    for answer in (client.play(), client.get("/you/credits/"), client.get("/voice/calls/none/")):
        wait = int(answer.headers["Retry-After"])
        text = f"Request was throttled. Expected available in {wait} seconds."
        assert (answer.status_code, answer.json()) == (429, {"detail": text})
        assert 15 <= wait <= 20
    assert client.calls() == []


def test_a_wait_of_one_second_is_in_the_singular(start: Start) -> None:
    client = start(rate=1)
    client.balance()
    text = "Request was throttled. Expected available in 1 second."
    assert client.get("/you/credits/").json() == {"detail": text}


def test_after_a_limit_was_lowered_no_wait_is_told(start: Start) -> None:
    """As the provider's framework does while more are in the window than may be."""
    client = start(rate="3/hour")
    for _ in range(3):
        assert client.get("/you/credits/").status_code == 200
    client.options(rate="2/hour")
    answer = client.get("/you/credits/")
    assert (answer.status_code, answer.json()) == (429, {"detail": "Request was throttled."})
    assert "Retry-After" not in answer.headers


def test_strangers_do_not_use_up_the_rate(start: Start) -> None:
    client = start(rate=0.05)
    for _ in range(3):
        assert client.get("/you/credits/", auth=("x", "y")).status_code == 401
    assert client.get("/you/credits/").status_code == 200


def test_more_simultaneous_requests_than_allowed_are_throttled(start: Start) -> None:
    client = start(max_connections=2, latency=0.4)
    with ThreadPoolExecutor(6) as pool:
        codes = sorted(pool.map(lambda _: Client(client.url).play().status_code, range(6)))
    assert codes == [201, 201, 429, 429, 429, 429]
    assert client.stats()["requests"]["peak_requests"] == 6


def test_a_balance_under_fifty_places_nothing(start: Start) -> None:
    client = start(credits=49)
    answer = client.say()
    assert answer.status_code == 403
    assert answer.json() == {"non_field_errors": ["Not enough credits, required: 20"]}
    assert (client.calls(), client.balance()) == ([], 49.0)


def test_latency_delays_every_answer(start: Start) -> None:
    client = start(latency=0.2)
    assert client.get("/you/credits/").elapsed.total_seconds() >= 0.2
    assert client.get("/you/credits/", auth=("x", "y")).elapsed.total_seconds() >= 0.2
