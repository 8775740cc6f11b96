"""What stands in the way of a connection is said in a sentence that names what to change."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from dispatcher.client.broker_check import require_suitable_broker
from dispatcher.client.broker_rights import Part
from dispatcher.errors import DispatcherError
from dispatcher.store import redis_url
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.redis_url import connect
from dispatcher.store.server import check_version
from support.polling import eventually
from support.redis_servers import SERVICE, Certificates, RedisProcess, Sentinels

AT_ONCE = 10.0
"""Seconds: one or two, on a machine that has nothing else to do."""
AFTER_A_MOMENT = 2.5
"""Seconds: more than a handshake is given at first, and an answer after it."""
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


def said_of_records(url: str) -> str:
    """The same with the tries and times of a process."""
    try:
        with connect(url) as client:
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
        with connect(place.url) as client, pytest.raises(StoreUnavailable, match="start it, or"):
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


@pytest.mark.usefixtures("strict")  # which skips where no server here has TLS
@pytest.mark.parametrize(
    ("days", "said"), [((-9, -1), "has expired: have it renewed"), ((1, 9), "is not valid yet")]
)
def test_a_certificate_of_another_time(days: tuple[int, int], said: str, tmp_path: Path) -> None:
    begin, end = (datetime.now(UTC) + timedelta(days=day) for day in days)
    server = RedisProcess(tmp_path / "redis", tls=Certificates(tmp_path, valid=(begin, end)))
    server.start(wait=False)
    try:
        eventually(lambda: "Ready to accept" in server.log(), "it starts")
        assert f"has a certificate that {said}" in said_of(server.url)
    finally:
        server.kill()


@pytest.fixture(scope="module")
def over_tls(
    tmp_path_factory: pytest.TempPathFactory, strict: RedisProcess, certificates: Certificates
) -> Iterator[RedisProcess]:
    """A server with TLS that asks its clients for nothing."""
    with RedisProcess(
        tmp_path_factory.mktemp("open"), tls=certificates, binary=strict.binary
    ) as server:
        yield server


def quickly(ask: Callable[[str], str], url: str) -> str:
    """Return what is said within a few seconds; redis-py's bounds and tries make it 15 and more."""
    began = time.monotonic()
    said = ask(url)
    assert time.monotonic() - began < AT_ONCE
    assert "hunter2" not in said
    return said


@pytest.mark.parametrize("ask", [said_of_records, said_of_broker])
def test_tls_to_a_server_without(ask: Callable[[str], str], plain: RedisProcess) -> None:
    said = quickly(ask, f"rediss://:hunter2@127.0.0.1:{plain.port}/0")
    assert said.endswith("Redis does not speak TLS there: write redis:// instead of rediss://")


@pytest.mark.parametrize("ask", [said_of_records, said_of_broker])
def test_no_tls_to_a_server_with(ask: Callable[[str], str], over_tls: RedisProcess) -> None:
    said = quickly(ask, f"redis://:hunter2@127.0.0.1:{over_tls.port}/0")
    assert "Redis speaks TLS alone there: write rediss:// instead of redis://" in said


def test_no_tls_to_a_server_that_wants_a_certificate(strict: RedisProcess) -> None:
    said = quickly(said_of_records, f"redis://127.0.0.1:{strict.port}/0")
    assert "speaks TLS alone there" in said


@pytest.mark.parametrize("ask", [said_of_records, said_of_broker])
def test_sentinels_without_tls(ask: Callable[[str], str], sentinel: Sentinels) -> None:
    said = quickly(ask, f"{sentinel.url}&tls=true")
    assert "is behind sentinels that do not speak TLS: take tls=true out of the URL, or" in said


def test_a_master_without_tls(sentinel: Sentinels) -> None:
    said = quickly(said_of_records, f"{sentinel.url}&tls=true&sentinel_tls=false")
    assert "is a master that does not speak TLS, as the sentinels tell: take tls=true out" in said


