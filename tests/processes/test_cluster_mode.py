"""A Redis in cluster mode: the records work there, kombu does not, and that is said at once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatcher.client.dispatcher import Dispatcher, JobHandle
from dispatcher.sandbox import SandboxOptions
from dispatcher.store.errors import StoreUnavailable, StoreUnsuitable
from support.e2e_stack import VOICE_DISPATCHER
from support.forked import Forked
from support.polling import eventually
from support.ports import free_port
from support.redis_cluster import Cluster, ask, one_server
from support.redis_servers import RedisProcess
from workers.devstack.redis_server import find_servers

ROOT = Path(__file__).resolve().parents[2]
ROLES = ("dial", "call-task", "webhooks", "beat", "flower", "gateway")
SENTENCE = "the broker is a Redis in cluster mode, where Celery cannot take messages: set DISPATCH"
REQUEST = {"recipient": "+818012340001", "say": "x"}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    """A server that is a whole cluster."""
    server = one_server(tmp_path_factory.mktemp("alone"))
    yield server
    server.kill()


@pytest.fixture(scope="module", params=find_servers(), ids=lambda path: path.name)
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("cluster"), binary=request.param) as running:
        yield running


def environment(url: str, folder: Path) -> dict[str, str]:
    known = SandboxOptions()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "DISPATCHER_REDIS_URL": url,
        "DISPATCHER_CALLER": "+815012345678",
        "DISPATCHER_GATEWAY_PORT": str(free_port()),
        "DISPATCHER_FLOWER_PORT": str(free_port()),
        "DISPATCHER_FLOWER_DB": str(folder / "flower.db"),
        "XOXZO_API_HOST": "http://127.0.0.1:9",
        "XOXZO_API_SID": known.sid,
        "XOXZO_API_AUTH_TOKEN": known.token,
    }


def start(argv: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    return Forked(
        argv,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_no_process_starts_with_a_broker_in_cluster_mode(
    alone: RedisProcess, tmp_path: Path
) -> None:
    call = [str(VOICE_DISPATCHER), "call", REQUEST["recipient"], "--say", "x"]
    commands = [call, *([sys.executable, "-m", "workers.run", role] for role in ROLES)]
    processes = [start(argv, environment(alone.url, tmp_path)) for argv in commands]
    for process, argv in zip(processes, commands, strict=True):
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 2, argv
        assert len(said.splitlines()) <= 2, said  # Flower says first where it would be
        assert f"error: {SENTENCE}" in said, said


def test_a_producer_is_told_before_its_job_is_written(alone: RedisProcess) -> None:
    dispatcher = Dispatcher.from_url(alone.url)
    with pytest.raises(StoreUnsuitable, match="cluster mode"):
        dispatcher.call(**REQUEST)
    with pytest.raises(StoreUnsuitable, match="cluster mode"):
        dispatcher.call_many([REQUEST]).collect()
    with alone.client() as client:
        assert not client.keys("{vd}:jobs:*")


def test_doctor_tells_it(alone: RedisProcess, tmp_path: Path) -> None:
    argv = [str(VOICE_DISPATCHER), "doctor", "--no-provider", "--json"]
    said, _ = start(argv, environment(alone.url, tmp_path)).communicate(timeout=120)
    assert SENTENCE in said


def test_records_are_found_on_whichever_server_has_them(
    cluster: Cluster, server: RedisProcess
) -> None:
    """The URL names a server that never has our keys."""
    dispatcher = Dispatcher.from_url(cluster.others.url, broker_url=server.url)
    first = dispatcher.call(**REQUEST)
    assert first.refresh().state == "queued"
    assert len(dispatcher.call_many([REQUEST, REQUEST]).collect().jobs) == 2
    cluster.promote(cluster.replica)
    assert first.refresh().state == "queued"
    assert dispatcher.call(**REQUEST).new
    eventually(lambda: ask(cluster.ours, "ROLE")[0] == "slave", "the earlier master follows")
    cluster.replica.kill()
    cluster.promote(cluster.ours, "TAKEOVER")
    eventually(lambda: state_of(first) == "queued", "the server that took its place is found")


def state_of(job: JobHandle) -> str | None:
    try:
        return str(job.refresh().state)
    except StoreUnavailable:
        return None
