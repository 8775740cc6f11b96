"""A plain answer is read by a shorter way than any other, and comes to the same."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

import pytest
from urllib3.exceptions import HTTPError

from dispatcher.provider import http_answer
from dispatcher.provider.http_answer import Answered, read_answer
from support.provider_wire import http

MOST = 60_000
BODY = b'[{"callid": "a"}]'
HEAD = b"HTTP/1.1 201 Created\r\n"
LENGTH = b"Content-Length: 17\r\n"
SURPLUS = http(408, b"you were idle")

PLAIN = {
    "short": HEAD + LENGTH + b"\r\n" + BODY,
    "as servers send it": HEAD
    + b"Server: nginx\r\nVary: Accept, Cookie\r\nX-Empty:\r\n"
    + b"content-length:17 \r\nConnection: Keep-Alive\r\nAllow: GET, POST\r\n\r\n"
    + BODY,
    "without a reason": b"HTTP/1.1 200 \r\n" + LENGTH + b"\r\n" + BODY,
    "of no reason and no space": b"HTTP/1.1 200\r\n" + LENGTH + b"\r\n" + BODY,
    "with nothing in it": HEAD + b"Content-Length: 0\r\n\r\n",
    "longer than a piece": http(200, b"a" * 50_000),
    "the last one": HEAD + LENGTH + b"Connection: close\r\n\r\n" + BODY,
}
ODD = {
    "in chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n11\r\n" + BODY + b"\r\n0\r\n\r\n",
    "in chunks, with a length": HEAD
    + LENGTH
    + b"Transfer-Encoding: chunked\r\n\r\n11\r\n"
    + BODY
    + b"\r\n0\r\n\r\n",
    "without a length": HEAD + b"Server: a\r\n\r\n" + BODY,
    "without a header": HEAD + b"\r\n" + BODY,
    "with two lengths": HEAD + LENGTH + b"Content-Length: 5\r\n\r\n" + BODY,
    "with one length twice": HEAD + LENGTH + LENGTH + b"\r\n" + BODY,
    "with a length that is none": HEAD + b"Content-Length: +17\r\n\r\n" + BODY,
    "with a length below zero": HEAD + b"Content-Length: -1\r\n\r\n" + BODY,
    "packed": HEAD + LENGTH + b"Content-Encoding: gzip\r\n\r\n" + BODY,
    "an upgrade": HEAD + LENGTH + b"Connection: upgrade\r\n\r\n" + BODY,
    "of an old server": b"HTTP/1.0 201 Created\r\n" + LENGTH + b"\r\n" + BODY,
    "with bare line ends": (HEAD + LENGTH + b"\r\n").replace(b"\r", b"") + BODY,
    "with a folded header": HEAD + b"X: a\r\n b\r\n" + LENGTH + b"\r\n" + BODY,
    "with a length in a fold": HEAD + b"X: a\r\n Content-Length: 3\r\n" + LENGTH + b"\r\n" + BODY,
    "with a header of no name": HEAD + b": a\r\n" + LENGTH + b"\r\n" + BODY,
    "with a header that is none": HEAD + b"what\r\n" + LENGTH + b"\r\n" + BODY,
    "with a space in a name": HEAD + b"Content-Length : 3\r\n" + LENGTH + b"\r\n" + BODY,
    "after an interim one": b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + LENGTH + b"\r\n" + BODY,
    "a no": http(403, b"no", headers={"Retry-After": "7"}),
    "no content": b"HTTP/1.1 204 No\r\nContent-Length: 17\r\n\r\n" + BODY,
    "a redirect": http(302, headers={"Location": "/"}),
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
}
Ask = Callable[[socket.socket], Answered]


def by_library(sock: socket.socket) -> Answered:
    return http_answer._by_library(sock, b"", time.monotonic() + 5, MOST)


def by_either(sock: socket.socket) -> Answered:
    return read_answer(sock, 5, MOST)


def read(ask: Ask, data: bytes, *, end: bool = True) -> tuple[int, bytes | None, bool] | None:
    """Return what is read of an answer: status, body, whether its connection stays."""
    server, client = socket.socketpair()
    with server, client:
        server.sendall(data)
        if end:
            server.shutdown(socket.SHUT_WR)
        try:
            answered = ask(client)
        except (HTTPException, HTTPError, OSError):
            return None
        return answered.status, answered.body, answered.keeps


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What the library was given to read."""
    given: list[bytes] = []
    reading = http_answer._by_library

    def noted(sock: socket.socket, data: bytes, *more: Any) -> Answered:
        given.append(data)
        return reading(sock, data, *more)

    monkeypatch.setattr(http_answer, "_by_library", noted)
    return given


@pytest.mark.parametrize("data", PLAIN.values(), ids=PLAIN)
def test_a_plain_answer_is_read_as_the_library_would(data: bytes, library: list[bytes]) -> None:
    found = read(by_either, data)
    assert library == []
    assert found is not None
    assert found[1] is not None
    assert found == read(by_library, data)


@pytest.mark.parametrize("data", ODD.values(), ids=ODD)
def test_what_is_odd_about_an_answer_is_left_to_the_library(
    data: bytes, library: list[bytes]
) -> None:
    found = read(by_either, data)
    assert library == [data]
    assert found == read(by_library, data)


@pytest.mark.parametrize("data", [*PLAIN.values(), *ODD.values()], ids=[*PLAIN, *ODD])
@pytest.mark.parametrize("piece", [1, 7, 21, 22, 23, 60, 4000])
def test_an_answer_in_pieces_is_the_same(
    data: bytes, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_answer, "_PIECE", piece)
    assert read(by_either, data) == read(by_library, data)


@pytest.mark.parametrize("data", [PLAIN["as servers send it"], *ODD.values()])
def test_an_answer_that_is_cut_anywhere_is_the_same(data: bytes) -> None:
    for cut in range(len(data)):
        assert read(by_either, data[:cut]) == read(by_library, data[:cut]), data[:cut]


@pytest.mark.parametrize("piece", [1 << 14, len(HEAD + LENGTH) + 2])
def test_what_comes_after_an_answer_is_not_taken_for_one(
    piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_answer, "_PIECE", piece)
    assert read(by_either, PLAIN["short"] + SURPLUS) == (201, BODY, False)


def test_a_body_that_is_too_long_is_read_as_far_as_is_allowed() -> None:
    long = http(200, b"a" * (MOST + 1))
    assert read(by_either, long) == (200, b"a" * MOST, False)


def test_a_connection_that_goes_on_is_not_waited_for() -> None:
    began = time.monotonic()
    assert read(by_either, PLAIN["short"], end=False) == (201, BODY, True)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("cut", [0, 30, len(PLAIN["short"]) - 1])
def test_an_answer_that_stops_is_given_up_in_time(cut: int) -> None:
    began = time.monotonic()
    found = read(lambda sock: read_answer(sock, 0.2, MOST), PLAIN["short"][:cut], end=False)
    assert found in (None, (201, None, False))
    assert 0.2 <= time.monotonic() - began < 20


def test_the_headers_of_a_no_are_there_by_names_in_any_case() -> None:
    server, client = socket.socketpair()
    with server, client:
        server.sendall(ODD["a no"])
        assert by_either(client).headers["retry-after"] == "7"
