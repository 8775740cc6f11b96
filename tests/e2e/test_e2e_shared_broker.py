"""Two dispatchers, and a service with a Celery worker of its own, on one broker."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from celery import Celery

from dispatcher.client.messages import Messenger
from support import rabbitmq
from support.e2e_stack import QUICK, SAY, STARTS_WITHIN, OwnSandbox, Up, environment, numbers
from support.polling import eventually
from support.rabbitmq import RabbitNode
from workers.devstack.embedded_server import EmbeddedServer

SERVICE = """
import os, time
from celery import Celery

app = Celery("service", broker=os.environ["BROKER_URL"], backend=os.environ["REDIS_URL"])

@app.task(name="double")
def double(number):
    return 2 * number

@app.task(name="long", acks_late=True)
def long(file, seconds):
    with open(file, "a") as starts:
        starts.write("started\\n")
    time.sleep(seconds)
"""
"""What configures nothing: it has Celery's default queue, events, and remote control."""
MANY = 30
REDELIVERY = 1.0  # seconds: the call task's, which must not count for the tasks of others
LONG = 6.0  # seconds of a task that is not acknowledged before its end


@dataclass(frozen=True)
class Came:
    """What came of all that was sent, by the books of those who got it."""

    called: Counter[str]
    """How often each number was called, of those that either dispatcher was asked to call."""
    ids: set[str]
    doubled: list[int]
    starts: int
    """How often the one long task of the service was started."""
    workers: dict[str, set[str]]
    """The queues that are consumed, as an inspection by each namespace sees them."""


@contextmanager
def service(folder: Path, url: str, broker: str) -> Iterator[Celery]:
    """Run the service's worker; give an app as it has, which names a queue for calls only."""
    folder.mkdir()
    (folder / "service.py").write_text(SERVICE)
    argv = [sys.executable, "-m", "celery", "-A", "service", "worker", "-P", "threads", "-c", "4"]
    env = environment(folder, REDIS_URL=url, BROKER_URL=broker)
    with (
        Celery(broker=broker, backend=url, set_as_current=False) as app,
        (folder / "log").open("wb") as log,
        subprocess.Popen(argv, cwd=folder, env=env, stdout=log, stderr=log) as worker,
    ):
        try:
            eventually(lambda: app.control.ping(timeout=1), "the service works", STARTS_WITHIN)
            yield app
        finally:
            worker.kill()


def shared_broker(folder: Path) -> Came:
    """Share a Redis."""
    with EmbeddedServer(folder / "redis") as server:
        return _shared(folder, server.url, server.url)


def shared_rabbitmq(folder: Path) -> Came:
    """Share a virtual host of RabbitMQ."""
    with EmbeddedServer(folder / "redis") as server, RabbitNode(folder / "node") as node:
        return _shared(folder, server.url, node.url())


def _shared(folder: Path, redis: str, broker: str) -> Came:
    """Send calls to both dispatchers and tasks to the service, by turns."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(OwnSandbox("--ring=0.3"))
        settings = {
            **QUICK,
            **sandbox.account,
            "DISPATCHER_REDIS_URL": redis,
            "DISPATCHER_BROKER_URL": broker,
            "DISPATCHER_CALL_REDELIVERY": f"{REDELIVERY}s",
        }
        quiet = ("--no-flower", "--no-gateway", "--no-sandbox")
        ups = {
            name: stack.enter_context(
                Up(folder / name, *quiet, **settings, DISPATCHER_NAMESPACE=name)
            )
            for name in ("vd", "other")
        }
        app = stack.enter_context(service(folder / "service", redis, broker))
        file = folder / "starts"
        long = app.send_task("long", args=(str(file), LONG))
        who = {name: numbers("0001", MANY) for name in ups}
        own, calls = [], {name: [] for name in ups}  # type: ignore[var-annotated]
        for n in range(MANY):
            own.append(app.send_task("double", args=(n,)))
            for name in ups:
                asked = {"recipient": who[name][n], "say": SAY}
                queue = f"{name}.call"
                calls[name].append(app.send_task("dispatcher.call", kwargs=asked, queue=queue))
        doubled = [task.get(180) for task in own]
        ids = {name: [task.get(180) for task in calls[name]] for name in ups}
        for name, up in ups.items():
            up.ended(ids[name], 120)
        long.get(180)
        return Came(
            called=Counter({each: sandbox.books()[each] for each in [*who["vd"], *who["other"]]}),
            ids={id_ for some in ids.values() for id_ in some},
            doubled=doubled,
            starts=file.read_text().count("started"),
            workers={name: _consumed(broker, name) for name in ups},
        )


def _consumed(url: str, namespace: str) -> set[str]:
    found = Messenger.to_broker(url, namespace).listeners(timeout=3)
    return {queue for queues in found.values() for queue in queues}


@pytest.mark.played(by=shared_broker)
def test_every_call_is_made_once_by_the_dispatcher_that_was_asked(outcome: Came) -> None:
    assert len(outcome.ids) == 2 * MANY
    assert Counter(outcome.called.values()) == {1: 2 * MANY}


@pytest.mark.played(by=shared_broker)
def test_every_task_of_the_service_is_done_by_its_own_worker(outcome: Came) -> None:
    assert outcome.doubled == [2 * n for n in range(MANY)]


@pytest.mark.played(by=shared_broker)
def test_the_call_tasks_redelivery_is_not_that_of_the_services_tasks(outcome: Came) -> None:
    assert outcome.starts == 1


@pytest.mark.played(by=shared_broker)
def test_an_inspection_sees_the_workers_of_its_namespace_alone(outcome: Came) -> None:
    names = ("urgent", "normal", "bulk", "control", "webhooks", "call")
    assert outcome.workers == {
        namespace: {f"{namespace}.{name}" for name in names} for namespace in ("vd", "other")
    }


@pytest.mark.skipif(bool(rabbitmq.missing()), reason=rabbitmq.missing())
@pytest.mark.played(by=shared_rabbitmq)
def test_on_rabbitmq_nothing_of_each_others_is_lost(outcome: Came) -> None:
    assert len(outcome.ids) == 2 * MANY
    assert Counter(outcome.called.values()) == {1: 2 * MANY}
    assert outcome.doubled == [2 * n for n in range(MANY)]
    assert outcome.starts == 1