def test_sentinels_and_a_master_with_tls(
    over_tls: RedisProcess, certificates: Certificates, tmp_path: Path
) -> None:
    with Sentinels(tmp_path, over_tls, count=1, tls=certificates) as sentinels:
        said = quickly(said_of_records, sentinels.url.partition("&")[0])
        assert "is behind sentinels that speak TLS alone: add tls=true to the URL" in said
        assert said_of_records(sentinels.url) == ""


def test_a_slow_handshake_is_waited_for(over_tls: RedisProcess) -> None:
    """It is begun again: what took longer than a moment is no proof of anything."""
    over_tls.freeze()
    timer = threading.Timer(AFTER_A_MOMENT, over_tls.thaw)
    timer.start()
    try:
        assert said_of_records(over_tls.url) == ""
    finally:
        timer.join()


# -- files and databases that the URL names -------------------------------------------------


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files that are mistaken for others."""
    folder = tmp_path_factory.mktemp("files")
    ours, others = Certificates(folder / "ours"), Certificates(folder / "others")
    text = folder / "notes.txt"
    text.write_text("nothing of the kind\n")
    locked = folder / "locked.key"
    key = load_pem_private_key(ours.client_key.read_bytes(), None)
    passphrase = BestAvailableEncryption(b"hunter2")
    locked.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, passphrase))
    return {
        "ours": ours.client_certificate,
        "key": ours.client_key,
        "other key": others.client_key,
        "locked": locked,
        "text": text,
        "folder": folder,
    }


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("ssl_ca_certs={text}", "ssl_ca_certs={text} of the Redis URL holds no certificate"),
        ("ssl_ca_certs={key}", "holds no certificate: name the authority's file"),
        ("ssl_ca_certs={folder}", "ssl_ca_certs={folder} of the Redis URL cannot be read"),
        ("ssl_ca_certs=", "has an empty ssl_ca_certs"),
        ("ssl_certfile={text}&ssl_keyfile={key}", "ssl_certfile={text} of the Redis URL holds no"),
        ("ssl_certfile={key}&ssl_keyfile={ours}", "holds no certificate: name your own one's"),
        ("ssl_certfile={ours}", "ssl_certfile={ours} of the Redis URL holds no key"),
        ("ssl_certfile={ours}&ssl_keyfile={text}", "ssl_keyfile={text} of the Redis URL holds no"),
        ("ssl_certfile={ours}&ssl_keyfile={other key}", "is the key of another certificate than"),
        ("ssl_certfile={ours}&ssl_keyfile={locked}", "is locked by a passphrase"),
        ("ssl_keyfile={key}", "has ssl_keyfile, but no certificate that it belongs to"),
    ],
)
def test_a_file_that_is_another_one(option: str, says: str, files: dict[str, Path]) -> None:
    """OpenSSL says `PEM lib`, or asks the terminal for a passphrase."""
    url = f"rediss://:hunter2@127.0.0.1:1/0?{option.format(**files)}"
    assert says.format(**files) in quickly(said_of_records, url)
    assert says.format(**files) in quickly(said_of_broker, url)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("", "does not name a socket: write its whole path"),
        ("/", "does not name a socket"),
        ("redis.sock", "does not name a socket"),
        ("{text}", "{text} of the Redis URL is no socket"),
        ("{folder}", "{folder} of the Redis URL is no socket"),
        ("{folder}/none", "No such file or directory.): start it, or correct"),
    ],
)
def test_a_socket_that_is_none(path: str, says: str, files: dict[str, Path]) -> None:
    assert says.format(**files) in quickly(said_of_records, f"unix://{path.format(**files)}")


@pytest.mark.parametrize("ask", [said_of_records, said_of_broker])
def test_a_database_that_is_not_there(
    ask: Callable[[str], str], plain: RedisProcess, sentinel: Sentinels
) -> None:
    for url in (f"redis://127.0.0.1:{plain.port}/99", sentinel.url.replace("/0?", "/99?")):
        assert "has no database of the number in the URL: write another one" in quickly(ask, url)
