"""The gateway as a process: what it answers to anybody, and how it bears hostile senders."""

from __future__ import annotations

import os
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import trustme

from dispatcher.model.api_key import Scope
from dispatcher.store import Store
from support.api_client import client
from support.gateway_process import ROOT, Gateway, everything, problem
from support.ports import free_port
from workers.devstack.embedded_server import EmbeddedServer
from workers.gateway.health import FORWARDING

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def test_it_is_alive_and_ready(gateway: Gateway) -> None:
    assert gateway.ask("GET", "/healthz").json() == {"status": "ok"}
    assert gateway.ask("GET", "/readyz").json() == {"status": "ready"}


@pytest.mark.parametrize(
    ("method", "path", "status", "remedy"),
    [
        ("GET", "/nowhere", 404, "address"),
        ("POST", "/healthz", 405, "Allow"),
        ("GET", "/%ff%00", 404, "address"),
    ],
)
def test_an_error_is_a_problem_with_a_remedy(
    gateway: Gateway, method: str, path: str, status: int, remedy: str
) -> None:
    assert remedy in problem(gateway.ask(method, path), status)["remedy"]


@pytest.mark.parametrize("path", ["/healthz", "/nowhere"])
def test_every_answer_is_hardened_and_tells_no_make(gateway: Gateway, path: str) -> None:
    answer = gateway.ask("GET", path)
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert not {"server", "x-powered-by"} & {name.lower() for name in answer.headers}


