"""The rows of the error table that concern the wire: never reached, or perhaps placed?"""

from __future__ import annotations

import socket
import threading
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dispatcher.provider import (
    AnswerLost,
    MaybePlaced,
    NeverReached,
    NotPlaced,
    ProviderError,
    Unavailable,
    UnreadableAnswer,
)
from dispatcher.provider.xoxzo.client import VoiceClient
from dispatcher.provider.xoxzo.session import Credentials
from support.ports import free_port
from support.provider_wire import Wire, after, http, placed, reset, stop

SAY = {
    "caller": "+818000000000",
    "recipient": "+818011234567",
    "message": "Disk full",
    "lang": "en",
}


def say(client: VoiceClient, **changed: str) -> ProviderError:
    """Return the error of a POST."""
    with pytest.raises(ProviderError) as caught:
        client.say(**{**SAY, **changed})
    return caught.value


def read(client: VoiceClient) -> ProviderError:
    """Return the error of a GET."""
    with pytest.raises(ProviderError) as caught:
        client.call_status("a")
    return caught.value


# -- never reached -------------------------------------------------------------------------


def test_a_refused_connection_reached_nobody(client_for) -> None:
    client = client_for(f"http://127.0.0.1:{free_port()}")
    for error in (say(client), read(client)):
        assert type(error) is NeverReached
        assert "refused" in error.detail


def test_a_name_that_is_not_found_reached_nobody(client_for, monkeypatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    error = say(client_for("http://api.xoxzo.invalid"))
    assert type(error) is NeverReached
    assert "Name or service not known" in str(error)
    assert "api.xoxzo.invalid" in str(error)


def test_a_name_that_cannot_be_encoded_reached_nobody(client_for) -> None:
    error = say(client_for(f"http://{'a' * 70}.example"))
    assert type(error) is NeverReached


def test_a_connect_timeout_reached_nobody(client_for) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]  # fills the queue: the next SYN is dropped
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        error = say(client_for(f"http://127.0.0.1:{port}", connect_timeout=0.2))
        for one in waiting:
            one.close()
    assert type(error) is NeverReached
    assert "timed out" in str(error)


def test_a_server_without_tls_reached_nobody(serve, client_for) -> None:
    server = serve(b"HTTP/1.1 400 Bad Request\r\n\r\n", reads=False)
    error = say(client_for(server.url.replace("http:", "https:")))
    assert type(error) is NeverReached
    assert error.detail == "it does not speak TLS there"


def test_a_certificate_that_nobody_signed_reached_nobody(serve_tls, client_for) -> None:
    server = serve_tls(placed())
    error = say(client_for(server.url))
    assert type(error) is NeverReached
    assert "of an authority that is not trusted here" in error.detail
    assert server.seen == []


def test_a_handshake_that_does_not_end_reached_nobody(serve, client_for) -> None:
    over = threading.Event()
    server = serve(lambda *_: over.wait(60), reads=False)
    client = client_for(server.url.replace("http:", "https:"), connect_timeout=0.2)
    error = say(client)
    over.set()
    assert type(error) is NeverReached


def test_a_cut_handshake_reached_nobody(serve, client_for) -> None:
    server = serve(reset, reads=False)
    error = say(client_for(server.url.replace("http:", "https:")))
    assert type(error) is NeverReached


def test_a_proxy_that_refuses_connections_reached_nobody(client_for, monkeypatch) -> None:
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{free_port()}")
    assert type(say(client_for("https://api.xoxzo.invalid"))) is NeverReached


@pytest.mark.parametrize("status", [403, 407, 502])
def test_a_proxy_that_opens_no_tunnel_reached_nobody(
    serve, client_for, monkeypatch, status: int
) -> None:
    proxy = serve(http(status, b"no"))
    monkeypatch.setenv("https_proxy", f"http://user:pa55word@127.0.0.1:{proxy.port}")
    error = say(client_for("https://api.xoxzo.invalid"))
    assert type(error) is NeverReached
    assert proxy.seen[0].line.startswith("CONNECT api.xoxzo.invalid:443 ")
    assert "pa55word" not in str(error)


def test_a_proxy_that_talks_nonsense_reached_nobody(serve, client_for, monkeypatch) -> None:
    proxy = serve(b"what?\r\n\r\n")
    monkeypatch.setenv("https_proxy", proxy.url)
    assert type(say(client_for("https://api.xoxzo.invalid"))) is NeverReached


def test_a_proxy_that_wants_a_password_for_plain_http_reached_nobody(
    serve, client_for, monkeypatch
) -> None:
    monkeypatch.setenv("http_proxy", serve(http(407)).url)
    assert type(say(client_for("http://api.xoxzo.invalid"))) is NeverReached


# -- perhaps placed ------------------------------------------------------------------------


