"""Records, broker and the call task's results behind sentinels, with TLS, on a socket."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from config.settings import Settings
from dispatcher.client.broker_url import broker_url
from dispatcher.client.messages import BrokerUnavailable, Messenger
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable, StoreUnsuitable
from dispatcher.store.redis_url import connect
from support.kept_waiting import KeptWaiting
from support.polling import eventually
from support.ports import free_port
from support.redis_servers import Certificates, RedisProcess, Sentinels
from workers.queue.app import create_call_task

# Celery calls redis-py by a name that is no longer liked there.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")
PASSWORD, OF_SENTINELS = "p@ss word/1", "of&sentinels"
QUOTED, OF_SENTINELS_QUOTED = "p%40ss%20word%2F1", "of%26sentinels"


@pytest.fixture(scope="module")
def sentinels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the URL of a master with a password behind three sentinels with another one, of which
    the first does not answer, and the second is gone.
    """
    folder = tmp_path_factory.mktemp("sentinels")
    secret = {"requirepass": f'"{PASSWORD}"', "masterauth": f'"{PASSWORD}"'}
    with RedisProcess(folder / "master", secret) as master:
        watch = Sentinels(folder, master)
        for process in watch.processes:
            lines = process._options["sentinel"]
            assert isinstance(lines, tuple)
            process._options["sentinel"] = (*lines, f'auth-pass voice "{PASSWORD}"')
            process._options["requirepass"] = OF_SENTINELS
        with watch:
            watch.processes[0].freeze()
            watch.processes[1].kill()
            query = f"&sentinel_password={OF_SENTINELS_QUOTED}"
            yield watch.url.replace("sentinel://", f"sentinel://:{QUOTED}@") + query


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def with_tls(
    tmp_path_factory: pytest.TempPathFactory, certificates: Certificates
) -> Iterator[RedisProcess]:
    process = RedisProcess(tmp_path_factory.mktemp("tls"), tls=certificates)
    try:
        process.start()
    except AssertionError:
        process.kill()
        pytest.skip("this Redis server was built without TLS")
    yield process
    process.kill()


def call_task_app(url: str) -> Celery:
    return create_call_task(Settings(redis_url=url))


def keeps_a_result(app: Celery) -> bool:
    app.backend.store_result("a-task", "the-job", "SUCCESS")
    return bool(app.AsyncResult("a-task").result == "the-job")


def test_behind_sentinels_with_passwords_everything_is_reached_within_seconds(
    sentinels: str,
) -> None:
    waiting, began = KeptWaiting(os.getpid()), time.monotonic()
    Store.from_url(sentinels).server.ping()
    took = time.monotonic() - began
    waiting.look()
    assert took - waiting.seconds < 2  # a silent and a dead sentinel before the one that answers
    Messenger.to_broker(sentinels).ping()
    assert keeps_a_result(call_task_app(sentinels))


def test_sentinels_with_another_password_are_refused(sentinels: str) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        Store.from_url(sentinels.replace(OF_SENTINELS_QUOTED, "wrong")).server.ping()
    assert "wrong" not in str(caught.value)


def test_with_tls_everything_is_reached(with_tls: RedisProcess) -> None:
    Store.from_url(with_tls.url).server.ping()
    Messenger.to_broker(with_tls.url).ping()
    assert keeps_a_result(call_task_app(with_tls.url))


@pytest.fixture(scope="module")
def sentinels_with_tls(
    tmp_path_factory: pytest.TempPathFactory, certificates: Certificates, with_tls: RedisProcess
) -> Iterator[str]:
    """Give the URL of a master that wants a client's certificate, behind a sentinel with TLS."""
    folder = tmp_path_factory.mktemp("sentinels-with-tls")
    strict = {"tls-auth-clients": "yes"}
    master = RedisProcess(folder / "master", strict, binary=with_tls.binary, tls=certificates)
    master.start(wait=False)
    try:
        with Sentinels(folder, master, count=1, tls=certificates) as watch:
            mine = f"ssl_certfile={certificates.client_certificate}"
            yield f"{watch.url}&{mine}&ssl_keyfile={certificates.client_key}"
    finally:
        master.kill()


def test_with_tls_behind_sentinels_everything_is_reached(sentinels_with_tls: str) -> None:
    eventually(lambda: _answers(sentinels_with_tls), "the sentinel knows the master")
    Messenger.to_broker(sentinels_with_tls).ping()
    assert keeps_a_result(call_task_app(sentinels_with_tls))


def test_with_tls_behind_sentinels_an_unknown_authority_is_refused_everywhere(
    sentinels_with_tls: str, tmp_path: Path, certificates: Certificates
) -> None:
    other = str(Certificates(tmp_path).authority)
    url = sentinels_with_tls.replace(str(certificates.authority), other)
    with pytest.raises(StoreUnavailable):
        Store.from_url(url).server.ping()
    with pytest.raises(BrokerUnavailable):
        Messenger.to_broker(url).ping()
    with pytest.raises((RedisError, OperationalError, OSError)):
        call_task_app(url).backend.client.ping()


