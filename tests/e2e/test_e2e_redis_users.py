"""A whole stack whose processes have the users of docs/redis.acl, over TLS: each does its part."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import redis
import requests
from celery import Celery

from dispatcher import Dispatcher
from dispatcher.client.broker_url import broker_settings, result_settings
from support.e2e_stack import (
    CALL_QUEUE,
    FLOWER_API,
    FLOWER_AUTH,
    QUICK,
    SAY,
    STARTS_WITHIN,
    VOICE_DISPATCHER,
    OwnSandbox,
    environment,
    number,
)
from support.forked import Forked, run
from support.polling import eventually
from support.ports import free_port
from support.redis_servers import Certificates, RedisProcess
from support.webhook_receiver import Receiver, receiving

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "docs" / "redis.acl"
WORD = "CHANGE-ME"
USER_OF = {
    "dial": "vd-worker",
    "call-task": "vd-worker",
    "webhooks": "vd-worker",
    "beat": "vd-beat",
    "gateway": "vd-gateway",
    "flower": "vd-flower",
}


class Served(NamedTuple):
    server: RedisProcess
    gateway: str
    flower: str
    settings: dict[str, str]
    folder: Path

    def url(self, user: str) -> str:
        return self.server.url.replace("://", f"://{user}:{WORD}@")

    def cli(self, *argv: str) -> subprocess.CompletedProcess[str]:
        variables = {**self.settings, "DISPATCHER_REDIS_URL": self.url("vd-worker")}
        return run(
            [VOICE_DISPATCHER, *argv],
            env=environment(self.folder, **variables),
            cwd=self.folder,
            timeout=120,
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    """A Redis with TLS that knows these users."""
    folder = tmp_path_factory.mktemp("users")
    options = {"aclfile": str(RULES)}
    process = RedisProcess(folder / "redis", options, tls=Certificates(folder / "certificates"))
    try:
        process.start()
    except AssertionError:
        process.kill()
        pytest.skip("this Redis server was built without TLS")
    yield process
    process.kill()


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture(scope="module")
def served(
    server: RedisProcess, receiver: Receiver, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("processes")
    ports = {name: free_port() for name in ("gateway", "flower")}
    gateway, flower = (f"http://127.0.0.1:{port}" for port in ports.values())
    with OwnSandbox("--ring=0.3") as sandbox:
        settings = {
            **QUICK,
            **sandbox.account,
            "DISPATCHER_CHECK_FIRST": "1h",  # the first call ends by its callback, or not at all
            "DISPATCHER_PUBLIC_URL": gateway,
            "DISPATCHER_GATEWAY_PORT": str(ports["gateway"]),
            "DISPATCHER_FLOWER_PORT": str(ports["flower"]),
            "DISPATCHER_FLOWER_DB": str(folder / "flower.db"),
            **FLOWER_API,
            "DISPATCHER_SECRET_KEY": "a-secret-of-this-test",
            "DISPATCHER_WEBHOOK_URL": f"{receiver.url}/told",
        }
        found = Served(server, gateway, flower, settings, folder)
        processes = [start(found, role) for role in USER_OF]
        try:
            for role in ("dial", "call-task", "webhooks"):
                log = folder / f"{role}.log"
                eventually(lambda log=log: "consuming" in log.read_text(), role, STARTS_WITHIN)  # type: ignore[misc]
            eventually(lambda: is_ready(gateway), "the gateway is ready", STARTS_WITHIN)
            yield found
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(180)


def start(served: Served, role: str) -> subprocess.Popen[bytes]:
    url = {"DISPATCHER_REDIS_URL": served.url(USER_OF[role])}
    with (served.folder / f"{role}.log").open("wb") as log:
        return Forked(
            [sys.executable, "-m", "workers.run", role],
            cwd=ROOT,
            env=environment(served.folder, **served.settings, **url),
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def is_ready(gateway: str) -> bool:
    try:
        return requests.get(f"{gateway}/readyz", timeout=10).ok
    except requests.ConnectionError:
        return False


@pytest.fixture(autouse=True)
def nobody_is_refused_anything(server: RedisProcess, served: Served) -> Iterator[None]:
    """Redis keeps what it refuses its users."""
    yield
    admin = server.url.replace("://", f"://admin:{WORD}@")
    with redis.Redis.from_url(admin) as client:
        refused = {(each["username"], each["object"]) for each in client.acl_log()}
        assert refused <= {("vd-worker", "config|get")}  # doctor does without


def test_a_producer_enqueues_waits_and_watches(served: Served, receiver: Receiver) -> None:
    dispatcher = Dispatcher.from_url(served.url("vd-producer"))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(next, dispatcher.watch())
        job = dispatcher.call(number("0001"), say=SAY).wait(180)
        assert first.result(180)
    assert (job.outcome, job.timeline[-1].actor) == ("ANSWERED", "callback")
    assert len(list(dispatcher.call_many([{"recipient": number("0002"), "say": SAY}] * 3))) == 3
    eventually(lambda: receiver.at("/told"), "a webhook is delivered", 180)


def test_a_service_sends_the_call_task(served: Served) -> None:
    url = served.url("vd-call")
    app = Celery(set_as_current=False)
    app.conf.update(broker_settings(url), **result_settings(url))
    asked = {"recipient": number("0001"), "say": SAY}
    id_ = app.send_task("dispatcher.call", kwargs=asked, queue=CALL_QUEUE).get(60)
    found = served.cli("show", id_)
    assert found.returncode == 0, found.stderr


def test_a_client_calls_over_http(served: Served) -> None:
    key = served.cli(
        "keys", "create", "billing", "--scope", "enqueue", "--scope", "read"
    ).stdout.strip()
    with requests.Session() as client:
        client.headers["Authorization"] = f"Bearer {key}"
        body = {"recipient": number("0001"), "say": SAY}
        made = client.post(f"{served.gateway}/v1/jobs", json=body, timeout=180)
        assert made.status_code == 202, made.text
        job = client.get(f"{served.gateway}/v1/jobs/{made.json()['id']}?wait=30", timeout=180)
        assert job.json()["outcome"] == "ANSWERED"
        for page in ("/v1/jobs", "/v1/stats", "/metrics"):
            assert client.get(f"{served.gateway}{page}", timeout=180).ok, page


def test_flower_shows_workers_and_queues(served: Served) -> None:
    def of_flower(path: str) -> Any:
        answer = requests.get(f"{served.flower}/api/{path}", auth=FLOWER_AUTH, timeout=180)
        return answer.json() if answer.ok else {}

    def queues() -> set[str]:
        return {each["name"] for each in of_flower("queues/length").get("active_queues", [])}

    # It knows those that have answered it.
    eventually(lambda: len(of_flower("workers?refresh=1")) == 3, "Flower sees all workers", 180)
    eventually(lambda: CALL_QUEUE in queues(), "Flower sees the call task's queue", 180)


def test_people_look_and_act(served: Served) -> None:
    for argv in (["doctor", "--no-provider"], ["list"], ["pause"], ["resume"], ["audit"]):
        ran = served.cli(*argv)
        assert ran.returncode == 0, (argv, ran.stdout, ran.stderr)
