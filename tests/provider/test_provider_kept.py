"""Connections that are kept: no more than asked for, and none beyond the client's end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from dispatcher.provider import NotSent
from dispatcher.provider.xoxzo.client import VoiceClient
from support.polling import eventually
from support.provider_wire import Wire, http

SAY = {"caller": "+818000000000", "recipient": "+818011234567", "message": "x", "lang": "en"}
PATIENCE = 60.0


class Meeting:
    """Answers once so many requests have come; knows when their connections were closed."""

    def __init__(self, requests: int) -> None:
        self._come = threading.Barrier(requests)
        self.closed = 0

    def __call__(self, connection: socket.socket, _: object) -> None:
        self._come.wait(PATIENCE)
        connection.sendall(http(201, [{"callid": "a"}]))
        if connection.recv(1, socket.MSG_PEEK) == b"":
            self.closed += 1


def test_what_is_more_than_is_kept_is_closed_after_its_answer(
    serve: Callable[..., Wire], client_for: Callable[..., VoiceClient]
) -> None:
    meeting = Meeting(3)
    client = client_for(serve(meeting).url, pool_size=1, read_timeout=PATIENCE)
    with ThreadPoolExecutor(3) as threads:
        answers = [threads.submit(client.say, **SAY) for _ in range(3)]
        assert [each.result() for each in answers] == ["a"] * 3
    eventually(lambda: meeting.closed == 2)


def test_a_request_that_is_under_way_is_answered_and_then_its_connection_closed(
    serve: Callable[..., Wire], client_for: Callable[..., VoiceClient]
) -> None:
    asked, go_on, closed = threading.Event(), threading.Event(), threading.Event()

    def answer(connection: socket.socket, _: object) -> None:
        asked.set()
        assert go_on.wait(PATIENCE)
        connection.sendall(http(201, [{"callid": "a"}]))
        if connection.recv(1) == b"":
            closed.set()

    client = client_for(serve(answer).url, read_timeout=PATIENCE)
    with ThreadPoolExecutor(1) as threads:
        under_way = threads.submit(client.say, **SAY)
        assert asked.wait(PATIENCE)
        client.close()
        go_on.set()
        assert under_way.result() == "a"
    assert closed.wait(PATIENCE)
    with pytest.raises(NotSent):
        client.say(**SAY)
