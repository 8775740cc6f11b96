"""Redis refuses just when the answer to a placed call is to be written: it is written later."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from dispatcher.model.call import CallRef
from dispatcher.model.states import State
from dispatcher.policy import Policy
from dispatcher.provider import OutgoingCall, Provider
from dispatcher.store import Store
from dispatcher.store.redis_url import connect
from dispatcher.store.refusals import REMEDIES
from support.dialling import dialling
from support.redis_servers import RedisProcess
from support.refusals import (
    STANDING,
    Standing,
    cluster_down,
    cluster_of_one,
    forbidden,
    loading,
)
from support.sandbox_client import Client
from support.store_jobs import enqueue, warm
from workers.devstack.redis_server import find_servers
from workers.engine.dial import Dial

CALLER = "+815012345678"
STANDS = 0.3  # seconds from the provider's answer until the refusal ends
LOADS = (
    2.0  # the same while it loads, where redis-py tries again by itself, and each try takes long
)
ALL: dict[str, Standing] = {
    **STANDING,
    "LOADING": loading,
    "CLUSTERDOWN": cluster_down,
    "NOPERM": forbidden,
}
SAID = {**REMEDIES, "NOPERM": "does not allow its user +publish &{vd}:*"}
HEARD = {"OOM": "", "MASTERDOWN": "READONLY"}
"""What is heard of it by who writes an answer, where that is another code; a full one takes it."""
CASES = [(code, binary) for code in ALL for binary in find_servers()]


@dataclass
class Struck:
    """A provider that has something happen when it has placed a call, before it tells."""

    inner: Provider
    strike: Callable[[], None]
    answers: list[CallRef] = field(default_factory=list)

    def place(self, call: OutgoingCall, *, before_sending: Callable[[], None]) -> CallRef:
        placed = self.inner.place(call, before_sending=before_sending)
        self.answers.append(placed)
        self.strike()
        return placed

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@contextmanager
def redis_of_kind(code: str, folder: Path, binary: Path) -> Iterator[RedisProcess]:
    """Start a server that can come to this refusal."""
    if code == "CLUSTERDOWN":
        with cluster_of_one(
            RedisProcess(folder, {"cluster-enabled": "yes"}, binary=binary)
        ) as process:
            yield process
    else:
        with RedisProcess(folder, binary=binary) as process:
            yield process


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}-{case[1].name}")
def test_the_answer_to_a_placed_call_survives(
    case: tuple[str, Path],
    tmp_path: Path,
    provider: Provider,
    sandbox: Client,
    caplog: pytest.LogCaptureFixture,
) -> None:
    code, binary = case
    recipient = f"+8180{CASES.index(case):04}0001"
    with ExitStack() as standing, redis_of_kind(code, tmp_path, binary) as process:
        ending = threading.Timer(LOADS if code == "LOADING" else STANDS, standing.close)

        def strike() -> None:
            standing.enter_context(ALL[code](process))
            ending.start()

        with connect(process.url) as client, caplog.at_level(logging.WARNING):
            store = Store(client)
            id_ = enqueue(store, recipient=recipient)
            warm(store)
            struck = Struck(provider, strike)
            with dialling(store, Dial(store, struck, Policy(), CALLER)) as turns:
                turn = turns.get(timeout=180)
                ending.join()  # a full Redis takes the answer: nothing waits for the end of it
            assert (turn.job_id, turn.state) == (id_, State.IN_PROGRESS)
            (placed,) = struck.answers
            assert store.jobs.get(id_).attempts[0].callids == placed.callids
    heard = HEARD.get(code, code)
    assert not heard or f"waiting for Redis: Redis {SAID[heard]}" in caplog.text
    assert [call["recipient"] for call in sandbox.calls(recipient=recipient)] == [recipient]
