"""A whole stack whose Redis is behind sentinels, with TLS and passwords: nothing is left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import requests
from celery import Celery

from dispatcher.client.broker_url import broker_settings, result_settings
from dispatcher.client.watching import Change
from support.e2e_stack import CALL_QUEUE, FLOWER_API, FLOWER_AUTH, QUICK, SAY, Up, number
from support.polling import eventually
from support.redis_servers import Certificates, RedisProcess, Sentinels

PASSWORD, QUOTED = "p@ss word/1", "p%40ss%20word%2F1"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The master asks for a password and a client's certificate, the sentinel for another."""
    folder = tmp_path_factory.mktemp("places")
    certificates = Certificates(folder / "certificates")
    locked = {"requirepass": f'"{PASSWORD}"', "masterauth": f'"{PASSWORD}"'}
    master = RedisProcess(
        folder / "master", {**locked, "tls-auth-clients": "yes"}, tls=certificates
    )
    try:
        master.start(wait=False)
        sentinels = Sentinels(folder, master, count=1, tls=certificates)
        (sentinel,) = sentinels.processes
        lines = sentinel._options["sentinel"]
        assert isinstance(lines, tuple)
        sentinel._options["sentinel"] = (*lines, f'auth-pass voice "{PASSWORD}"')
        sentinel._options["requirepass"] = "other"
        if not _speaks_tls(master):
            pytest.skip("this Redis server was built without TLS")
        with sentinels:
            mine = f"&ssl_certfile={certificates.client_certificate}"
            mine += f"&ssl_keyfile={certificates.client_key}&sentinel_password=other"
            yield sentinels.url.replace("sentinel://", f"sentinel://:{QUOTED}@") + mine
    finally:
        master.kill()


def _speaks_tls(server: RedisProcess) -> bool:
    process = server.process
    assert process
    eventually(lambda: process.poll() is not None or "Ready to accept" in server.log(), "it starts")
    return process.poll() is None


@pytest.fixture(scope="module")
def up(url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    settings = {
        **QUICK,
        "DISPATCHER_REDIS_URL": url,
        "DISPATCHER_CALL_REDELIVERY": "1s",
        **FLOWER_API,
    }
    with Up(tmp_path_factory.mktemp("up"), **settings) as up:
        yield up


@pytest.fixture
def app(url: str) -> Celery:
    """What another service has."""
    app = Celery(set_as_current=False)
    app.conf.update(broker_settings(url), **result_settings(url))
    return app


@pytest.mark.filterwarnings("ignore:Call to deprecated setex:DeprecationWarning")
def test_the_call_task_stores_its_result_and_acknowledges_its_message(up: Up, app: Celery) -> None:
    """Else the message would come again for ever, and enqueue anew what was purged."""
    who = number("0001")
    sent = app.send_task(
        "dispatcher.call", kwargs={"recipient": who, "say": SAY, "at": "1h"}, queue=CALL_QUEUE
    )
    id_ = sent.get(30)
    assert up.cli("purge", "--recipient", who, "--cancel", "--yes").returncode == 0
    with app.connection_for_read() as connection:
        client = connection.default_channel.client
        eventually(lambda: not client.exists("vd.unacked", CALL_QUEUE), "it is acknowledged")
    assert up.dispatcher.store.jobs.get_many([id_]) == [None]


def test_who_waits_and_who_watches_are_told(up: Up) -> None:
    with ThreadPoolExecutor(1) as pool:
        changes = up.dispatcher.watch()
        first: Future[object] = pool.submit(next, changes)
        job = up.dispatcher.call(number("0001"), say=SAY)
        assert job.wait(60).outcome == "ANSWERED"
        assert isinstance(first.result(180), Change)
    assert up.cli("call", number("0001"), "--say", SAY, "--wait").returncode == 0


def test_flower_shows_the_queues(up: Up) -> None:
    api = f"{up.announced['flower_url']}/api"

    def names() -> set[str]:
        # It asks workers once, when they first tell that they are there, and gives them a second.
        requests.get(f"{api}/workers?refresh=true", auth=FLOWER_AUTH, timeout=30)
        answer = requests.get(f"{api}/queues/length", auth=FLOWER_AUTH, timeout=30)
        shown = answer.json()["active_queues"] if answer.ok else []
        return {each["name"] for each in shown}

    # It shows those of the workers that have told it so; where the broker is slow, an error.
    eventually(lambda: names() > {CALL_QUEUE, "vd.urgent"}, "Flower shows the queues")


def test_doctor_finds_nothing_broken(up: Up) -> None:
    asks = ("doctor", "--no-provider", "--json")
    # A process on a busy machine may be late to tell that it runs.
    done = eventually(lambda: next((d for d in [up.cli(*asks)] if d.returncode == 0), None))
    found = {each["check"]: each["level"] for each in json.loads(done.stdout)}
    assert found["broker"] == "ok"
    assert "fail" not in found.values()
