"""Calls that are asked for at the same moment cost Redis little, and each has its own answer."""

from __future__ import annotations

import asyncio

import pytest

from dispatcher.client.dispatcher import Dispatcher
from dispatcher.client.messages import Messenger
from dispatcher.model.account_config import AccountConfig
from dispatcher.model.api_key import NotLetIn, Quota, Scope
from dispatcher.model.request import JobRequest
from dispatcher.store import Store
from dispatcher.store.values import KeyConflict
from support.redis_inside import redis_of
from workers.devstack.embedded_server import EmbeddedServer
from workers.gateway.api.accepting import Asked, accept
from workers.gateway.api.authenticator import Authenticator, Caller
from workers.gateway.api.pool import Pool
from workers.gateway.caps import Cap, Places
from workers.gateway.counts import Counts
from workers.gateway.problems import Problem

MANY = 32


def commands(store: Store) -> int:
    """Return how many operations Redis has run."""
    found = redis_of(store).info("commandstats")
    return int(found.get("cmdstat_fcall", {}).get("calls", 0))


def authenticator(store: Store) -> Authenticator:
    cap = Cap("requests", 100, "a setting")
    return Authenticator(store.api_keys, Pool(), Places(cap, cap, Counts()))


async def let_in(to: Authenticator, *texts: str) -> list[Caller | BaseException]:
    asking = (to.let_in(text, (Scope.ENQUEUE,), counted=True) for text in texts)
    return await asyncio.gather(*asking, return_exceptions=True)


def test_keys_of_one_moment_are_looked_up_once_and_counted_one_by_one(store: Store) -> None:
    quota = Quota(20, 60)
    _, billing = store.api_keys.create("billing", [Scope.ENQUEUE], quota=quota)
    _, reader = store.api_keys.create("reader", [Scope.READ])
    before = commands(store)
    shown = [*[billing] * MANY, reader, billing[:-1] + "x", "nothing"]
    told = asyncio.run(let_in(authenticator(store), *shown))
    assert commands(store) - before <= 4  # two keys, one rate, and the schema
    names = [each.name for each in told if isinstance(each, Caller)]
    assert names == ["billing"] * quota.many
    refused = [each.status_code for each in told if isinstance(each, Problem)]
    assert refused == [429] * (MANY - quota.many) + [403]
    assert [type(each) for each in told[-2:]] == [NotLetIn, NotLetIn]


@pytest.fixture
def clients(store: Store, server: EmbeddedServer) -> list[Dispatcher]:
    store.limiter.publish(AccountConfig())
    messenger = Messenger.to_broker(server.url)
    return [
        Dispatcher(store, messenger, actor=name, scope=name, wake=lambda _: None)
        for name in ("billing", "other")
    ]


def test_calls_of_one_moment_are_written_in_a_step_for_each_client(
    store: Store, clients: list[Dispatcher]
) -> None:
    def request(key: str, say: str = "Hello") -> JobRequest:
        return JobRequest.of({"recipient": "+818012340001", "say": say, "key": key})

    asked = [Asked(clients[n % 2], request(f"row-{n // 2}")) for n in range(MANY)]
    accept(asked[:1])
    before = commands(store)
    told = accept([*asked, Asked(clients[0], request("row-1", "Other words"))])
    assert commands(store) - before == 3 * len(clients)  # written; read; whom to wake
    *accepted, conflict = told
    assert isinstance(conflict, KeyConflict)
    jobs = [(each.job.producer, each.job.key, each.new) for each in accepted]  # type: ignore[union-attr]
    names = ["billing", "other"] * (MANY // 2)
    assert jobs == [(names[n], f"row-{n // 2}", n > 0) for n in range(MANY)]