@pytest.mark.parametrize("word", ["required", "CERT_REQUIRED"])
def test_both_spellings_of_the_certificates_option_are_understood(
    with_tls: RedisProcess, word: str
) -> None:
    url = f"{with_tls.url}&ssl_cert_reqs={word}"
    Store.from_url(url).server.ping()
    Messenger.to_broker(url).ping()
    assert keeps_a_result(call_task_app(url))


def test_a_certificate_of_an_unknown_authority_is_refused_everywhere(
    with_tls: RedisProcess, tmp_path: Path
) -> None:
    other = Certificates(tmp_path)
    url = f"rediss://127.0.0.1:{with_tls.port}/0?ssl_ca_certs={other.authority}"
    with pytest.raises(StoreUnavailable):
        Store.from_url(url).server.ping()
    with pytest.raises(BrokerUnavailable):
        Messenger.to_broker(url).ping()
    app = call_task_app(url)
    app.conf.result_backend_max_retries = 0
    with pytest.raises((RedisError, OperationalError, OSError)):
        app.backend.client.ping()


def test_a_certificate_of_another_host_is_refused_everywhere(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path / "certificates", host="redis.example.org")
    options = {"port": "0", "tls-port": str(free_port()), **certificates.options()}
    process = RedisProcess(tmp_path / "redis", options)
    process.start(wait=False)
    try:
        url = f"rediss://127.0.0.1:{options['tls-port']}/0?ssl_ca_certs={certificates.authority}"
        unverified = f"{url}&ssl_cert_reqs=none"
        eventually(lambda: _answers(unverified), "it answers")
        with pytest.raises(StoreUnavailable):
            Store.from_url(url).server.ping()
        with pytest.raises(BrokerUnavailable):
            Messenger.to_broker(url).ping()
        with pytest.raises((RedisError, OperationalError, OSError)):
            call_task_app(url).backend.client.ping()
    finally:
        process.kill()


def _answers(url: str) -> bool:
    try:
        Store.from_url(url).server.ping()
    except StoreUnavailable:
        return False
    return True


def test_a_password_of_a_socket_is_told_to_the_broker_as_well(tmp_path: Path) -> None:
    socket = tmp_path / "s"
    secret = {"unixsocket": str(socket), "requirepass": f'"{PASSWORD}"'}
    with RedisProcess(tmp_path / "redis", secret):
        url = f"unix://{socket}?db=5&password={QUOTED}"
        Store.from_url(url).server.ping()
        Messenger.to_broker(url).ping()
        assert keeps_a_result(call_task_app(url))


def test_records_and_broker_of_a_socket_are_in_the_same_database(tmp_path: Path) -> None:
    socket = tmp_path / "s"
    with RedisProcess(tmp_path / "redis", {"unixsocket": str(socket)}) as server:
        url = f"unix://{socket}?db=5"
        Store.from_url(url).jobs.enqueue_many([])
        app = Celery("producer", broker=broker_url(url), set_as_current=False)
        app.send_task("dispatcher.call", queue="there")
        with server.client() as client:
            assert list(client.info("keyspace")) == ["db5"]


@pytest.mark.parametrize("url", ["redis://host?db=2", "redis://host/2", "redis://host/2?db=2"])
def test_a_database_may_be_named_either_way(url: str) -> None:
    assert connect(url).connection_pool.connection_kwargs["db"] == 2
    assert broker_url(url) == "redis://host:6379/2"


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("redis://:secret@host/3?db=2", "names two databases (2, 3)"),
        ("rediss://:secret@host?ssl_cert_reqs=maybe", "ssl_cert_reqs='maybe', which is unknown"),
        ("redis://:secret@host/?db=two", "is not a Redis URL"),
        ("sentinel://:secret@host:26379/0", "add ?service=name"),
        ("sentinel://:secret@host:port/0?service=voice", "is not a Redis URL"),
        ("sentinel://:secret@host/0?service=voice&colour=red", "has an unknown option, colour"),
    ],
)
def test_what_is_wrong_is_one_sentence(url: str, wrong: str) -> None:
    with pytest.raises(StoreUnsuitable) as caught:
        connect(url)
    assert wrong in str(caught.value)
    assert "secret" not in str(caught.value)


def test_sentinels_may_have_addresses_of_ipv6() -> None:
    client = connect("sentinel://[::1]:26380,[::1]/0?service=voice")
    pool: object = client.connection_pool
    asked = [each.connection_pool.connection_kwargs for each in pool.sentinel_manager.sentinels]  # type: ignore[attr-defined]
    assert [(each["host"], each["port"]) for each in asked] == [("::1", 26380), ("::1", 26379)]
