"""One client that opens, asks and waits as much as it can stops no other, and no callback."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from dispatcher.model.api_key import Scope
from dispatcher.store import Store
from support.api_client import SAY, Client, as_line, client
from support.gateway_process import Gateway, problem
from support.polling import eventually
from workers.devstack.embedded_server import EmbeddedServer

REQUESTS, OF_ADDRESS, OF_CLIENT, CALLBACKS, WAITS, WAITS_OF_CLIENT = 12, 6, 4, 2, 5, 3
HEALTH_CHECKS, JOBS_OF_CLIENT = 50, 9
FLOODER, OTHER = {"X-Forwarded-For": "192.0.2.66"}, {"X-Forwarded-For": "192.0.2.7"}


@pytest.fixture(scope="module")
def small(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway with few places, behind a proxy: this test."""
    caps = {
        "DISPATCHER_TRUSTED_PROXIES": "127.0.0.1",
        "DISPATCHER_GATEWAY_CONNECTIONS": 1,  # no more than all that are under way
        "DISPATCHER_GATEWAY_REQUESTS": REQUESTS,
        "DISPATCHER_GATEWAY_REQUESTS_PER_ADDRESS": OF_ADDRESS,
        "DISPATCHER_GATEWAY_REQUESTS_PER_CLIENT": OF_CLIENT,
        "DISPATCHER_GATEWAY_CALLBACKS": CALLBACKS,
        "DISPATCHER_WAITS": WAITS,
        "DISPATCHER_WAITS_PER_CLIENT": WAITS_OF_CLIENT,
        "DISPATCHER_JOBS_PER_CLIENT": JOBS_OF_CLIENT,
    }
    folder = tmp_path_factory.mktemp("small")
    with Gateway(folder, server.url, **{name: str(value) for name, value in caps.items()}) as one:
        yield one


@pytest.fixture
def wires() -> Iterator[ExitStack]:
    """What is to be closed at the end of the test."""
    with ExitStack() as stack:
        yield stack


def job_of(one: Client) -> str:
    return str(one.call()["id"])


