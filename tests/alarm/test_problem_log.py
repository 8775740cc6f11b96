"""Problems in the log: once when they begin and once when they are over, and no number."""

from __future__ import annotations

import itertools
import logging

import pytest
import redis

from dispatcher.model.process import Role
from dispatcher.store import Store
from support.clock import Clock
from workers.alarm.problem_log import ProblemLog
from workers.engine.heartbeat import Heartbeat

_NAMES = itertools.count(1)


@pytest.fixture
def store(redis_client: redis.Redis) -> Store:
    """A store in which a worker and beat have told a moment ago that they run."""
    made = Store(redis_client, namespace=f"problems{next(_NAMES)}", clock=Clock())
    for role in (Role.WORKER, Role.BEAT):
        Heartbeat(made, role, role, {}).beat()
    return made


def test_a_hold_is_a_warning_when_it_has_lasted_and_when_it_is_over(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """That calls were held was a line of the level INFO, among those of each job."""
    look = ProblemLog(store)
    with caplog.at_level(logging.WARNING):
        look()
        store.holds.start("auth", "the provider refuses +818012340001")
        look()
        assert caplog.messages == []
        look()
        look()
        (said,) = caplog.messages
        assert said.startswith("held_auth: Calls are held: the provider refuses +8180****0001. ")
        store.holds.end("auth")
        look()
        look()
    assert caplog.messages[1:] == ["held_auth: that is over"]


def test_what_is_seen_once_is_not_told(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    """As of a worker that starts a moment after beat."""
    look = ProblemLog(store)
    (worker,) = store.heartbeats.roll().of(Role.WORKER)
    store.heartbeats.leave(worker.id)
    with caplog.at_level(logging.WARNING):
        look()
        store.heartbeats.beat(worker)
        look()
        look()
    assert caplog.messages == []
