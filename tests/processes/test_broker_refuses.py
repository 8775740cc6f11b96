"""A worker whose broker's Redis refuses waits and goes on: it ends for none of the refusals."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator

import pytest

from dispatcher.client.dispatcher import Dispatcher
from support.forked import Forked
from support.polling import eventually
from support.redis_servers import RedisProcess
from support.refusals import STANDING
from workers.devstack import own_process

SILENT = {"OOM"}
"""What a worker does not hear of: it takes messages from a full Redis."""
COMPLAINT = re.compile("Connection to broker lost|Cannot connect to|Redis error, will retry")


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    with RedisProcess(tmp_path_factory.mktemp("records")) as running:
        yield running


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    with RedisProcess(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="module")
def worker(
    tmp_path_factory: pytest.TempPathFactory, records: RedisProcess, broker: RedisProcess
) -> Iterator[tuple[subprocess.Popen[bytes], Callable[[], str]]]:
    """A worker that dials a provider out of reach, and what it has said."""
    folder = tmp_path_factory.mktemp("worker")
    variables = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "DISPATCHER_REDIS_URL": records.url,
        "DISPATCHER_BROKER_URL": broker.url,
        "DISPATCHER_CALLER": "+815012345678",
        "DISPATCHER_BREAKER_FAILURES": "1000",
        "XOXZO_API_HOST": "http://127.0.0.1:9",
        "XOXZO_API_SID": "sid",
        "XOXZO_API_AUTH_TOKEN": "token",
        "DISPATCHER_ALLOWED_COUNTRIES": "any",
        "DISPATCHER_SPEND_PER_DAY": "none",
    }
    log = folder / "log"
    with log.open("wb") as file:
        process = Forked(
            own_process.command("workers.run", "dial"),
            cwd=folder,
            env=own_process.environment(variables),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )

    def said() -> str:
        return log.read_text(errors="replace")

    try:
        eventually(lambda: "consuming" in said(), "it consumes", more=said)
        yield process, said
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.parametrize("code", STANDING)
def test_a_worker_outlives_a_refusal_of_its_broker_and_dials_on(
    code: str,
    records: RedisProcess,
    broker: RedisProcess,
    worker: tuple[subprocess.Popen[bytes], Callable[[], str]],
) -> None:
    process, said = worker
    known = len(said())
    with STANDING[code](broker):
        if code not in SILENT:
            eventually(lambda: COMPLAINT.search(said()[known:]), f"it hears of {code}", more=said)
        assert process.poll() is None
    dispatcher = Dispatcher.from_url(records.url, broker_url=broker.url)
    handle = dispatcher.call("+818012340001", say="x")
    eventually(lambda: len(dispatcher.job(handle.id).timeline) > 1, "it is taken up", more=said)
    assert process.poll() is None
