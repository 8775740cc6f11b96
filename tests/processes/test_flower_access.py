"""Who reaches what of a real Flower, with and without its password, its API, and the right host."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
import requests

from support.forked import Forked
from support.polling import eventually
from support.ports import free_port
from support.redis_servers import RedisProcess, Sentinels
from workers.devstack import own_process
from workers.devstack.embedded_server import EmbeddedServer

AUTH = ("me", "hunter2-of-flower")
STARTS_WITHIN = 120.0
PAGES = ["/", "/workers", "/tasks", "/broker", "/metrics"]
API = ["/api/workers", "/api/tasks", "/api/task/types", "/api/queues/length"]
STARTS_TASKS = ["/api/task/async-apply/dispatcher.call", "/api/task/send-task/dispatcher.call"]


class Place:
    """A Flower and what it answers."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, host: str = "", **options: object) -> int:
        return self.ask("GET", path, host, **options)

    def page(self, path: str) -> str:
        return requests.get(self.url + path, timeout=180).text

    def ask(self, method: str, path: str, host: str = "", **options: object) -> int:
        headers = {"Host": host} if host else {}
        answer = requests.request(
            method,
            self.url + path,
            headers=headers,
            timeout=180,
            **options,  # type: ignore[arg-type]
        )
        return answer.status_code


@contextmanager
def flower(redis_url: str, folder: Path, **settings: str) -> Iterator[Place]:
    port = free_port()
    environment = {
        "HOME": str(folder),
        "DISPATCHER_REDIS_URL": redis_url,
        "DISPATCHER_FLOWER_PORT": str(port),
        "DISPATCHER_FLOWER_DB": str(folder / f"{port}.db"),
        "FLOWER_UNAUTHENTICATED_API": "true",  # what a shell may have set for another Flower
        **settings,
    }
    log = folder / f"{port}.log"
    with ExitStack() as ended, log.open("wb") as out:
        process = Forked(
            own_process.command("workers.run", "flower"),
            cwd=folder,
            env=own_process.environment(environment),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        ended.callback(process.wait, 30)
        ended.callback(process.terminate)
        place = Place(f"http://127.0.0.1:{port}")
        eventually(lambda: _answers(place), "Flower answers", STARTS_WITHIN, log.read_text)
        yield place


def _answers(place: Place) -> bool:
    with suppress(requests.ConnectionError):
        return place.get("/healthcheck") == requests.codes.ok
    return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("flower")


@pytest.fixture(scope="module")
def open_one(server: EmbeddedServer, folder: Path) -> Iterator[Place]:
    with flower(server.url, folder) as place:
        yield place


@pytest.fixture(scope="module")
def closed_one(server: EmbeddedServer, folder: Path) -> Iterator[Place]:
    log = {"DISPATCHER_SECURITY_LOG": str(folder / "security.log")}
    with flower(server.url, folder, DISPATCHER_FLOWER_AUTH=":".join(AUTH), **log) as place:
        yield place


@pytest.fixture(scope="module")
def with_api(server: EmbeddedServer, folder: Path) -> Iterator[Place]:
    auth = {"DISPATCHER_FLOWER_AUTH": ":".join(AUTH), "DISPATCHER_FLOWER_API": "true"}
    with flower(server.url, folder, **auth) as place:
        yield place


@pytest.mark.parametrize("path", PAGES)
def test_without_a_password_it_is_there_for_those_who_name_this_machine(
    open_one: Place, path: str
) -> None:
    """A page of another site reaches it by a name of its own: DNS rebinding."""
    assert open_one.get(path) == 200
    assert open_one.get(path, host="localhost:8000") == 200  # through a tunnel
    assert open_one.get(path, host="[::1]:5555") == 200
    assert open_one.get(path, host="evil.example") == 421
    assert open_one.get(path, host="evil.example:5555") == 421
    assert open_one.get(path, host="127.0.0.1.evil.example") == 421


@pytest.mark.parametrize("path", PAGES)
def test_a_password_is_asked_for_on_every_page(closed_one: Place, path: str) -> None:
    assert closed_one.get(path) == 401
    assert closed_one.get(path, auth=("me", "wrong")) == 401
    assert closed_one.get(path, auth=AUTH) == 200
    assert closed_one.get(path, host="flower.example", auth=AUTH) == 200  # behind a proxy
    assert closed_one.get("/healthcheck") == 200


@pytest.mark.parametrize("path", [*API, *STARTS_TASKS])
def test_the_api_is_off(open_one: Place, closed_one: Place, path: str) -> None:
    for method in ("GET", "POST"):
        assert open_one.ask(method, path, json={}) in {404, 405}
        assert closed_one.ask(method, path, json={}, auth=AUTH) in {404, 405}


def test_where_it_is_wanted_it_needs_the_password(with_api: Place) -> None:
    for path in API[:3]:
        assert with_api.get(path) == 401
        assert with_api.get(path, auth=AUTH) == 200
    assert with_api.ask("POST", STARTS_TASKS[1], json={}) == 401


def test_the_page_of_the_broker_outlives_the_first_sentinel(folder: Path) -> None:
    with RedisProcess(folder / "master") as master, Sentinels(folder, master) as asked:
        asked.wait_until_ready(replicas=0)
        with flower(asked.url, folder) as place:
            assert "vd.control" in place.page("/broker")
            asked.processes[0].kill()
            assert "vd.control" in place.page("/broker")


def test_who_is_let_in_and_who_is_not_is_in_the_security_log(
    closed_one: Place, folder: Path
) -> None:
    for auth in (None, ("me", "wrong"), AUTH, AUTH):
        closed_one.get("/workers", auth=auth)
    text = (folder / "security.log").read_text()
    found = [json.loads(line) for line in text.splitlines()]
    told = [line for line in found if line.get("route") == "flower"]
    assert [line["event"] for line in told].count("login.succeeded") == 1, "once an hour"
    assert {"login.failed", "request.refused"} <= {line["event"] for line in told}
    assert {line["address"] for line in told} == {"127.0.0.1"}
    assert AUTH[1] not in text
    assert "wrong" not in text
