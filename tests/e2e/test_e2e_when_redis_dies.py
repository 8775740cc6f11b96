"""A Redis that dies or goes away in the midst of work costs neither a lost nor a second call."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis

from dispatcher.client.messages import wake
from dispatcher.store.errors import StoreUnavailable
from support.e2e_ended import Ended, half_way
from support.e2e_stack import QUICK, SAY, Up, number, numbers
from support.polling import eventually
from support.redis_inside import redis_of
from workers.devstack.embedded_server import EmbeddedServer

AWAY = 10.0  # seconds


def redis_away(folder: Path) -> dict[str, Ended]:
    """Let Redis be away for ten seconds in the middle of many calls, stopped; and again, killed."""
    server = EmbeddedServer(folder / "redis", appendfsync="always")
    settings = {**QUICK, "DISPATCHER_RATE_LIMIT": "40"}
    with server, Up(folder, "--no-flower", **settings, DISPATCHER_REDIS_URL=server.url) as up:
        up.sandbox.options(latency=0.2)
        return {
            "stopped": _without_redis(up, server, server.stop),
            "killed": _without_redis(up, server, server.kill),
        }


def _without_redis(up: Up, server: EmbeddedServer, end: Callable[[], None]) -> Ended:
    before = up.sandbox.books().total()
    ids = up.enqueue(numbers("0001", 80))
    half_way(up, ids, 16, before)
    end()
    with pytest.raises(StoreUnavailable):
        up.dispatcher.job(ids[0])
    time.sleep(AWAY)
    server.start()
    return Ended(up.ended(ids, 150), up.sandbox.books())


@pytest.mark.played(by=redis_away)
def test_redis_may_be_away_for_a_while(outcome: dict[str, Ended]) -> None:
    outcome["stopped"].assert_each_called_once()


@pytest.mark.played(by=redis_away)
def test_redis_may_be_killed(outcome: dict[str, Ended]) -> None:
    outcome["killed"].assert_each_called_once()


@dataclass(frozen=True)
class Flushed(Ended):
    """How many wake-ups were lost, and how many went to another broker than the stack's own."""

    lost: int
    astray: int


def broker_flushed(folder: Path) -> Flushed:
    """Empty a broker of its own that holds wake-ups, and then use it again."""
    with EmbeddedServer(folder / "redis") as server:
        broker_url = server.url.removesuffix("/0") + "/1"
        urls = {"DISPATCHER_REDIS_URL": server.url, "DISPATCHER_BROKER_URL": broker_url}
        with (
            Up(folder, "--no-flower", **QUICK, **urls) as up,
            redis.Redis.from_url(broker_url) as broker,
        ):
            worker = up.pid_of("dial")
            os.kill(worker, signal.SIGSTOP)
            ids = up.enqueue(numbers("0001", 40))
            lost = eventually(lambda: _wake(up, broker), "a wake-up waits")
            broker.flushdb()
            os.kill(worker, signal.SIGCONT)
            ids.append(up.json("call", number("0001"), "--say", SAY)["id"])
            jobs = up.ended(ids, 150)
            astray = int(redis_of(up.dispatcher.store).exists("vd.normal"))
            return Flushed(jobs, up.sandbox.books(), lost, astray)


def _wake(up: Up, broker: redis.Redis) -> int:
    """Wake once more: the frozen worker may have been given the first. Return how many wait."""
    wake(up.dispatcher.store, up.dispatcher.messenger)
    return int(broker.llen("vd.normal"))


@pytest.mark.played(by=broker_flushed)
def test_jobs_whose_wake_up_was_in_a_flushed_broker_are_dialled(outcome: Flushed) -> None:
    assert outcome.lost > 0
    outcome.assert_each_called_once()


@pytest.mark.played(by=broker_flushed)
def test_the_command_line_finds_the_broker_of_a_running_stack(outcome: Flushed) -> None:
    assert outcome.astray == 0
