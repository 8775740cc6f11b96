"""From a URL to Redis, and from its complaints to plain sentences."""

from __future__ import annotations

import socket
import socketserver
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from hypothesis import example, given
from hypothesis import strategies as st

from dispatcher.client.broker_url import known_broker
from dispatcher.store.errors import StoreUnavailable, StoreUnsuitable, plain_errors
from dispatcher.store.redis_place import place_of
from dispatcher.store.redis_url import connect
from dispatcher.store.server import check_version
from dispatcher.values.masking import hide_password
from support.polling import eventually
from workers.devstack.redis_server import find_server


def options(client: redis.Redis) -> dict[str, object]:
    return client.connection_pool.connection_kwargs


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://h:1234/5", {"host": "h", "port": 1234, "db": 5}),
        ("redis://h", {"host": "h"}),
        ("redis://:p%40ss@h/0", {"host": "h", "password": "p@ss", "db": 0}),
        ("redis://me:pw@h", {"username": "me", "password": "pw"}),
        ("rediss://h:6380/1", {"host": "h", "port": 6380, "db": 1}),
        ("unix:///run/redis.sock", {"path": "/run/redis.sock"}),
        ("unix:///run/redis.sock?db=3", {"path": "/run/redis.sock", "db": 3}),
        ("redis://[::1]:6379/0", {"host": "::1", "port": 6379}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_url_says_where_redis_is(url: str, expected: dict[str, object]) -> None:
    assert expected.items() <= options(connect(url)).items()


def test_no_connection_waits_for_ever() -> None:
    for url in ("redis://h", "unix:///run/redis.sock", "sentinel://h/0?service=main"):
        found = options(connect(url))
        assert found["socket_timeout"] == 5
        assert found["socket_connect_timeout"] == 5


def test_rediss_is_encrypted() -> None:
    assert issubclass(connect("rediss://h").connection_pool.connection_class, redis.SSLConnection)


def test_a_sentinel_url_names_the_sentinels_the_service_and_the_database() -> None:
    client = connect("sentinel://me:p%40ss@one,two:1234/3?service=main")
    pool = client.connection_pool
    assert isinstance(pool, redis.sentinel.SentinelConnectionPool)
    assert pool.service_name == "main"
    places = [options(sentinel) for sentinel in pool.sentinel_manager.sentinels]
    assert [(place["host"], place["port"]) for place in places] == [("one", 26379), ("two", 1234)]
    assert {"db": 3, "username": "me", "password": "p@ss"}.items() <= options(client).items()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        "http://localhost",
        "amqp://localhost",
        "redis://localhost:port",
        "redis://localhost:99999",
        "redis://localhost/main",
        "redis://localhost/-1",
        "redis://[::1",
        "sentinel:///0?service=main",
        "sentinel://localhost:port/0?service=main",
        "sentinel://localhost/main?service=main",
    ],
)
def test_what_is_no_redis_url_is_refused_with_what_is_accepted(url: str) -> None:
    with pytest.raises(StoreUnsuitable) as caught:
        connect(url)
    assert repr(url.partition("?")[0]) in str(caught.value)
    assert "write redis://host:6379/0, rediss://…, unix:///path or sentinel" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (
            "redis://h/0?socket_timeout=soon",
            "has an unknown option, socket_timeout: write one of db",
        ),
        ("redis://h/0?ssl_ca_certs=/ca", "has ssl_ca_certs, but no TLS: write rediss:// instead"),
        ("redis://h/0?password=hunter2", "write it before the host"),
        ("sentinel://h/0", "add ?service=name"),
        ("sentinel://h/0?service=", "add ?service=name"),
        ("sentinel://h/0?service=a&ssl_ca_certs=/ca", "has ssl_ca_certs, but no TLS: add tls=true"),
        ("sentinel://h/0?service=a&tls=perhaps", "has tls='perhaps': write true or false"),
        ("rediss://h/0?service=a", "has an unknown option, service: write one of db, ssl_ca_certs"),
        ("rediss://h/0?ssl_check_hostname=maybe", "write true or false"),
        ("rediss://h/0?ssl_ca_certs=/nowhere.pem", "ssl_ca_certs=/nowhere.pem"),
    ],
)
def test_an_option_that_will_not_do_is_named(url: str, says: str) -> None:
    with pytest.raises(StoreUnsuitable) as caught:
        connect(url)
    assert says in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_tls_behind_sentinels_is_for_both_unless_it_says_otherwise() -> None:
    both = place_of("sentinel://h/0?service=a&tls=true&ssl_cert_reqs=CERT_OPTIONAL")
    assert both.tls == {"ssl_cert_reqs": "optional", "ssl_check_hostname": True}
    assert both.sentinel_tls == both.tls
    servers = place_of("sentinel://h/0?service=a&tls=true&sentinel_tls=false")
    assert servers.tls is not None
    assert servers.sentinel_tls is None
    assert place_of("sentinel://h/0?service=a").tls is None


# -- passwords ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://localhost:6379/0", "redis://localhost:6379/0"),
        ("redis://:hunter2@localhost:6379/0", "redis://***@localhost:6379/0"),
        ("redis://me:hunter2@localhost", "redis://***@localhost"),
        ("redis://:hun@ter2@localhost", "redis://***@localhost"),
        ("redis://localhost/0?password=hunter2", "redis://localhost/0"),
        ("redis://localhost/0?password=hun@ter2", "redis://***@"),
        ("redis//:hunter2@localhost", "***@localhost"),
        ("unix://:hunter2@/run/redis.sock", "unix://***@/run/redis.sock"),
    ],
)
def test_a_hidden_password_leaves_the_place(url: str, shown: str) -> None:
    assert hide_password(url) == shown


