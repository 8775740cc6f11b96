"""Processes whose records are of another schema say so in a sentence, and stop."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
import requests

from dispatcher.sandbox import SandboxOptions
from dispatcher.store import Store
from dispatcher.store.errors import OtherSchema
from support.forked import Forked
from support.polling import eventually
from support.ports import free_port
from support.redis_inside import key_of, redis_of
from workers.devstack.embedded_server import EmbeddedServer
from workers.engine.schema_guard import SchemaGuard

ROOT = Path(__file__).resolve().parents[2]
SENTENCE = "the records in Redis are of schema 4, this process knows schema 3: upgrade it"
ROLES = ("dial", "call-task", "beat", "gateway")


@pytest.fixture
def store(redis_client: redis.Redis) -> Iterator[Store]:
    store = Store(redis_client, namespace="other")
    yield store
    redis_of(store).flushdb()


def set_schema(store: Store, schema: str) -> None:
    redis_of(store).set(key_of(store, "schema"), schema)


@contextmanager
def process(
    role: str, server: EmbeddedServer, folder: Path
) -> Iterator[tuple[subprocess.Popen[bytes], Path, int]]:
    known, port, log = SandboxOptions(), free_port(), folder / f"{role}.log"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "DISPATCHER_REDIS_URL": server.url,
        "DISPATCHER_NAMESPACE": "other",
        "DISPATCHER_CALLER": "+815012345678",
        "DISPATCHER_GATEWAY_PORT": str(port),
        "XOXZO_API_HOST": "http://127.0.0.1:9",
        "XOXZO_API_SID": known.sid,
        "XOXZO_API_AUTH_TOKEN": known.token,
    }
    with log.open("wb") as file:
        child = Forked(
            [sys.executable, "-m", "workers.run", role],
            cwd=ROOT,
            env=environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        yield child, log, port
    finally:
        child.kill()
        child.wait()


@pytest.mark.parametrize("role", ROLES)
def test_a_process_does_not_start_on_another_schema(
    role: str, store: Store, server: EmbeddedServer, tmp_path: Path
) -> None:
    set_schema(store, "4")
    with process(role, server, tmp_path) as (child, log, _):
        assert child.wait(180) == 2
        assert log.read_text().splitlines()[-1] == f"error: {SENTENCE}"


@pytest.mark.parametrize("role", ROLES)
def test_a_process_ends_when_its_records_become_of_another_schema(
    role: str, store: Store, server: EmbeddedServer, tmp_path: Path
) -> None:
    with process(role, server, tmp_path) as (child, log, port):
        eventually(lambda: _works(role, store, log, port), f"{role} works")
        set_schema(store, "4")
        assert child.wait(180) == 2
        assert log.read_text().splitlines()[-1] == f"error: {SENTENCE}"


def _works(role: str, store: Store, log: Path, port: int) -> bool:
    if role == "beat":
        return bool(redis_of(store).llen("other.control"))  # it sent a wake-up
    if role != "gateway":
        return "consuming" in log.read_text()
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok
    except requests.ConnectionError:
        return False


def test_the_guard_stops_the_process_once_it_sees_another_schema(store: Store) -> None:
    stops: list[str] = []
    guard = SchemaGuard(stop=lambda: stops.append("stop"))
    guard.check(store)
    assert (stops, guard.refusal) == ([], None)
    set_schema(store, "migrating")
    guard.check(store)
    assert stops == ["stop"]
    assert isinstance(guard.refusal, OtherSchema)
    assert "run voice-dispatcher migrate again" in str(guard.refusal)
