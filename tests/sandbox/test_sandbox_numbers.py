"""The table of numbers, over HTTP: what the answer to the POST says and what really happened."""

from __future__ import annotations

import pytest
import requests

from support.polling import eventually
from support.sandbox_client import Client, Start

PREFIX = "+81801234"


def placed(client: Client, digits: str) -> int:
    return len(client.calls(recipient=PREFIX + digits))


def test_0006_is_throttled_once_for_each_number(start: Start) -> None:
    client = start()
    first = client.play(PREFIX + "0006")
    assert (first.status_code, first.headers["Retry-After"]) == (429, "1")
    assert "Expected available in 1 second." in first.json()["detail"]
    assert placed(client, "0006") == 0
    assert [client.play(PREFIX + "0006").status_code for _ in range(2)] == [201, 201]
    assert client.play("+818099990006").status_code == 429


def test_0007_is_a_500_and_no_call(start: Start) -> None:
    client = start()
    answer = client.play(PREFIX + "0007")
    assert (answer.status_code, placed(client, "0007")) == (500, 0)
    assert answer.headers["Content-Type"].startswith("text/html")


def test_0008_is_the_same_500_and_a_call(start: Start) -> None:
    client = start()
    answer = client.play(PREFIX + "0008")
    assert (answer.status_code, placed(client, "0008")) == (500, 1)
    assert answer.text == client.play(PREFIX + "0007").text


def test_0009_cuts_the_connection_after_the_call_was_placed(start: Start) -> None:
    client = start()
    with pytest.raises(requests.ConnectionError):
        client.play(PREFIX + "0009")
    assert placed(client, "0009") == 1
    assert client.stats()["requests"]["by_status"] == {"cut": 1}
    assert client.play().status_code == 201


def test_0010_places_the_call_at_once_and_answers_late(start: Start) -> None:
    client = start(slow=0.3)
    answer = client.play(PREFIX + "0010")
    assert (answer.status_code, answer.elapsed.total_seconds() >= 0.3) == (201, True)
    (call,) = client.calls()
    assert call["status"] == "ANSWERED"  # it rang for 0.05 seconds, long before the answer


def test_0010_is_placed_even_where_the_client_gives_up(start: Start) -> None:
    client = start(slow=30)
    with pytest.raises(requests.ReadTimeout):
        client.session.post(
            client.url + "/voice/simple/playbacks/",
            {"caller": "8145", "recipient": PREFIX + "0010", "recording_url": "http://a/b.mp3"},
            timeout=0.2,
        )
    assert placed(client, "0010") == 1


def test_0011_is_a_201_that_is_no_json(start: Start) -> None:
    client = start()
    answer = client.play(PREFIX + "0011")
    assert (answer.status_code, placed(client, "0011")) == (201, 1)
    with pytest.raises(requests.exceptions.JSONDecodeError):
        answer.json()


def test_0012_is_not_allowed_in_both_documented_forms(start: Start) -> None:
    client = start()
    alone = client.play(PREFIX + "0012")
    assert (alone.status_code, alone.json()) == (403, {"non_field_errors": ["Country not allowed"]})
    together = client.meet(PREFIX + "0001", PREFIX + "0012")
    assert (together.status_code, together.json()) == (
        400,
        {"participants": ["Country not allowed"]},
    )
    assert client.calls() == []


def test_0013_ends_with_a_word_nobody_documented(start: Start) -> None:
    client = start(ring=0)
    documented = {"IN PROGRESS", "ANSWERED", "NO ANSWER", "FAILED"}
    told = client.status(client.callid(PREFIX + "0013"))
    assert told["status"] not in documented
    assert told["end_time"] is not None


def test_0014_goes_on_under_a_word_nobody_documented(start: Start) -> None:
    client = start(ring=0.3)
    callid = client.callid(PREFIX + "0014")
    told = client.status(callid)
    assert (told["status"], told["end_time"]) == ("RINGING", None)
    assert eventually(lambda: client.status(callid)["end_time"])
    assert client.status(callid)["status"] == "ANSWERED"


def test_0015_is_too_dear_for_an_account_that_pays_for_others(start: Start) -> None:
    client = start(ring=0, credits=500)
    required = {"non_field_errors": ["Not enough credits, required: 1000"]}
    for refused in (client.play(PREFIX + "0015"), client.meet(PREFIX + "0001", PREFIX + "0015")):
        assert refused.status_code == 403
    assert client.play(PREFIX + "0015").json() == required
    assert client.play(PREFIX + "0001").status_code == 201


def test_participants_behave_by_their_numbers_too(start: Start) -> None:
    client = start()
    assert client.meet(PREFIX + "0001", PREFIX + "0006").status_code == 429
    assert client.meet(PREFIX + "0001", PREFIX + "0006").status_code == 201
    assert client.meet(PREFIX + "0001", PREFIX + "0007").status_code == 500
    assert len(client.calls()) == 2
    assert client.meet(PREFIX + "0002", PREFIX + "0003", PREFIX + "0008").status_code == 500
    endings = eventually(lambda: all_ended(client))
    assert endings == ["ANSWERED", "ANSWERED", "NO ANSWER", "FAILED", "ANSWERED"]


def all_ended(client: Client) -> list[str] | None:
    words = [call["status"] for call in client.calls()]
    return None if "IN PROGRESS" in words else words
