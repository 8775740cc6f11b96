"""What `doctor` says of replicas, with a real one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dispatcher.cli.doctor_replicas import fault, fine
from dispatcher.model.account_config import AccountConfig
from dispatcher.store import Store
from dispatcher.store.redis_url import connect
from support.polling import eventually
from support.redis_inside import redis_of
from support.standby import Standby, standby
from workers.devstack.embedded_server import EmbeddedServer


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standby]:
    with standby(tmp_path_factory.mktemp("two")) as made:
        yield made


@pytest.fixture
def store(pair: Standby) -> Iterator[Store]:
    with connect(pair.master.url) as client:
        client.flushall()
        store = Store(client)
        store.replicas.look()
        yield store
        client.config_set("min-replicas-to-write", 0)


def says(store: Store) -> str:
    return fault(store.server.facts(), store.replicas.known())


def test_a_single_server_is_fine(server: EmbeddedServer) -> None:
    with connect(server.url) as client:
        store = Store(client, namespace="alone")
        assert says(store) == ""
        assert fine(store.server.facts()) == "none: a single server keeps the records"


def test_that_a_failover_loses_new_jobs_is_said_with_two_remedies(store: Store) -> None:
    assert "a planned failover loses" in says(store)
    store.limiter.publish(AccountConfig(accept_durable=True))
    assert (says(store), fine(store.server.facts())) == ("", "1 replica in step")
    store.limiter.publish(AccountConfig())
    assert says(store)
    redis_of(store).config_set("min-replicas-to-write", 1)
    assert says(store) == ""


def test_that_claims_wait_for_nobody_is_said(store: Store) -> None:
    store.limiter.publish(AccountConfig(replicas=0))
    assert "may call people twice; set DISPATCHER_REDIS_REPLICAS=auto" in says(store)


def test_too_few_are_said(pair: Standby, store: Store) -> None:
    store.limiter.publish(AccountConfig(replicas=2, accept_durable=True))
    assert says(store).startswith("1 replica in step, and calls need 2: bring replicas back")
    store.limiter.publish(AccountConfig())
    pair.cut_off()
    assert says(store).startswith("0 replicas in step, and calls need 1")
    pair.mend()
    eventually(lambda: "a planned failover loses" in says(store), "it is back")
