"""Callbacks: once a call has ended, until answered 200, and badly where the options say so."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import requests

from support.polling import eventually
from support.sandbox_client import Client, Receiver, Start


def results(client: Client) -> list[Any]:
    (call,) = client.calls()
    return [each["result"] for each in call["callback_tries"]]


def test_a_callback_tells_what_the_call_status_tells(start: Start, receiver: Receiver) -> None:
    client = start()
    callid = client.callid(callbackurl=receiver.url, tags="db1,disk")
    (told,) = eventually(lambda: receiver.received)
    status = client.status(callid)
    assert told == {**{name: str(value) for name, value in status.items()}, "tags": "db1,disk"}
    assert receiver.types == ["application/x-www-form-urlencoded"]


def test_a_callback_can_be_json(start: Start, receiver: Receiver) -> None:
    client = start(callback_format="json")
    callid = client.callid(callbackurl=receiver.url, tags="db1,disk")
    assert eventually(lambda: receiver.received) == [client.status(callid)]


def test_a_callback_is_tried_until_it_is_answered_200(start: Start, receiver: Receiver) -> None:
    receiver.answers = [500, 302, 204]
    client = start(callback_retry=0.01)
    client.callid(callbackurl=receiver.url)
    eventually(lambda: results(client) == [500, 302, 204, 200])


def test_a_callback_is_tried_ten_times_at_most(start: Start, receiver: Receiver) -> None:
    receiver.answers = [503] * 50
    client = start(callback_retry=0.001)
    client.callid(callbackurl=receiver.url)
    eventually(lambda: client.stats()["calls"]["callbacks_waiting"] == 0 and results(client))
    assert results(client) == [503] * 10
    assert len(receiver.received) == 10


def test_a_receiver_that_is_away_costs_a_try(start: Start) -> None:
    with socket.socket() as unused:  # bound and not listening: nobody else can answer there
        unused.bind(("127.0.0.1", 0))
        client = start(callback_retry=0.001)
        client.callid(callbackurl=f"http://127.0.0.1:{unused.getsockname()[1]}/")
        eventually(lambda: results(client) == ["ClientConnectorError"] * 10)


@pytest.mark.parametrize("digits", ["0008", "0009", "0011"])
def test_a_call_whose_answer_was_lost_calls_back(
    start: Start, receiver: Receiver, digits: str
) -> None:
    """The callback is the only way that the client can learn the callid."""
    client = start()
    try:
        client.play("+81801234" + digits, callbackurl=receiver.url)
    except requests.ConnectionError:
        assert digits == "0009"
    (told,) = eventually(lambda: receiver.received)
    assert told["callid"] == client.calls()[0]["callid"]


def test_a_dropped_callback_never_comes_and_is_listed_as_dropped(
    start: Start, receiver: Receiver
) -> None:
    client = start(callback_drop=1)
    client.callid(callbackurl=receiver.url)
    eventually(lambda: results(client) == ["dropped"])
    assert receiver.received == []


def test_a_doubled_callback_comes_again_after_it_was_answered(
    start: Start, receiver: Receiver
) -> None:
    client = start(callback_duplicate=1)
    client.callid(callbackurl=receiver.url)
    eventually(lambda: results(client) == [200, 200])
    assert receiver.received[0] == receiver.received[1]


def test_which_callbacks_are_dropped_comes_from_the_seed(start: Start, receiver: Receiver) -> None:
    def dropped() -> list[bool]:
        client = start(callback_drop=0.5, seed=3, ring=0, callback_retry=0.001)
        for _ in range(12):
            client.callid(callbackurl=receiver.url)
        calls = eventually(
            lambda: (
                calls
                if all((calls := client.calls())[i]["callback_tries"] for i in range(12))
                else None
            )
        )
        return [call["callback_tries"][0]["result"] == "dropped" for call in calls]

    first = dropped()
    assert first == dropped()
    assert set(first) == {True, False}


def test_a_delayed_callback_comes_after_the_end_of_the_call(
    start: Start, receiver: Receiver
) -> None:
    client = start(ring=0, callback_delay=60)
    client.callid(callbackurl=receiver.url)
    assert client.stats()["calls"]["callbacks_waiting"] == 1
    client.options(callback_delay=0.1)
    client.callid(callbackurl=receiver.url)
    eventually(lambda: receiver.received)
    assert len(receiver.received) == 1


def test_a_call_without_a_callbackurl_calls_nobody_back(start: Start) -> None:
    client = start(ring=60)
    client.callid()
    assert client.stats()["calls"]["callbacks_waiting"] == 0
    assert client.calls()[0]["callbackurl"] is False