def test_what_is_no_http_is_refused_as_a_problem(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.sendall(b"HELLO\r\n\r\n")
        told = everything(wire)
    assert told.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in told


def test_a_head_without_end_is_cut(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        told = b""
        try:
            for _ in range(100):
                wire.sendall(b"X-More: " + b"a" * 1000 + b"\r\n")
            told = everything(wire)
        except ConnectionError:
            return  # closed while we still sent: the answer may be lost on the way
    assert told.startswith(b"HTTP/1.1 431 ")


def test_a_body_is_not_waited_for_where_nobody_reads_it(gateway: Gateway) -> None:
    with gateway.wire() as wire:
        wire.sendall(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
        told = everything(wire)
    assert told.startswith(b"HTTP/1.1 404 ")
    assert b"connection: close" in told.lower()


def test_who_sends_a_head_too_slowly_is_disconnected(gateway: Gateway) -> None:
    """Silent, dripping, and dripping a second request: all at once, since it takes its time."""
    whole = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    wires = [gateway.wire() for _ in range(3)]
    wires[1].sendall(b"GET /")
    wires[2].sendall(whole + b"GET /")
    started, left = time.monotonic(), set(wires)
    while left and time.monotonic() - started < 25:
        for wire in left & set(wires[1:]):
            with suppress(ConnectionError):
                wire.sendall(b"x")
        readable, _, _ = select.select(left, [], [], 0.3)
        left -= {wire for wire in readable if _closed(wire)}
    for wire in wires:
        wire.close()
    assert not left
    assert time.monotonic() - started > 5


def _closed(wire: socket.socket) -> bool:
    try:
        return not wire.recv(65536)
    except ConnectionError:
        return True


def test_a_stop_finishes_what_is_under_way_and_ends_with_0(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    with Gateway(tmp_path, server.url) as gateway:
        idle = gateway.wire()
        with idle:
            assert gateway.stop() == 0


@pytest.fixture(scope="module")
def without_redis(
    server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway whose Redis was there when it started."""
    folder = tmp_path_factory.mktemp("without")
    with (
        EmbeddedServer(folder / "redis", appendfsync="no") as away,
        Gateway(folder, away.url, DISPATCHER_BROKER_URL=server.url) as running,
    ):
        away.kill()
        yield running


def test_it_lives_on_unready_where_redis_is_away(without_redis: Gateway) -> None:
    assert without_redis.ask("GET", "/healthz").status_code == 200
    found = problem(without_redis.ask("GET", "/readyz"), 503)
    assert [error["field"] for error in found["errors"]] == ["Redis"]
    assert "start it, or correct" in found["detail"]
    assert "doctor" in found["remedy"]


@pytest.mark.parametrize("name", [*FORWARDING, "host"])
def test_whoever_comes_by_a_proxy_learns_nothing_of_what_is_inside(
    without_redis: Gateway, name: str
) -> None:
    answer = without_redis.ask("GET", "/readyz", headers={name: "192.0.2.7"})
    assert problem(answer, 503)["detail"] == "not ready"
    assert not re.search("redis|broker|127|running", answer.text, re.IGNORECASE)


def test_a_key_that_may_read_learns_it_by_a_proxy_too(
    server: EmbeddedServer, store: Store, tmp_path: Path
) -> None:
    nobody = f"redis://127.0.0.1:{free_port()}/0"
    with Gateway(tmp_path, server.url, DISPATCHER_BROKER_URL=nobody) as gateway:
        reader, writer = (
            client(gateway, store, scope, scope).get("/readyz", headers={"Via": "1.1 proxy"})
            for scope in (Scope.READ, Scope.ENQUEUE)
        )
    assert [error["field"] for error in problem(reader, 503)["errors"]] == ["broker"]
    assert problem(writer, 503)["detail"] == "not ready"


def test_it_is_not_ready_where_the_broker_is_away(server: EmbeddedServer, tmp_path: Path) -> None:
    nobody = f"redis://127.0.0.1:{free_port()}/0"
    with Gateway(tmp_path, server.url, DISPATCHER_BROKER_URL=nobody) as gateway:
        found = problem(gateway.ask("GET", "/readyz"), 503)
    assert [error["field"] for error in found["errors"]] == ["broker"]


def test_with_a_certificate_of_its_own_it_speaks_tls(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    issued = authority.issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    for part in issued.cert_chain_pems:
        part.write_to_path(tmp_path / "cert.pem", append=True)
    files = {
        "DISPATCHER_GATEWAY_TLS_CERT": str(tmp_path / "cert.pem"),
        "DISPATCHER_GATEWAY_TLS_KEY": str(tmp_path / "key.pem"),
    }
    with Gateway(tmp_path, server.url, **files) as gateway:
        answer = gateway.ask("GET", "/healthz", verify=str(tmp_path / "ca.pem"))
    assert answer.json() == {"status": "ok"}
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_no_path_is_logged(gateway: Gateway) -> None:
    gateway.ask("GET", "/nowhere/secret-in-a-path")
    assert not re.search("secret-in-a-path", gateway.log)


def test_it_says_where_it_may_not_open_as_many_files_as_it_needs(server: EmbeddedServer) -> None:
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "DISPATCHER_REDIS_URL": server.url,
        "DISPATCHER_GATEWAY_PORT": str(free_port()),
    }
    few = 'ulimit -n 1024; exec "$0" -m workers.run gateway'
    command = ["/bin/sh", "-c", few, sys.executable]
    ran = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False
    )
    assert ran.returncode == 2
    assert "DISPATCHER_GATEWAY_CONNECTIONS" in ran.stderr
    assert "this process may have 1024" in ran.stderr


def test_it_reads_numbers_as_in_the_region_of_its_settings(
    server: EmbeddedServer, store: Store, tmp_path: Path
) -> None:
    call = {"recipient": "080-1234-0001", "say": "x", "key": "a"}
    with Gateway(tmp_path, server.url, DISPATCHER_REGION="JP") as gateway:
        asked = client(gateway, store, "billing", Scope.ENQUEUE)
        job = asked.post("/v1/jobs", call).json()
        lines, _ = asked.bulk([call])
        ops = client(gateway, store, "ops", Scope.OPERATE)
        assert ops.post("/v1/dnc", {"number": "080-1234-0009"}).status_code == 200
    assert [entry.number for entry in store.do_not_call.all()] == ["+818012340009"]
    assert [line["id"] for line in lines] == [job["id"]]
    assert store.jobs.get(job["id"]).numbers == ("+818012340001",)