def head(method: str, path: str, text: str = "", **headers: str) -> bytes:
    shown = {"Host": "x", **({"Authorization": f"Bearer {text}"} if text else {}), **headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in shown.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode()


def slow_body(text: str, **headers: str) -> bytes:
    """The head of a request whose body is yet to come, and some of it."""
    kind = {"Content-Type": "application/json", "Content-Length": "100"}
    return head("POST", "/v1/jobs", text, **kind, **headers) + b"{"


def hold(gateway: Gateway, wires: ExitStack, said: bytes, many: int) -> list[socket.socket]:
    """Open connections that say something and keep still."""
    opened = [wires.enter_context(gateway.wire()) for _ in range(many)]
    for wire in opened:
        wire.sendall(said)
    return opened


def waiting(gateway: Gateway, wires: ExitStack, one: Client, many: int) -> list[socket.socket]:
    """Have a client wait for a job of its own so many times."""
    path = f"/v1/jobs/{job_of(one)}?wait=60"
    return hold(gateway, wires, head("GET", path, one.text), many)


def still(wire: socket.socket) -> bool:
    """Whether nothing comes on a connection for a while."""
    return not select.select([wire], [], [], 0.5)[0]


def refused(answer: requests.Response, status: int, setting: str) -> bool:
    """Whether an answer says which setting refuses it, and when to come again."""
    return (
        answer.status_code == status
        and setting in problem(answer, status)["detail"]
        and int(answer.headers["Retry-After"]) > 0
    )


def test_connections_that_say_nothing_keep_nobody_out(
    small: Gateway, store: Store, wires: ExitStack
) -> None:
    other = client(small, store, "other", Scope.ENQUEUE)
    for _ in range(3 * (REQUESTS + CALLBACKS + HEALTH_CHECKS)):
        wires.enter_context(small.wire())
    assert requests.get(f"{small.url}/healthz", timeout=10).status_code == 200
    assert other.post("/v1/jobs", SAY).status_code == 202


def test_waits_of_one_client_leave_others_theirs(
    small: Gateway, store: Store, wires: ExitStack
) -> None:
    names = ("flooder", "other", "third")
    flooder, other, third = (client(small, store, name, Scope.ENQUEUE) for name in names)
    path, theirs, last = (f"/v1/jobs/{job_of(one)}?wait=" for one in (flooder, other, third))

    def full() -> bool:
        hold(small, wires, head("GET", f"{path}60", flooder.text), 1)
        return refused(flooder.get(f"{path}0.1"), 429, "DISPATCHER_WAITS_PER_CLIENT")

    eventually(full, "it has too many")
    assert other.get(f"{theirs}0.1").status_code == 200

    def all_full() -> bool:
        hold(small, wires, head("GET", f"{theirs}60", other.text), 1)
        return refused(third.get(f"{last}0.1"), 503, "DISPATCHER_WAITS ")

    eventually(all_full, "there are too many")


def test_a_wait_whose_client_is_gone_takes_no_place(
    small: Gateway, store: Store, wires: ExitStack
) -> None:
    leaver = client(small, store, "leaver", Scope.ENQUEUE)
    path = f"/v1/jobs/{job_of(leaver)}?wait="

    def full() -> bool:
        left.extend(hold(small, wires, head("GET", f"{path}60", leaver.text), 1))
        return refused(leaver.get(f"{path}0.1"), 429, "DISPATCHER_WAITS_PER_CLIENT")

    left: list[socket.socket] = []
    eventually(full, "it has too many")
    for wire in left:
        wire.close()
    eventually(lambda: leaver.get(f"{path}0.1").status_code == 200, "there is a place")


def test_requests_of_one_client_leave_others_theirs(
    small: Gateway, store: Store, wires: ExitStack
) -> None:
    flooder = client(small, store, "flooder", Scope.ENQUEUE)
    setting = "DISPATCHER_GATEWAY_REQUESTS_PER_CLIENT"

    def full() -> bool:
        hold(small, wires, slow_body(flooder.text), OF_CLIENT)  # a look takes a place, too
        return refused(flooder.get("/v1/jobs"), 429, setting)

    eventually(full, "it has too many")
    assert client(small, store, "other", Scope.ENQUEUE).get("/v1/jobs").status_code == 200


def test_requests_of_one_address_leave_others_theirs(
    small: Gateway, store: Store, wires: ExitStack
) -> None:
    """Whatever the client writes before what the proxy says."""
    several = [client(small, store, name, Scope.ENQUEUE) for name in ("a", "b")]

    def full() -> bool:
        for one in several:
            hold(small, wires, slow_body(one.text, **FLOODER), OF_ADDRESS // 2)
        return refused(several[0].get("/v1/jobs", headers=FLOODER), 429, setting)

    forged = {"X-Forwarded-For": f"192.0.2.1, {FLOODER['X-Forwarded-For']}"}
    setting = "DISPATCHER_GATEWAY_REQUESTS_PER_ADDRESS"
    eventually(full, "the address has too many")
    assert refused(several[0].get("/v1/jobs", headers=forged), 429, setting)
    third = client(small, store, "c", Scope.ENQUEUE)
    assert third.get("/v1/jobs", headers=OTHER).status_code == 200


def test_where_all_places_are_taken_callbacks_and_health_checks_have_theirs(
    small: Gateway, store: Store, wires: ExitStack
) -> None:
    several = [client(small, store, name, Scope.ENQUEUE) for name in ("x", "y", "z")]

    def full() -> bool:
        for one in several:
            hold(small, wires, slow_body(one.text), OF_CLIENT)
        return refused(small.ask("GET", "/docs"), 503, "DISPATCHER_GATEWAY_REQUESTS ")

    eventually(full, "all is taken")
    assert small.ask("GET", "/healthz").status_code == 200
    assert small.ask("GET", "/readyz").status_code == 200
    forged = "/callbacks/ktq3ljmcozfwnu2a/1/99999999999/" + "0" * 32
    assert problem(small.ask("POST", forged), 404)  # it was looked at


def test_a_revoked_keys_open_wait_ends(small: Gateway, store: Store, wires: ExitStack) -> None:
    one = client(small, store, "one", Scope.ENQUEUE)
    (wire,) = waiting(small, wires, one, 1)
    assert still(wire)
    assert store.api_keys.revoke(one.key.id)
    started = time.monotonic()
    assert wire.recv(1000).startswith(b"HTTP/1.1 401 ")
    assert time.monotonic() - started < 15


def test_a_revoked_keys_open_stream_ends(small: Gateway, store: Store, wires: ExitStack) -> None:
    one = client(small, store, "one", Scope.ENQUEUE)
    lines = {"Content-Type": "application/x-ndjson", "Transfer-Encoding": "chunked"}
    line = as_line({**SAY, "key": "a"})
    said = head("POST", "/v1/jobs/bulk", one.text, **lines) + b"%x\r\n%s\r\n" % (len(line), line)
    (wire,) = hold(small, wires, said, 1)
    told = b""
    while b'"line":1' not in told:
        told += wire.recv(1000)
    assert store.api_keys.revoke(one.key.id)
    while b'"summary"' not in told:
        told += wire.recv(1000)  # nothing more was sent
    assert b'"status":401' in told


def test_a_client_has_room_for_so_many_jobs(small: Gateway, store: Store) -> None:
    flooder = client(small, store, "flooder", Scope.ENQUEUE)
    lines, summary = flooder.bulk({**SAY, "key": str(n)} for n in range(JOBS_OF_CLIENT + 2))
    assert summary["accepted"] == JOBS_OF_CLIENT
    assert [line.get("status") for line in lines] == [None] * JOBS_OF_CLIENT + [429] * 2
    assert refused(flooder.post("/v1/jobs", SAY), 429, "DISPATCHER_JOBS_PER_CLIENT")
    assert flooder.post("/v1/jobs", {**SAY, "key": "0"}).status_code == 200  # it is there already
    assert client(small, store, "other", Scope.ENQUEUE).post("/v1/jobs", SAY).status_code == 202
    assert store.clients.waiting()["flooder"].jobs == JOBS_OF_CLIENT


def test_a_keys_own_room_counts(small: Gateway, store: Store) -> None:
    made, text = store.api_keys.create("small", [Scope.ENQUEUE], waiting=1)
    one = Client(small, made, text)
    assert one.post("/v1/jobs", SAY).status_code == 202
    assert refused(one.post("/v1/jobs", SAY), 429, "--waiting")