BODY = b'[{"callid": "a"}]'
LOST = {
    "reset before an answer": reset,
    "closed before an answer": stop,
    "cut in the status line": after(b"HTTP/1.1 2"),
    "cut before the body": after(b"HTTP/1.1 201 CREATED\r\nContent-Length: 17\r\n\r\n"),
    "a body that is too short": after(b"HTTP/1.1 201 CREATED\r\nContent-Length: 99\r\n\r\n" + BODY),
    "a reset within the body": after(
        b"HTTP/1.1 201 CREATED\r\nContent-Length: 99\r\n\r\n" + BODY, reset
    ),
    "cut before the last chunk": after(
        b"HTTP/1.1 201 CREATED\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n" + BODY + b"\r\n"
    ),
    "cut within a chunk": after(
        b"HTTP/1.1 201 CREATED\r\nTransfer-Encoding: chunked\r\n\r\n11\r\n" + BODY[:5]
    ),
    "chunks of no size": after(
        b"HTTP/1.1 201 CREATED\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + BODY
    ),
    "no HTTP": after(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "a body that does not unpack": http(201, BODY, headers={"Content-Encoding": "gzip"}),
}


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST)
def test_a_lost_answer_leaves_open_whether_a_call_was_placed(serve, client_for, answer) -> None:
    server = serve(answer)
    error = say(client_for(server.url))
    assert type(error) is AnswerLost
    assert len(server.seen) == 1, "the request must have been sent once"


@pytest.mark.parametrize("answer", LOST.values(), ids=LOST)
def test_a_lost_answer_to_a_question_places_no_call(ask, answer) -> None:
    assert type(read(ask(answer))) is Unavailable


def test_headers_that_are_cut_leave_it_open(ask) -> None:
    error = say(ask(after(b"HTTP/1.1 201 CREATED\r\nContent-")))
    assert isinstance(error, MaybePlaced)


def test_a_kept_connection_that_breaks_leaves_it_open(serve, client_for) -> None:
    server = serve(placed(), reset)
    client = client_for(server.url)
    client.say(**SAY)
    assert type(say(client)) is AnswerLost
    assert [request.connection for request in server.seen] == [1, 1]


def test_a_reset_while_the_request_is_being_sent_leaves_it_open(serve, client_for) -> None:
    def read_a_little(connection: socket.socket, _: object) -> None:
        connection.recv(1000)
        reset(connection)

    server = serve(read_a_little, reads=False)
    assert type(say(client_for(server.url), message="x" * 8_000_000)) is AnswerLost


def test_a_request_that_is_not_taken_in_time_leaves_it_open(serve, client_for) -> None:
    over = threading.Event()
    server = serve(lambda *_: over.wait(60), reads=False)
    error = say(client_for(server.url, connect_timeout=0.3), message="x" * 8_000_000)
    over.set()
    assert type(error) is AnswerLost


