"""What a real RabbitMQ is found to be: let in or not, in alarm, consumed by whom."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from kombu.exceptions import OperationalError

from dispatcher.client.messages import Messenger
from dispatcher.client.queues import dial_queues
from dispatcher.client.rabbitmq import IN_ALARM, BrokerUnavailable
from dispatcher.store.errors import StoreUnsuitable
from support import rabbitmq
from support.forked import Forked
from support.leftovers import keep
from support.polling import eventually
from support.rabbitmq import ALL, RabbitNode, Vhost
from support.redis_servers import Certificates, RedisProcess
from workers.devstack import own_process
from workers.run import READY

pytestmark = pytest.mark.skipif(bool(rabbitmq.missing()), reason=rabbitmq.missing())
NONE = ("^$", "^$", "^$")
DEFAULT_EXCHANGE = r"^amq\.default$"
PRODUCER = ("^$", DEFAULT_EXCHANGE, "^$")
SERVICE = (r"^vd\.call$", r"^vd\.call$|^amq\.default$", r"^vd\.call$")
RIGHTS = {
    "dispatcher": rabbitmq.smallest_rights("vd") if not rabbitmq.missing() else NONE,
    "producer": PRODUCER,
    "service": SERVICE,
    "idle": NONE,
}
PAGE = Path(__file__).resolve().parents[2] / "docs/how-to/rabbitmq.md"
ENDS_WITHIN = 60.0


@dataclass(frozen=True)
class Place:
    """A node, whose vhost `calls` makes queues quorum, and a Redis for the records."""

    node: RabbitNode
    redis: RedisProcess
    folder: Path

    def url(self, user: str = "dispatcher", vhost: str = "calls", *, tls: bool = False) -> str:
        return self.node.url(vhost, user, tls=tls)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("rabbitmq")
    vhosts = (Vhost("calls", "quorum", RIGHTS), Vhost("plain", "", {"dispatcher": ALL}))
    tls = Certificates(folder / "certificates", host="rabbit.example.org")
    with (
        RabbitNode(folder / "node", vhosts, users=tuple(RIGHTS), tls=tls) as node,
        RedisProcess(folder / "redis") as redis,
    ):
        for pid in (*node.pids, redis.process.pid if redis.process else 0):
            keep(pid)
        yield Place(node, redis, folder)


@contextmanager
def dialling(place: Place, name: str, broker: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start a worker of a name; its output goes to a file of that name."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(place.folder),
        "XOXZO_API_SID": "sid",
        "XOXZO_API_AUTH_TOKEN": "token",
        "DISPATCHER_ALLOWED_COUNTRIES": "any",
        "DISPATCHER_SPEND_PER_DAY": "none",
        "DISPATCHER_REDIS_URL": place.redis.url,
        "DISPATCHER_BROKER_URL": broker,
        "PYTHONUNBUFFERED": "1",
    }
    with (
        (place.folder / name).open("wb") as log,
        Forked(
            own_process.command("workers.run", "dial", "name=ann"),
            env=own_process.environment(environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield process
        finally:
            process.kill()


def consuming(place: Place, name: str) -> None:
    log = place.folder / name
    eventually(lambda: READY in log.read_text(), f"{name} consumes", more=log.read_text)


def test_one_with_the_smallest_rights_is_let_in_and_its_messages_are_taken(place: Place) -> None:
    Messenger.to_broker(place.url()).ping()


def test_a_producer_needs_no_more_than_the_page_says(place: Place) -> None:
    assert all(f"`{right}`" in PAGE.read_text() for right in PRODUCER)
    messenger = Messenger.to_broker(place.url("producer"))
    messenger.ping()
    assert messenger.check(["id"]) == 1


def told_to_senders() -> dict[str, Any]:
    """Return the options that the page tells services to give their app."""
    found = re.search(r"broker_transport_options = (\{.+\})", PAGE.read_text())
    assert found, "docs/how-to/rabbitmq.md has no options"
    options: dict[str, Any] = ast.literal_eval(found[1])
    return options


def test_a_service_that_sends_calls_needs_no_more_than_the_page_says(place: Place) -> None:
    assert all(right.replace("|", "&#124;") in PAGE.read_text() for right in SERVICE)
    with Celery(broker=place.url("service"), set_as_current=False) as app:
        app.conf.broker_transport_options = told_to_senders()
        app.send_task("dispatcher.call", kwargs={}, queue="vd.call")
    eventually(lambda: place.node.queues("calls")["vd.call"]["messages"] == 1, "it is counted")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("dispatcher:dispatcher", "dispatcher:wrong"), "correct the user or password"),
        (("/calls", "/cals"), "vhost cals not found"),
        (("/calls", "/%2F"), "access to vhost '/' refused for user 'dispatcher'"),
        (("dispatcher:dispatcher", "idle:idle"), "access to exchange 'amq.default'"),
        (("amqp://", "amqps://"), "does not speak TLS"),
        (("/calls", "/calls?ssl_ca_certs=/ca.pem"), "write amqps://"),
    ],
)
def test_a_wrong_url_is_named_without_its_password(
    place: Place, change: tuple[str, str], says: str
) -> None:
    url = place.url().replace(*change)
    with pytest.raises(StoreUnsuitable) as refused:
        Messenger.to_broker(url).ping()
    assert says in str(refused.value)
    assert "dispatcher:dispatcher" not in str(refused.value)
    assert "wrong" not in str(refused.value)


class TestTLS:
    """The certificate is made out to rabbit.example.org, and its authority is no public one."""

    def test_it_is_verified(self, place: Place) -> None:
        with pytest.raises(StoreUnsuitable, match="not trusted"):
            Messenger.to_broker(place.url(tls=True)).ping()

    def test_it_is_that_of_the_host(self, place: Place) -> None:
        with pytest.raises(StoreUnsuitable, match="IP address mismatch"):
            Messenger.to_broker(self._url(place)).ping()

    def test_the_host_need_not_be_looked_at(self, place: Place) -> None:
        Messenger.to_broker(f"{self._url(place)}&ssl_check_hostname=false").ping()

    @pytest.mark.parametrize("word", ["none", "CERT_NONE"])
    def test_verifying_can_be_turned_off(self, place: Place, word: str) -> None:
        Messenger.to_broker(f"{place.url(tls=True)}?ssl_cert_reqs={word}").ping()

    @pytest.mark.parametrize(
        ("option", "says"),
        [
            ("ssl_ca=x", "unknown option, ssl_ca"),
            ("ssl_ca_certs=/none.pem", "cannot be read"),
            ("ssl_cert_reqs=maybe", "required, optional or none"),
        ],
    )
    def test_an_option_that_is_wrong_is_named(self, place: Place, option: str, says: str) -> None:
        with pytest.raises(StoreUnsuitable, match=says):
            Messenger.to_broker(f"{place.url(tls=True)}?{option}").ping()

    @staticmethod
    def _url(place: Place) -> str:
        assert place.node.tls
        return f"{place.url(tls=True)}?ssl_ca_certs={place.node.tls.authority}"


def test_a_process_with_a_wrong_password_ends_with_a_sentence(place: Place) -> None:
    url = place.url().replace("dispatcher:dispatcher", "dispatcher:wrong")
    with dialling(place, "wrong", url) as process:
        assert process.wait(ENDS_WITHIN) == 2
    said = (place.folder / "wrong").read_text()
    assert said.splitlines()[-1].startswith("error: RabbitMQ refuses the user")
    assert "wrong" not in said


def test_who_consumes_is_known_without_asking_workers(place: Place) -> None:
    queues = dial_queues("vd")
    messenger = Messenger.to_broker(place.url())
    with dialling(place, "one", place.url()):
        consuming(place, "one")
        assert messenger.consumers([*queues, "vd.call"]) == Counter(dict.fromkeys(queues, 1))


def test_a_second_worker_of_a_name_ends_with_a_sentence_and_an_error(place: Place) -> None:
    with dialling(place, "first", place.url()):
        consuming(place, "first")
        with dialling(place, "second", place.url()) as second:
            assert second.wait(ENDS_WITHIN) == 1
    said = (place.folder / "second").read_text()
    assert "choose another name" in said
    assert "Traceback" not in said


def test_an_alarm_is_told_from_workers_that_are_missing(place: Place) -> None:
    messenger = Messenger.to_broker(place.url("dispatcher", "plain"))
    with dialling(place, "alarmed", place.url("dispatcher", "plain")):
        consuming(place, "alarmed")
        place.node.alarm(on=True)
        try:
            with pytest.raises(BrokerUnavailable) as refused:
                messenger.ping()
            assert str(refused.value) == IN_ALARM
            assert messenger.consumers(["vd.urgent"]).total() == 1
            with Celery(broker=place.url("dispatcher", "plain"), set_as_current=False) as app:
                brief = dict.fromkeys(["read_timeout", "write_timeout"], 0.5)
                app.conf.broker_transport_options = told_to_senders() | brief
                with pytest.raises(OperationalError):
                    app.send_task("dispatcher.call", queue="vd.call", retry=False)
        finally:
            place.node.alarm(on=False)
        eventually(lambda: messenger.ping() is None, "messages are taken again")
