"""Pings of the alarm, to a real receiver: one a minute, and one at once when it turns."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dispatcher.model.process import Role
from dispatcher.policy.can_call import Obstacle
from dispatcher.store import Store
from support.ports import free_port
from support.webhook_receiver import Receiver, receiving
from workers.alarm.alarm import PING_EVERY, Alarm
from workers.alarm.pings import PingFailed, Pings
from workers.devstack.embedded_server import EmbeddedServer

GONE = Obstacle("no_worker", "no worker runs", "start one")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


class Time:
    """A clock that nobody sets."""

    now = 0.0


def alarm(store: Store, receiver: Receiver, time: Time) -> Alarm:
    pings = Pings(f"{receiver.url}/alive", f"{receiver.url}/fail")
    return Alarm(store, Role.BEAT, 60, None, pings, steady=lambda: time.now)


def test_of_two_processes_one_pings_and_the_turn_is_told_at_once(
    server: EmbeddedServer, receiver: Receiver
) -> None:
    store = Store.from_url(server.url, namespace="pings")
    one, other = (alarm(store, receiver, Time()) for _ in range(2))
    assert [one.ping(), other.ping(), one.ping()] == [True, False, False]
    store.stoppage.note(GONE, 0)
    assert [other.ping(), one.ping()] == [True, False]
    assert [delivery.path for delivery in receiver.got] == ["/alive", "/fail"]


def test_without_redis_each_pings_no_more_often(receiver: Receiver) -> None:
    """It would otherwise ping at each look, and be shut out by the service in the end."""
    time = Time()
    away = alarm(Store.from_url(f"redis://127.0.0.1:{free_port()}/0"), receiver, time)
    assert [away.ping() for _ in range(3)] == [True, False, False]
    time.now = PING_EVERY
    assert away.ping()
    assert len(receiver.got) == 2


@pytest.mark.parametrize("answer", [404, 302, 500])
def test_an_address_that_takes_no_pings_is_told_without_being_shown(
    receiver: Receiver, answer: int
) -> None:
    receiver.answers["/Hunter2"] = answer
    with pytest.raises(PingFailed) as caught:
        Pings(f"{receiver.url}/Hunter2").send(possible=True)
    assert str(caught.value).startswith(f"DISPATCHER_HEARTBEAT_URL: it answers {answer}")
    with pytest.raises(PingFailed, match=r"DISPATCHER_HEARTBEAT_FAIL_URL: it was not reached"):
        Pings(None, f"http://127.0.0.1:{free_port()}/Hunter2").send(possible=False)
    assert "Hunter2" not in str(caught.value)


def test_without_an_address_nothing_is_sent() -> None:
    assert not Pings().send(possible=True)
