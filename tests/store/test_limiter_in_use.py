"""The limit of a provider that counts strictly, as a worker's own threads meet it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
import requests

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.states import State
from dispatcher.policy import Policy
from dispatcher.provider.xoxzo.client import Credentials, VoiceClient
from dispatcher.provider.xoxzo.provider import XoxzoProvider
from dispatcher.sandbox import SandboxOptions, running
from dispatcher.store import Store
from dispatcher.values.rate import Rate
from support.dialling import dialling
from support.store_jobs import request
from workers.engine.dial import Dial

JOBS = 60


@pytest.fixture
def store(redis_client: redis.Redis) -> Store:
    """An empty store that goes by the real clock."""
    return Store(redis_client, namespace="in-use")


@pytest.fixture
def sandbox() -> Iterator[str]:
    with running(SandboxOptions(seed=1, rate="30/s", latency=0.02, credits=1e6)) as url:
        yield url


def test_what_a_worker_measures_reaches_the_limiter_and_the_limit_is_kept(
    store: Store, sandbox: str
) -> None:
    config = AccountConfig(
        rate=Rate(30), margin=0.03, margin_most=0.1, one_at_a_time=False, gap=0, connections=50
    )
    store.limiter.publish(config)
    options = SandboxOptions()
    ids = [done.id for done in store.jobs.enqueue_many([request()] * JOBS)]
    with VoiceClient(Credentials(options.sid, options.token), host=sandbox) as client:
        dial = Dial(store, XoxzoProvider(client), Policy(), "+815012345678")
        with dialling(store, dial, threads=8) as turns:
            told = [turns.get(timeout=180) for _ in range(JOBS)]
    assert {turn.job_id for turn in told} == set(ids)
    books = requests.get(f"{sandbox}/_sandbox/stats", timeout=10).json()["requests"]
    assert books["accepted"] == sum(turn.state is State.IN_PROGRESS for turn in told)
    assert books["by_status"].get("429", 0) <= 2
    assert 0.02 < quick_round_trip(store) < 5


def quick_round_trip(store: Store) -> float:
    """Return it in seconds, as the limiter knows it."""
    return int(store.limiter._redis.hget(store.limiter._key("pace"), "quick") or 0) / 1e6
