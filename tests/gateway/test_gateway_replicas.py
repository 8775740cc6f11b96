"""A gateway whose Redis has a replica: what it answers 200 or 201 is there after a failover."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
from requests import Response

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.api_key import Scope
from dispatcher.store import Store
from dispatcher.store.redis_url import connect
from dispatcher.values.callback_urls import CallbackUrls, Signer
from support.api_client import SAY, client
from support.gateway_process import KEY, Gateway
from support.polling import eventually
from support.standby import Standby, standby

REPORT = {"callid": "call-1", "status": "ANSWERED", "cost": "20.5", "duration": "12"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("replicated")


@pytest.fixture(scope="module")
def two(folder: Path) -> Iterator[Standby]:
    with standby(folder) as made:
        yield made


@pytest.fixture(scope="module")
def gateway(folder: Path, two: Standby) -> Iterator[Gateway]:
    with Gateway(folder, two.master.url) as running:
        yield running


@pytest.fixture
def pair(two: Standby) -> Iterator[Standby]:
    yield two
    two.mend()


@pytest.fixture
def store(pair: Standby) -> Iterator[Store]:
    with connect(pair.master.url) as client:
        client.flushall()
        store = Store(client)
        store.replicas.look()
        yield store


def path(attempt: int) -> str:
    """Return where the provider reports a call."""
    sent = datetime.now(UTC)
    return CallbackUrls("", Signer([KEY]), 3600).of("abcdefghijklmnop", attempt, sent)


def reports(server_url: str) -> int:
    with connect(server_url) as client:
        return int(client.zcard("{vd}:callbacks"))


def test_a_callback_is_on_the_replica_when_it_is_answered(
    gateway: Gateway, pair: Standby, store: Store
) -> None:
    assert gateway.ask("POST", path(1), data=REPORT).status_code == 200
    assert reports(pair.replica.url) == 1


def test_a_callback_that_a_failover_may_forget_is_to_come_again(
    gateway: Gateway, pair: Standby, store: Store
) -> None:
    pair.cut_off()
    answer = gateway.ask("POST", path(2), data=REPORT)
    assert (answer.status_code, "send it again" in answer.text) == (503, True)
    assert reports(pair.master.url) == 1  # and is applied meanwhile
    pair.mend()
    assert gateway.ask("POST", path(2), data=REPORT).status_code == 200
    assert reports(pair.replica.url) == 1


def test_a_job_that_a_failover_may_forget_is_not_accepted(
    gateway: Gateway, pair: Standby, store: Store
) -> None:
    store.limiter.publish(AccountConfig(replicas=1, accept_durable=True))
    billing = client(gateway, store, "billing", Scope.ENQUEUE)
    numbers = count()

    def ask() -> Response:
        return billing.post("/v1/jobs", {**SAY, "key": f"alert-{next(numbers)}"})

    pair.cut_off()
    (refused,) = eventually(
        lambda: [answer for answer in [ask()] if answer.status_code == 503], "it knows the rule"
    )
    assert "replica of Redis" in refused.text
    assert refused.headers["Retry-After"].isdigit()
    pair.mend()
    eventually(store.replicas.watch, "the hold ends")
    assert ask().status_code == 202
