from __future__ import annotations

import base64
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from dispatcher.provider import NotSent, UnknownCall, UnreadableAnswer
from dispatcher.provider.http_answer import Answered
from dispatcher.provider.transport import Connection
from dispatcher.provider.xoxzo.client import VoiceClient
from support.provider_wire import TOKEN, after, http, placed

SAY = {
    "caller": "+818000000000",
    "recipient": "+818011234567",
    "message": "Disk full",
    "lang": "en",
}
CONFERENCE = {
    "conferenceid": "conf-1",
    "participants": [
        {"callid": "a", "participant": "+818011234567"},
        {"callid": "b", "participant": "+818011234568"},
    ],
}


def test_a_playback_is_posted_as_documented(serve, client_for) -> None:
    server = serve(placed("call-1"))
    callid = client_for(server.url).play(
        caller="8145",
        recipient="+818011234567",
        recording_url="http://a.example/b.mp3",
        tags=["db1", "日本"],
        callback_url="https://d.example/callbacks/1",
    )
    assert callid == "call-1"
    (request,) = server.seen
    assert request.line == "POST /voice/simple/playbacks/ HTTP/1.1"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.headers["authorization"] == (
        "Basic " + base64.b64encode(f"sid:{TOKEN}".encode()).decode()
    )
    assert request.fields == {
        "caller": "8145",
        "recipient": "+818011234567",
        "recording_url": "http://a.example/b.mp3",
        "tags": "db1,日本",
        "callbackurl": "https://d.example/callbacks/1",
    }


def test_a_message_is_posted_without_what_was_not_given(serve, client_for) -> None:
    server = serve(placed())
    client_for(server.url).say(**{**SAY, "message": "火事だ & 100%+\n"})
    assert server.seen[0].fields == {
        "caller": "+818000000000",
        "recipient": "+818011234567",
        "tts_message": "火事だ & 100%+\n",
        "tts_lang": "en",
    }


def test_a_text_that_is_not_quite_unicode_is_still_said(serve, client_for) -> None:
    server = serve(placed())
    client_for(server.url).say(**{**SAY, "message": "fire \ud800!"})
    assert server.seen[0].fields["tts_message"] == "fire ?!"


def test_a_conference_is_posted_as_documented(serve, client_for) -> None:
    server = serve(http(201, CONFERENCE))
    numbers = ["+818011234567", "+818011234568"]
    conference = client_for(server.url).confer(caller="8145", participants=numbers, lang="en")
    assert conference.conferenceid == "conf-1"
    assert [(leg.callid, leg.participant) for leg in conference.participants] == [
        ("a", numbers[0]),
        ("b", numbers[1]),
    ]
    assert server.seen[0].line == "POST /voice/simple/conferences/ HTTP/1.1"
    assert server.seen[0].fields == {
        "caller": "8145",
        "participants": ",".join(numbers),
        "lang": "en",
    }


def test_a_conference_without_a_language_leaves_it_to_the_provider(serve, client_for) -> None:
    server = serve(http(201, CONFERENCE))
    client_for(server.url).confer(caller="8145", participants=["+818011234567"])
    assert "lang" not in server.seen[0].fields


def test_a_call_status_is_read(serve, client_for) -> None:
    body = {"callid": "c", "status": "ANSWERED", "cost": 12.5, "start_time": "2030-01-31 09:00:00"}
    server = serve(http(200, body))
    status = client_for(server.url).call_status("c")
    assert (status.status, status.cost) == ("ANSWERED", Decimal("12.5"))
    assert status.start_time == datetime(2030, 1, 31, 9, tzinfo=UTC)
    assert server.seen[0].line == "GET /voice/calls/c/ HTTP/1.1"
    assert server.seen[0].body == b""


def test_a_conference_status_is_read(serve, client_for) -> None:
    legs = [{"callid": "a", "status": "ANSWERED"}, {"callid": "b", "status": "IN PROGRESS"}]
    server = serve(http(200, {"conferenceid": "x", "participants": legs}))
    words = [leg.status for leg in client_for(server.url).conference_status("x").participants]
    assert words == ["ANSWERED", "IN PROGRESS"]
    assert server.seen[0].line == "GET /voice/simple/conferences/x/ HTTP/1.1"


def test_the_balance_is_read(serve, client_for) -> None:
    server = serve(http(200, b'{"credits": 1000.10}'))
    assert client_for(server.url).credits() == Decimal("1000.1")
    assert server.seen[0].line == "GET /you/credits/ HTTP/1.1"


@pytest.mark.parametrize(
    "callid", ["", ".", "..", "../../you/credits", "a/b", "a b", "a\n", "x" * 129]
)
def test_what_cannot_be_a_callid_is_not_asked_for(serve, client_for, callid: str) -> None:
    server = serve(placed())
    with pytest.raises(UnknownCall):
        client_for(server.url).call_status(callid)
    assert server.seen == []


