"""Whose settings are the account's: of the processes that dial, which have the credentials."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from config.settings import Settings
from dispatcher.model.account_config import AccountConfig
from dispatcher.store import Store
from support.redis_inside import key_of, redis_of
from workers import run
from workers.devstack.embedded_server import EmbeddedServer
from workers.engine.heartbeat import Heartbeat
from workers.engine.rights_watch import RightsWatch

JAPAN = AccountConfig(countries=frozenset({"JP"}))


@pytest.fixture
def settings(server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of a process that was told nothing of countries, with a sandbox's SID."""
    monkeypatch.setattr(run, "_work", lambda *_, **__: None)
    monkeypatch.setattr(run.GUARD, "watch", lambda _: None)
    for told_in_a_thread in (Heartbeat, RightsWatch):  # which would go on here after the test
        monkeypatch.setattr(told_in_a_thread, "start", lambda _: None)
    monkeypatch.setattr(sys, "setswitchinterval", lambda _: None)  # it would hold for all tests
    monkeypatch.setenv("XOXZO_API_SID", "sandbox")
    monkeypatch.setenv("XOXZO_API_AUTH_TOKEN", "sandbox")
    return Settings.load(redis_url=server.url, namespace="published")


@pytest.fixture
def store(server: EmbeddedServer) -> Store:
    store = Store.from_url(server.url, namespace="published")
    store.limiter.publish(JAPAN)
    return store


def countries(store: Store) -> bytes | None:
    found: bytes | None = redis_of(store).hget(key_of(store, "config"), "countries")  # type: ignore[assignment]
    return found


@pytest.mark.parametrize("process", [run.call_task, run.webhooks])
def test_a_process_without_credentials_widens_nothing(
    settings: Settings, store: Store, process: Callable[[Settings], None]
) -> None:
    process(settings)
    assert countries(store) == b"JP"


def test_a_process_that_dials_says_what_holds(settings: Settings, store: Store) -> None:
    run.dial(settings)
    assert countries(store) is None
