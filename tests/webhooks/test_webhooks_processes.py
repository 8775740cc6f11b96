"""The delivering process, real: killed, without Redis, and among receivers that misbehave."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.alert import AlertState
from dispatcher.store import Store
from dispatcher.store.redis_url import connect
from dispatcher.values.alert_links import link_secret_from_key
from support import webhook_receiver as acts
from support.forked import Forked
from support.gateway_process import KEY, Gateway
from support.polling import eventually
from support.redis_inside import key_of
from support.seen_alerts import reported
from support.webhook_jobs import SAY, ended, targets
from support.webhook_receiver import SECRET, Receiver, account_secret
from support.wrong_clock import clock_ahead
from workers.devstack.embedded_server import EmbeddedServer
from workers.webhooks.deliver import LEASE

ROOT = Path(__file__).resolve().parents[2]


def _full(name: str) -> str:
    return name if name.startswith("LINK_") else f"WEBHOOK_{name}"


class Process:
    """One `workers.run webhooks`."""

    def __init__(self, redis_url: str, log: Path, **settings: str) -> None:
        self.log = log
        environment = {
            **{name: value for name, value in os.environ.items() if name[:11] != "DISPATCHER_"},
            "DISPATCHER_REDIS_URL": redis_url,
            "DISPATCHER_WEBHOOK_SECRET": SECRET,
            "DISPATCHER_WEBHOOK_ALLOW_PRIVATE": "127.0.0.0/8",
            "DISPATCHER_WEBHOOK_ALLOW_PRIVATE_JOBS": "127.0.0.0/8",
            **{f"DISPATCHER_{_full(name)}": value for name, value in settings.items()},
        }
        with log.open("w") as out:
            self.process = Forked(
                [sys.executable, "-m", "workers.run", "webhooks", f"name={log.name}"],
                cwd=ROOT,
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    @property
    def ready(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return "consuming" in self.log.read_text()

    def end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        finally:
            self.process.kill()


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[EmbeddedServer]:
    with EmbeddedServer(tmp_path / "redis", appendfsync="always") as server:
        yield server


def test_who_is_told_of_an_alert_takes_it_by_the_link_in_the_message(
    own_redis: EmbeddedServer, receiver: Receiver, tmp_path: Path
) -> None:
    """The process that delivers has not the gateway's key, only what follows from it for links."""
    with Gateway(tmp_path, own_redis.url) as gateway, connect(own_redis.url) as client:
        link = {"LINK_URL": gateway.url, "LINK_SECRET": link_secret_from_key(KEY)}
        sender = Process(own_redis.url, tmp_path / "sender", URL=receiver.url, **link)
        try:
            store = Store(client)
            targets(store)
            (id_,) = reported(store)
            (told,) = eventually(lambda: receiver.got[:1], "told")
            url = told.verified(account_secret(receiver.url))["data"]["acknowledge_url"]
            assert url.startswith(gateway.url)
            path = url.removeprefix(gateway.url)
            assert "I have it" in gateway.ask("GET", path).text
            assert store.alerts.get(id_).state is AlertState.RINGING
            assert "Ann has it" in gateway.ask("POST", path, data={"by": "Ann"}).text
            assert store.alerts.get(id_).acknowledged_by == "Ann"
        finally:
            sender.end()


def test_nobody_is_delayed_and_nothing_is_lost(
    own_redis: EmbeddedServer, receiver: Receiver, tmp_path: Path
) -> None:
    """Two processes; one is killed with a request under way, then Redis goes and comes back."""
    receiver.answers |= {"/hangs": acts.hang(receiver), "/bad": 500}
    urls = f"{receiver.url}/good,{receiver.url}/slow"
    good = account_secret(f"{receiver.url}/good")
    slow = threading.Event()
    receiver.answers["/slow"] = lambda handler: (slow.wait(20), handler.reply(200))
    both = [Process(own_redis.url, tmp_path / name, URL=urls) for name in ("one", "two")]
    try:
        with connect(own_redis.url) as client:
            store = Store(client)
            targets(store, 2)  # as a process that dials has published
            eventually(lambda: all(each.ready for each in both), "ready")

            # A target that hangs and one that fails delay no other.
            ids = [ended(store, webhook=f"{receiver.url}/{way}") for way in ("hangs", "bad") * 5]
            told = eventually(lambda: receiver.at("/good")[9:] and receiver.at("/good"), "10 told")
            assert {each.verified(good)["data"]["id"] for each in told} == set(ids)
            assert not any(SAY in each.body.decode() for each in receiver.got)

            # Killed between the request and the record: told again, as the same event.
            held = eventually(lambda: receiver.at("/slow")[:1], "one is under way")[0].event
            for each in both:
                each.process.kill()
                each.process.wait(10)
            ids += [ended(store) for _ in range(20)]
            slow.set()
            both = [Process(own_redis.url, tmp_path / "three", URL=urls)]
            eventually(lambda: both[0].ready, "ready again")
            eventually(
                lambda: [each.event for each in receiver.at("/slow")].count(held) > 1,
                "what was under way is told again",
                LEASE + 20,
            )

            own_redis.stop()
            own_redis.start()
            ids += [ended(store) for _ in range(20)]

            def missing() -> set[str]:
                seen = Counter(each.read()["data"]["id"] for each in receiver.at("/slow"))
                seen &= Counter(each.read()["data"]["id"] for each in receiver.at("/good"))
                return set(ids) - seen.keys()

            eventually(lambda: not missing(), "every end is told", LEASE + 20)
            bad = [each for each in store.webhooks.waiting() if each.target == "job"]
            assert len(bad) == 10
    finally:
        for each in both:
            each.end()
    events = defaultdict(set)
    for each in receiver.got:
        events[each.read()["data"]["id"]].add((each.event, each.body))
    assert all(len(found) == 1 for found in events.values())


def test_a_machine_whose_clock_is_an_hour_off_signs_with_the_time_of_redis(
    own_redis: EmbeddedServer,
    receiver: Receiver,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Receivers refuse what was signed more than minutes ago, or will be."""
    wrong = clock_ahead(tmp_path, 3600)
    if not wrong:
        pytest.skip("a wrong clock is made with a C compiler, and there is none")
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)
    process = Process(own_redis.url, tmp_path / "log", URL=receiver.url)
    try:
        with connect(own_redis.url) as client:
            eventually(lambda: process.ready, "ready")
            store = Store(client)
            targets(store)  # as a process that dials has published
            id_ = ended(store)
            got = eventually(lambda: receiver.got, "told")
        assert got[0].verified(account_secret(receiver.url))["data"]["id"] == id_
    finally:
        process.end()


def test_it_replaces_no_setting_of_the_account(
    own_redis: EmbeddedServer, receiver: Receiver, tmp_path: Path
) -> None:
    """It may run on a machine that knows nothing of countries, limits and the rate."""
    with connect(own_redis.url) as client:
        store = Store(client)
        store.limiter.publish(AccountConfig(countries=frozenset({"JP"}), webhooks=1))
        before = client.hgetall(key_of(store, "config"))
        process = Process(own_redis.url, tmp_path / "log", URL=receiver.url)
        try:
            eventually(lambda: process.ready, "ready")
            assert client.hgetall(key_of(store, "config")) == before
            ended(store)
            eventually(lambda: receiver.got, "told")
        finally:
            process.end()