def test_a_callid_is_quoted_in_the_path(serve, client_for) -> None:
    server = serve(http(200, {"callid": "a+b=", "status": "FAILED"}))
    client_for(server.url).call_status("a+b=")
    assert server.seen[0].line == "GET /voice/calls/a%2Bb%3D/ HTTP/1.1"


@pytest.mark.parametrize("ending", ["", "/", "/prefix", "/prefix/"])
def test_the_host_may_have_a_path(serve, client_for, ending: str) -> None:
    server = serve(http(200, {"credits": 1}))
    client_for(server.url + ending).credits()
    assert server.seen[0].line == f"GET {ending.rstrip('/')}/you/credits/ HTTP/1.1"


def test_one_connection_carries_request_after_request(serve, client_for) -> None:
    server = serve(placed())
    client = client_for(server.url)
    for _ in range(5):
        client.say(**SAY)
    assert (len(server.seen), server.connections) == (5, 1)


def test_a_chunked_answer_leaves_its_connection_usable(serve, client_for) -> None:
    body = b'11\r\n[{"callid": "a"}]\r\n0\r\n\r\n'
    server = serve(b"HTTP/1.1 201 CREATED\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
    client = client_for(server.url)
    assert [client.say(**SAY), client.say(**SAY)] == ["a", "a"]
    assert server.connections == 1


def test_a_refused_request_leaves_its_connection_usable(serve, client_for) -> None:
    server = serve(http(404), http(200, {"credits": 1}))
    client = client_for(server.url)
    with pytest.raises(UnknownCall):
        client.call_status("a")
    client.credits()
    assert server.connections == 1


def test_a_connection_that_was_idle_for_long_carries_no_request(
    serve, client_for, monkeypatch
) -> None:
    server = serve(placed())
    client = client_for(server.url)
    client.say(**SAY)
    monkeypatch.setattr(Connection, "max_idle", 0.0)
    client.say(**SAY)
    assert [request.connection for request in server.seen] == [1, 2]


def test_a_connection_that_the_server_has_closed_carries_no_request(serve, client_for) -> None:
    closed = threading.Event()

    def answer_and_close(connection, _) -> None:
        after(placed())(connection, None)
        closed.set()

    server = serve(answer_and_close, placed())
    client = client_for(server.url)
    client.say(**SAY)
    assert closed.wait(5)
    client.say(**SAY)
    assert [request.connection for request in server.seen] == [1, 2]


def test_threads_get_their_own_answers(serve, client_for) -> None:
    def echo(connection, request) -> None:
        connection.sendall(http(200, {"callid": request.line.split("/")[3], "status": "FAILED"}))

    server = serve(echo)
    client = client_for(server.url, pool_size=16)
    asked = [f"call-{number}" for number in range(200)]
    with ThreadPoolExecutor(16) as threads:
        answered = list(threads.map(lambda callid: client.call_status(callid).callid, asked))
    assert answered == asked
    assert server.connections <= 16


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirected_post_is_not_followed(serve, client_for, status: int) -> None:
    server = serve(http(status, headers={"Location": "/elsewhere/"}))
    with pytest.raises(UnreadableAnswer) as caught:
        client_for(server.url).say(**SAY)
    assert caught.value.status == status
    assert len(server.seen) == 1


def test_a_redirect_to_nonsense_is_not_looked_at(ask) -> None:
    with pytest.raises(UnreadableAnswer):
        ask(http(302, headers={"Location": "http://[::"})).say(**SAY)


def test_cookies_are_not_sent_back(serve, client_for) -> None:
    server = serve(http(200, {"credits": 1}, headers={"Set-Cookie": "a=b; Path=/"}))
    client = client_for(server.url)
    client.credits()
    client.credits()
    assert not any("cookie" in request.headers for request in server.seen)


def test_the_environment_is_not_read_again_after_the_start(serve, client_for, monkeypatch) -> None:
    client = client_for(serve(placed()).url)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert client.say(**SAY)


def test_a_client_shows_its_host_only(client_for) -> None:
    client = client_for("http://127.0.0.1:1")
    assert repr(client) == "VoiceClient('http://127.0.0.1:1')"


def test_a_closed_client_sends_nothing_and_says_so(serve, client_for) -> None:
    server = serve(placed())
    client: VoiceClient = client_for(server.url)
    client.say(**SAY)
    client.close()
    with pytest.raises(NotSent, match="the client is closed"):
        client.say(**SAY)
    assert [request.connection for request in server.seen] == [1]


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has it")
def test_a_request_is_not_delivered_after_its_answer_was_given_up(
    serve, client_for, monkeypatch
) -> None:
    """What it does is seen where a network fails: tests/chaos/test_chaos_machines.py."""
    given_up_after: list[int] = []
    ask = Connection.ask

    def watched(self: Connection, *args: Any) -> Answered:
        given_up_after.append(self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT))
        return ask(self, *args)

    monkeypatch.setattr(Connection, "ask", watched)
    client_for(serve(placed()).url, read_timeout=3.5).say(**SAY)
    assert given_up_after == [3500]