def test_tls_that_breaks_after_the_request_leaves_it_open(
    serve_tls, client_for, certificate, monkeypatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    server = serve_tls(lambda connection, _: reset(connection))
    assert type(say(client_for(server.url))) is AnswerLost
    assert len(server.seen) == 1


def test_garbage_inside_tls_leaves_it_open(serve_tls, client_for, certificate, monkeypatch) -> None:
    def garbage(connection, _: object) -> None:
        with socket.socket(fileno=connection.detach()) as plain:
            plain.sendall(b"this is no TLS record at all")

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    server = serve_tls(garbage)
    assert type(say(client_for(server.url))) is AnswerLost
    assert len(server.seen) == 1


def test_silence_leaves_it_open(serve, client_for) -> None:
    over = threading.Event()
    server = serve(lambda *_: over.wait(60))
    client = client_for(server.url, read_timeout=0.2)
    posted, asked = say(client), read(client)
    over.set()
    assert type(posted) is AnswerLost
    assert "no answer within 0.2 s" in str(posted)
    assert type(asked) is Unavailable


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 201 CREATED\r\nContent-Length: 9999\r\n\r\n"])
def test_a_trickle_of_bytes_holds_nobody_for_ever(serve, client_for, head: bytes) -> None:
    over = threading.Event()

    def trickle(connection: socket.socket, _: object) -> None:
        connection.sendall(head)
        while not over.wait(0.02):
            connection.sendall(b"[")

    server = serve(trickle)
    started = time.monotonic()
    error = say(client_for(server.url, read_timeout=0.3))
    took = time.monotonic() - started
    over.set()
    assert type(error) is AnswerLost
    assert 0.3 <= took < 20  # it would go on for ever


def test_a_byte_does_not_start_the_wait_anew(serve, client_for) -> None:
    over = threading.Event()

    def one_byte_late(connection: socket.socket, _: object) -> None:
        over.wait(2.5)
        connection.sendall(b"H")
        over.wait(20)

    client = client_for(serve(one_byte_late).url, read_timeout=3)
    started = time.monotonic()
    error = say(client)
    took = time.monotonic() - started
    over.set()
    assert type(error) is AnswerLost
    assert 3 <= took < 5.5


def test_interim_answers_without_end_hold_nobody_for_ever(serve, client_for) -> None:
    over = threading.Event()

    def wait(connection: socket.socket, _: object) -> None:
        while not over.wait(0.02):
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    error = say(client_for(serve(wait).url, read_timeout=0.3))
    over.set()
    assert type(error) is AnswerLost


UNREADABLE = {
    "no JSON": b"<html>Created</html>",
    "nothing": b"",
    "half of it": b'[{"callid": "a"',
    "no text": b"\xff\xfe\x00",
    "brackets without end": b"[" * 200_000,
    "an object": b'{"callid": "a"}',
    "an empty list": b"[]",
    "two calls": b'[{"callid": "a"}, {"callid": "b"}]',
    "a list of texts": b'["a"]',
    "no callid": b'[{"id": "a"}]',
    "a number": b'[{"callid": 17}]',
    "null": b'[{"callid": null}]',
    "an empty callid": b'[{"callid": ""}]',
    "a blank callid": b'[{"callid": " "}]',
    "a callid with a line end": b'[{"callid": "a\\n"}]',
    "a path": b'[{"callid": "../you"}]',
    "a callid without end": b'[{"callid": "' + b"a" * 5000 + b'"}]',
    "more than a megabyte": b'[{"callid": "a", "more": "' + b"a" * (1 << 20) + b'"}]',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_a_yes_in_an_unknown_shape_leaves_it_open(ask, body: bytes) -> None:
    error = say(ask(http(201, body)))
    assert type(error) is UnreadableAnswer
    assert error.status == 201
    assert len(error.detail) < 500


def test_an_answer_without_end_fills_no_memory(serve, client_for) -> None:
    sent = 0

    def pour(connection: socket.socket, _: object) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 201 CREATED\r\n\r\n")
        while True:
            connection.sendall(b"a" * 65536)
            sent += 65536

    assert type(say(client_for(serve(pour).url))) is UnreadableAnswer
    assert sent < 32 << 20


@pytest.mark.parametrize("status", [101, 103, 199, 300, 304, 399, 600, 999])
def test_a_status_that_nobody_knows_leaves_it_open(ask, status: int) -> None:
    answer = b"HTTP/1.1 %d Odd\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status
    client = ask(answer)
    error = say(client)
    assert type(error) is UnreadableAnswer
    assert error.status == status
    assert type(read(client)) is Unavailable


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_documented_body_is_believed_with_any_status_of_success(ask, status: int) -> None:
    assert ask(http(status, [{"callid": "a", "new": 1}])).say(**SAY) == "a"


def test_a_broken_answer_does_not_spoil_the_next(serve, client_for) -> None:
    client = client_for(serve(*LOST.values(), placed("a")).url)
    for _ in LOST:
        say(client)
    assert client.say(**SAY) == "a"


@settings(max_examples=150)
@given(
    start=st.sampled_from(
        [
            b"",
            b"HTTP/1.1 ",
            b"HTTP/1.1 201 CREATED\r\n",
            b"HTTP/1.1 500 Oops\r\n\r\n",
            b"HTTP/1.1 201 CREATED\r\nTransfer-Encoding: chunked\r\n",
            b"HTTP/1.1 201 CREATED\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"HTTP/1.1 201 CREATED\r\nContent-Encoding: gzip, deflate\r\n\r\n",
            b"HTTP/1.1 403 Forbidden\r\nContent-Length: 9\r\n\r\n",
        ]
    ),
    noise=st.binary(max_size=60)
    | st.lists(
        st.sampled_from([b"\r\n", b":", b"Content-Length", b" ", b"0", b"-1", b"{", b"\xff"])
    ).map(b"".join),
)
@example(start=b"HTTP/1.1 201 CREATED\r\nTransfer-Encoding: chunked\r\n\r\n", noise=b"-10")
def test_no_noise_is_taken_for_a_call_or_escapes_the_error_tree(start: bytes, noise: bytes) -> None:
    with (
        Wire([after(start + noise)]) as server,
        VoiceClient(Credentials("sid", "token"), host=server.url, read_timeout=5) as client,
    ):
        error = say(client)
        assert isinstance(error, MaybePlaced | NotPlaced)
        if not start.startswith(b"HTTP/1.1 403"):
            assert not isinstance(error, NeverReached)
        assert isinstance(read(client), ProviderError)
        assert not isinstance(read(client), MaybePlaced)