PASSWORD = "hunter2"
garnish = st.text(st.sampled_from("/?#:@%&=[] é"), max_size=3)


@given(
    garnish,
    garnish,
    st.sampled_from(
        [
            "redis://:{}@localhost",
            "rediss://me:{}@localhost:port/0",
            "sentinel://:{}@localhost/0?service=main",
            "redis://localhost/main?password={}",
            "redis://localhost/0?colour={}",
            "sentinel://localhost/0?service=main&sentinel_password={}",
            "http://me:{}@localhost",
        ]
    ),
)
@example("@", "#", "redis://:{}@localhost")
@example("@", "?", "redis://:{}@localhost")
def test_no_password_shows_however_odd_it_is(before: str, after: str, url: str) -> None:
    odd = url.format(before + PASSWORD + after)
    assert PASSWORD not in hide_password(odd)
    try:
        assert PASSWORD not in repr(connect(odd))
    except StoreUnsuitable as error:
        assert PASSWORD not in str(error)  # noqa: PT017 # most are URLs, some are none


# -- complaints -----------------------------------------------------------------------------


def test_another_error_passes_as_it_is() -> None:
    with pytest.raises(KeyError), plain_errors():
        raise KeyError("ours")


def test_a_redis_that_is_not_there_is_said_to_be_unreachable() -> None:
    with socket.socket() as bound:  # bound and not listening: nobody else can take the port
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        with pytest.raises(StoreUnavailable, match=r"cannot be reached \(.*\): start it, or"):
            check_version(connect(f"redis://127.0.0.1:{port}/0"))


def test_a_socket_that_is_not_there_is_said_to_be_unreachable(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        check_version(connect(f"unix://{tmp_path}/redis.sock"))


@contextmanager
def redis_of_version(version: str) -> Iterator[str]:
    """Serve a Redis that knows little more than its version, and yield its URL."""

    class Conversation(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while count := self.rfile.readline():
                words = [self.word() for _ in range(int(count[1:]))]
                unknown = b"-ERR unknown command `%s`, with args beginning with: %s\r\n" % (
                    words[0],
                    b"".join(b"`%s`, " % word for word in words[1:]),
                )
                self.wfile.write(answers.get(words[0].upper(), unknown))

        def word(self) -> bytes:
            length = int(self.rfile.readline()[1:])
            return self.rfile.read(length + 2)[:-2]

    info = f"redis_version:{version}\r\n".encode()
    answers = {b"PING": b"+PONG\r\n", b"INFO": b"$%d\r\n%s\r\n" % (len(info), info)}
    if not version.startswith("5."):
        answers[b"HELLO"] = b"%1\r\n$5\r\nproto\r\n:3\r\n"
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"redis://127.0.0.1:{server.server_address[1]}/0"
        server.shutdown()


@pytest.mark.parametrize("version", ["5.0.7", "6.2.14"])
def test_a_redis_that_is_too_old_is_refused_with_what_is_needed(version: str) -> None:
    with (
        redis_of_version(version) as url,
        connect(url) as client,
        pytest.raises(StoreUnsuitable, match=r"Redis 7\.0, Valkey 7\.2 or newer is needed"),
    ):
        check_version(client)


def test_a_redis_that_is_too_old_for_passwords_of_today_does_not_show_ours() -> None:
    with (
        redis_of_version("5.0.7") as url,
        connect(url.replace("://", f"://:{PASSWORD}@")) as client,
        pytest.raises(StoreUnsuitable) as caught,
    ):
        check_version(client)
    wanted = "Redis does not know `HELLO`: Redis 7.0, Valkey 7.2 or newer is needed"
    assert str(caught.value) == wanted


@pytest.mark.parametrize("version", ["7.0.0", "7.4.1", "10.0.0"])
def test_a_redis_that_is_new_enough_is_named(version: str) -> None:
    with redis_of_version(version) as url, connect(url) as client:
        assert str(check_version(client)) == f"Redis {version}"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Run a Redis that wants the password hunter2, and yield what makes its URL."""
    place = tmp_path_factory.mktemp("redis") / "s"
    process = subprocess.Popen(
        [
            find_server(),
            *("--port", "0", "--unixsocket", str(place), "--save", "", "--dir", str(place.parent)),
            *("--requirepass", PASSWORD),
        ],
        stdout=subprocess.DEVNULL,
    )
    try:
        eventually(lambda: place.exists() or process.poll() is not None, "Redis starts")
        assert process.poll() is None, "Redis did not start"
        yield lambda password: f"unix://{f':{password}@' if password else ''}{place}"
    finally:
        process.terminate()
        process.wait(30)


def test_a_redis_with_a_password_lets_in_who_has_it(guarded: Callable[[str], str]) -> None:
    with connect(guarded(PASSWORD)) as client:
        assert check_version(client)


@pytest.mark.parametrize("password", ["", "hunter3"], ids=["none", "another"])
def test_a_redis_that_wants_a_password_says_so_and_where_to_put_it(
    guarded: Callable[[str], str], password: str
) -> None:
    with connect(guarded(password)) as client, pytest.raises(StoreUnavailable) as caught:
        check_version(client)
    assert "needs a password, or another one: put it into the URL" in str(caught.value)
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize("url", ["unix:///run/redis.sock?db=0", "redis://host:6379/0"])
def test_a_redis_is_a_broker_by_whichever_way_it_is_reached(url: str) -> None:
    assert known_broker(url) == url
