"""What stands in the way of a connection is said in a sentence that names what to change."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from dispatcher.client.broker_check import require_suitable_broker
from dispatcher.client.broker_rights import Part
from dispatcher.errors import DispatcherError
from dispatcher.store import redis_url
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.redis_url import connect
from dispatcher.store.server import check_version
from support.polling import eventually
from support.redis_servers import SERVICE, Certificates, RedisProcess, Sentinels

GREETING = b"220 mail.example.org ESMTP\r\n"
PAGE = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"


def said_of(url: str) -> str:
    """Return what is said of a URL of the records; '' where nothing is wrong."""
    try:
        with connect(url, within=5) as client:
            check_version(client)
    except DispatcherError as error:
        return str(error)
    return ""


def said_of_broker(url: str) -> str:
    try:
        require_suitable_broker(url, Part.PRODUCER, "vd")
    except DispatcherError as error:
        return str(error)
    return ""


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    with RedisProcess(tmp_path_factory.mktemp("plain")) as server:
        yield server


@pytest.fixture(scope="module")
def sentinel(plain: RedisProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sentinels]:
    with Sentinels(tmp_path_factory.mktemp("sentinel"), plain, count=1) as running:
        yield running


@dataclass
class Place:
    """Something that is no Redis, with the URL by which it is taken for one."""

    url: str = ""
    connections: int = 0


@contextmanager
def answering(answer: bytes) -> Iterator[Place]:
    place = Place()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            place.connections += 1
            self.request.sendall(answer)
            while self.request.recv(1000):
                pass

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        place.url = f"redis://127.0.0.1:{server.server_address[1]}/0"
        yield place
        server.shutdown()


@pytest.mark.parametrize("ask", [said_of, said_of_broker])
@pytest.mark.parametrize("answer", [GREETING, PAGE], ids=["mail", "web"])
def test_what_is_no_redis_is_said_to_be_none(ask: Callable[[str], str], answer: bytes) -> None:
    with answering(answer) as place:
        assert "is something else: what answers there does not speak" in ask(place.url)


def test_a_master_that_the_sentinels_do_not_know(sentinel: Sentinels) -> None:
    url = sentinel.url.replace(SERVICE, "other")
    assert "sentinels that know no master called 'other' that is up" in said_of(url)


def test_sentinels_that_are_gone(sentinel: Sentinels, tmp_path: Path) -> None:
    port = RedisProcess(tmp_path).port
    url = f"sentinel://127.0.0.1:{port}/0?service={SERVICE}"
    said = said_of(url)
    assert said == (
        "Redis is behind sentinels of which none answers: are they running, and at these places?"
    )


def test_sentinels_that_want_a_password(plain: RedisProcess, tmp_path: Path) -> None:
    options = {"requirepass": "secret"}
    with Sentinels(tmp_path, plain, count=1, options=options) as locked:
        eventually(lambda: "sentinel_password=" in said_of(locked.url), "a password is asked for")
        assert said_of(f"{locked.url}&sentinel_password=secret") == ""


def test_a_redis_server_in_the_place_of_a_sentinel(plain: RedisProcess) -> None:
    said = said_of(f"sentinel://127.0.0.1:{plain.port}/0?service={SERVICE}")
    assert (
        "what answers is a Redis server; name the sentinels in the URL, or write redis://" in said
    )


@pytest.mark.parametrize("ask", [said_of, said_of_broker])
def test_a_sentinel_in_the_place_of_a_redis_server(
    ask: Callable[[str], str], sentinel: Sentinels
) -> None:
    said = ask(f"redis://127.0.0.1:{sentinel.processes[0].port}/0")
    assert "is a sentinel, not a Redis server: write sentinel://" in said


def test_a_replica_as_the_broker(plain: RedisProcess, tmp_path: Path) -> None:
    with RedisProcess(tmp_path) as replica:
        replica.follow(plain)
        assert "the broker's Redis is a replica, which" in said_of_broker(replica.url)


def test_a_server_that_says_nothing_is_tried_three_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_url, "_TIMEOUT", 0.2)
    with answering(b"") as place:
        with connect(place.url) as client, pytest.raises(StoreUnavailable, match="is it running"):
            check_version(client)
        assert place.connections == 3


# -- TLS ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def strict(
    tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[RedisProcess]:
    """A server with TLS that wants a certificate of its clients."""
    options = {"tls-auth-clients": "yes"}
    server = RedisProcess(tmp_path_factory.mktemp("tls"), options, tls=certificates)
    server.start(wait=False)
    process = server.process
    assert process
    eventually(lambda: process.poll() is not None or "Ready to accept" in server.log(), "it starts")
    if process.poll() is not None:
        pytest.skip("this Redis server was built without TLS")
    yield server
    server.kill()


def mine(certificates: Certificates) -> str:
    return f"&ssl_certfile={certificates.client_certificate}&ssl_keyfile={certificates.client_key}"


def test_a_certificate_that_is_asked_for(strict: RedisProcess, certificates: Certificates) -> None:
    # Now and then the connection is gone before OpenSSL has heard why.
    eventually(lambda: "wants a certificate of its clients" in said_of(strict.url), "it is said")
    assert said_of(strict.url + mine(certificates)) == ""


def test_an_authority_that_is_not_known(strict: RedisProcess, tmp_path: Path) -> None:
    other = Certificates(tmp_path)
    url = f"rediss://127.0.0.1:{strict.port}/0?ssl_ca_certs={other.authority}"
    assert "has a certificate of an authority that is not trusted here" in said_of(url)


def test_a_certificate_of_another_host(strict: RedisProcess, certificates: Certificates) -> None:
    url = strict.url.replace("127.0.0.1", "localhost") + mine(certificates)
    assert "has a certificate of another host" in said_of(url)
    assert said_of(f"{url}&ssl_check_hostname=false") == ""


def test_sentinels_without_tls(strict: RedisProcess, sentinel: Sentinels) -> None:
    """A server without TLS waits for more of what it takes for a command: nothing is said."""
    url = f"{sentinel.url}&tls=true"
    assert "Redis is behind sentinels of which none answers" in said_of(url)
