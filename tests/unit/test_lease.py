"""A worker that was stopped too long does not send what it had in hand."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from dispatcher.model.states import State
from dispatcher.policy import Policy, after_error
from dispatcher.provider import NeverReached, NotSent
from dispatcher.provider.transport import before_sending
from dispatcher.provider.xoxzo.client import VoiceClient
from dispatcher.provider.xoxzo.provider import XoxzoProvider
from dispatcher.provider.xoxzo.session import Credentials
from dispatcher.sandbox import SandboxOptions, running
from dispatcher.store import codec
from dispatcher.store.values import Claim
from dispatcher.values.steady_clock import since_boot
from support.raw_records import as_written
from workers.engine.dial import Dial
from workers.engine.lease import Lease

LEASE, ANSWER = 60.0, 30.0
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
RECORD = {
    "state": "dialing", "priority": "normal", "to": "818011230001", "say": "Hi", "lang": "en",
    "attempts": "1", "spent": "0", "events": "0", "created": "0", "due": "0",
}  # fmt: skip
JOB = codec.job("a" * 16, as_written(RECORD))


class Stopped:
    """A clock that jumps, as it looks to a process that was stopped between two looks at it."""

    def __init__(self, *seconds: float) -> None:
        self._ahead = list(seconds)
        self._now = 1000.0

    def __call__(self) -> float:
        self._now += self._ahead.pop(0) if self._ahead else 0
        return self._now


@pytest.mark.parametrize("used", [0, 29.9, 30])
def test_what_can_be_answered_within_the_lease_is_sent(used: float) -> None:
    Lease(LEASE, ANSWER, 1000, Stopped(used)).require()


@pytest.mark.parametrize("used", [30.1, 60, 600])
def test_what_could_be_answered_after_the_lease_is_not_sent(used: float) -> None:
    with pytest.raises(NotSent, match=f"{used:.0f} s of its lease of 60 s"):
        Lease(LEASE, ANSWER, 1000, Stopped(used)).require()


def test_the_clock_is_one_that_goes_on_and_that_nobody_sets() -> None:
    first = since_boot()
    assert 0 <= since_boot() - first < 5


def test_what_was_not_sent_is_dialled_again_and_costs_no_attempt() -> None:
    decision = after_error(NotSent("held up"), JOB, Policy(), random.Random(1), NOON)
    assert (decision.to, decision.spent, decision.result) == (
        State.SCHEDULED,
        False,
        "not_sent",
    )


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running(SandboxOptions(seed=1)) as url:
        yield url


def books(sandbox: str) -> int:
    return len(requests.get(f"{sandbox}/_sandbox/calls", timeout=10).json())


@pytest.mark.parametrize(("stopped", "called"), [(0.0, True), (45.0, False)])
def test_a_worker_that_goes_on_after_its_lease_calls_nobody(
    sandbox: str, stopped: float, called: bool
) -> None:
    options, clock = SandboxOptions(), Stopped(0, stopped)
    store: Any = SimpleNamespace(now=lambda: 0.0)
    before = books(sandbox)
    with VoiceClient(Credentials(options.sid, options.token), host=sandbox) as client:
        dial = Dial(store, XoxzoProvider(client), Policy(), "+815012345678", monotonic=clock)
        decision = dial(Claim(JOB, 1), Lease(LEASE, ANSWER, clock(), clock))
    assert books(sandbox) - before == called
    assert decision.to is (State.IN_PROGRESS if called else State.SCHEDULED)


def test_a_step_that_says_no_before_sending_leaves_the_connection_usable(sandbox: str) -> None:
    options = SandboxOptions()

    def refuse() -> None:
        raise NeverReached("not now")

    with VoiceClient(Credentials(options.sid, options.token), host=sandbox) as provider:
        provider.credits()
        with pytest.raises(NeverReached, match="not now"), before_sending(refuse):
            provider.credits()
        assert provider.credits() == 1000
