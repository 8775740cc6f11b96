"""Whatever comes over the wire: a plain answer, no traceback, and the next client is served."""

from __future__ import annotations

import gzip
import logging
import socket

import pytest

from support.sandbox_client import Client

PLAYBACKS = "/voice/simple/playbacks/"
FORM = "application/x-www-form-urlencoded"
BASIC = b"Authorization: Basic c2FuZGJveDpzYW5kYm94\r\nConnection: close\r\n"
POST = b"POST /voice/simple/playbacks/ HTTP/1.1\r\nHost: x\r\n" + BASIC


@pytest.fixture(autouse=True)
def quiet_and_alive(shared: Client, caplog: pytest.LogCaptureFixture) -> object:
    """Nothing is logged, and the sandbox goes on."""
    with caplog.at_level(logging.INFO):
        yield
    assert [
        record for record in caplog.records if record.name.startswith(("dispatcher", "aio"))
    ] == []
    # On a connection of its own: the hostile one may be on its way down.
    shared.session.close()
    assert shared.get("/you/credits/").status_code == 200


def raw(client: Client, data: bytes) -> bytes:
    """Send bytes as they are; return the first line of the answer."""
    port = int(client.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(data)
        return connection.makefile("rb").readline().strip()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"caller=%ff%fe&recipient=\xff", 400),
        (b"&" * 1000, 400),
        (b"a=1&" * 1000, 400),
        (b"%00=%00&%=%zz", 400),
        (b"caller=" + b"1" * 100_000, 400),
        (b"x" * 300_000, 413),
    ],
)
def test_bad_forms(shared: Client, body: bytes, status: int) -> None:
    answer = shared.post(PLAYBACKS, body, headers={"Content-Type": FORM})
    assert answer.status_code == status
    assert isinstance(answer.json(), dict)


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "multipart/form-data", "\u00e9/x"]
)
def test_other_media_types_are_415(shared: Client, kind: str) -> None:
    answer = shared.post(PLAYBACKS, b"{}", headers={"Content-Type": kind.encode()})
    assert (answer.status_code, list(answer.json())) == (415, ["detail"])


def test_a_body_that_says_gzip_and_is_not(shared: Client) -> None:
    headers = {"Content-Type": FORM, "Content-Encoding": "gzip"}
    assert shared.post(PLAYBACKS, b"caller=1", headers=headers).status_code == 400


def test_a_small_body_that_unpacks_to_a_huge_one(shared: Client) -> None:
    headers = {"Content-Type": FORM, "Content-Encoding": "gzip"}
    bomb = gzip.compress(b"a" * 50_000_000)
    assert shared.post(PLAYBACKS, bomb, headers=headers).status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", PLAYBACKS, "POST"),
        ("PUT", "/you/credits/", "GET"),
        ("DELETE", "/voice/calls/x/", "GET"),
        ("HEAD", "/you/credits/", "GET"),
        ("POST", "/_sandbox/calls", "GET"),
    ],
)
def test_a_wrong_method_is_405(shared: Client, method: str, path: str, allowed: str) -> None:
    answer = shared.session.request(method, shared.url + path, timeout=30)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",  # TLS on a plain port
        b"GARBAGE\r\n\r\n",
        b"FOO /you/credits/ HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        POST + b"Content-Length: -5\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nabc",
    ],
)
def test_bytes_that_are_no_http_are_400(shared: Client, data: bytes) -> None:
    assert raw(shared, data).endswith(b"400 Bad Request")


def test_a_client_that_goes_away_within_its_body(shared: Client) -> None:
    before = shared.stats()["calls"]["placed"]
    port = int(shared.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(
            POST + b"Content-Type: " + FORM.encode() + b"\r\nContent-Length: 99\r\n\r\ncall"
        )
    assert shared.stats()["calls"]["placed"] == before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[" * 100_000,
        b"null",
        b'{"rate": NaN}',
        b'{"ring": 1e999}',
        b'{"rate": ' + b"9" * 400 + b"}",
    ],
)
def test_control_bodies_that_make_no_sense_are_400(shared: Client, body: bytes) -> None:
    assert shared.post("/_sandbox/options", body).status_code == 400
