"""What the alarm of a process mails: each news once, and again where the mail was not taken."""

from __future__ import annotations

import itertools

import pytest
import redis

from dispatcher.model.process import Role
from dispatcher.policy.can_call import Obstacle
from dispatcher.store import Store
from dispatcher.store.stoppage import NEWS_LEASE
from dispatcher.values.smtp_place import SmtpPlace
from support.clock import Clock
from support.mail_server import mail_server
from support.ports import free_port
from workers.alarm.alarm import Alarm
from workers.alarm.mail import Mailer
from workers.alarm.pings import Pings
from workers.engine.heartbeat import Heartbeat

GONE = Obstacle("no_worker", "no worker runs", "start one")
_NAMES = itertools.count(1)


class Time:
    """A clock that nobody sets."""

    now = 0.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(redis_client: redis.Redis, clock: Clock) -> Store:
    """An empty store that goes by the test's clock."""
    return Store(redis_client, namespace=f"mails{next(_NAMES)}", clock=clock)


def alarm(store: Store, port: int, time: Time | None = None, grace: float = 60) -> Alarm:
    place = SmtpPlace.of_url(f"smtp://127.0.0.1:{port}")
    mailer = Mailer(place, "d@example.com", ("oncall@example.com",))
    time = time or Time()
    return Alarm(store, Role.BEAT, grace, mailer, Pings(), steady=lambda: time.now)


def test_of_two_processes_one_mails_each_news(store: Store) -> None:
    with mail_server() as box:
        one, other = alarm(store, box.port), alarm(store, box.port)
        store.stoppage.note(GONE, 0)
        assert [other.mail(), one.mail(), other.mail()] == [True, False, False]
        store.stoppage.note(None, 0)
        assert [one.mail(), other.mail()] == [True, False]
    assert [subject.partition("] ")[2] for subject in box.subjects] == [
        "Nobody can be called: no worker runs",
        "Calls are possible again",
    ]
    assert "What to do: start one." in box.mails[0].get_content()


def test_a_mail_that_was_not_taken_is_sent_by_the_other_a_little_later(
    store: Store, clock: Clock
) -> None:
    port = free_port()
    one, other = alarm(store, port), alarm(store, port)
    store.stoppage.note(GONE, 0)
    assert not one.mail()
    with mail_server(port=port) as box:
        assert not other.mail()  # the first may still be at it
        clock.forward(NEWS_LEASE + 1)
        assert other.mail()
        assert not one.mail()
    assert len(box.mails) == 1


def test_without_redis_each_mails_by_itself_and_waits_after_a_failure(store: Store) -> None:
    time, port = Time(), free_port()
    telling = alarm(Store.from_url(f"redis://127.0.0.1:{free_port()}/0"), port, time)
    assert telling.watch() == ""
    time.now = 60
    assert telling.watch() == "stopped"
    assert not telling.mail()
    with mail_server(port=port) as box:
        assert not telling.mail()
        time.now += NEWS_LEASE
        assert telling.mail()
        assert len(box.mails) == 1
        telling.watch._store = store  # it is back, and so are all processes
        for role in (Role.WORKER, Role.BEAT):
            Heartbeat(store, role, role, {}).beat()
        assert telling.watch() == "possible"
        assert telling.mail()
    assert box.subjects[1] == "[voice-dispatcher] Calls are possible again"
