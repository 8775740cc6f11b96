"""Nobody can be called: noted by several, told of once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dispatcher.model.process import Role
from dispatcher.policy.can_call import Obstacle
from dispatcher.store import Store
from dispatcher.store.holds import PauseScope
from dispatcher.store.stoppage import NEWS_LEASE
from support.clock import Clock
from support.redis_inside import key_of, redis_of
from support.store_alerts import ring
from workers.engine.calls_watch import CallsWatch
from workers.engine.heartbeat import Heartbeat

GRACE = 60.0
GONE = Obstacle("no_worker", "no worker runs", "start one")
OTHER = Obstacle("credit", "all calls are held: no credit", "top up")


def told(store: Store) -> list[tuple[str, dict[str, Any]]]:
    return [(e.kind, e.facts) for e in store.events.after() if e.kind.startswith("calls.")]


def stop(store: Store, clock: Clock, found: Obstacle = GONE) -> None:
    store.stoppage.note(found, GRACE)
    clock.forward(GRACE)
    assert store.stoppage.note(found, GRACE) == "stopped"


def test_a_stoppage_is_told_of_once_when_it_has_lasted_and_once_when_it_is_over(
    store: Store, clock: Clock
) -> None:
    began = store.now()
    assert store.stoppage.note(GONE, GRACE) == ""
    clock.forward(GRACE - 1)
    assert store.stoppage.note(GONE, GRACE) == ""
    assert not store.stoppage.stopped()
    clock.forward(1)
    answers = [store.stoppage.note(GONE, GRACE) for _ in range(3)]
    assert answers == ["stopped", "", ""]
    assert store.stoppage.stopped()
    clock.forward(40)
    assert [store.stoppage.note(None, GRACE) for _ in range(3)] == ["possible", "", ""]
    assert not store.stoppage.stopped()
    (one, facts), (other, over) = told(store)
    assert (one, other) == ("calls.stopped", "calls.possible")
    assert facts == {
        "cause": "no_worker",
        "why": "no worker runs",
        "since": began,
        "at": began + 60_000,
    }
    assert over == {"cause": "no_worker", "for": 100_000, "at": began + 100_000}


def test_what_is_over_within_the_grace_is_not_told_of(store: Store, clock: Clock) -> None:
    for _ in range(5):
        store.stoppage.note(GONE, GRACE)
        clock.forward(GRACE - 1)
        assert store.stoppage.note(None, GRACE) == ""
        clock.forward(1)
    assert told(store) == []
    assert store.stoppage.take_news() is None


def test_many_who_see_it_at_once_tell_of_it_once(store: Store, clock: Clock) -> None:
    store.stoppage.note(GONE, GRACE)
    clock.forward(GRACE)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: store.stoppage.note(GONE, GRACE), range(40)))
    assert answers.count("stopped") == 1
    assert len(told(store)) == 1


def test_another_cause_meanwhile_is_the_same_stoppage(store: Store, clock: Clock) -> None:
    """Nobody could be called all the time: the grace does not begin again, nor is it told twice."""
    store.stoppage.note(GONE, GRACE)
    clock.forward(GRACE / 2)
    store.stoppage.note(OTHER, GRACE)
    clock.forward(GRACE / 2)
    assert store.stoppage.note(OTHER, GRACE) == "stopped"
    assert store.stoppage.note(GONE, GRACE) == ""
    assert [facts["cause"] for _, facts in told(store)] == ["credit"]


def test_a_clock_that_steps_tells_of_nothing_early_for_long(store: Store, clock: Clock) -> None:
    """Back: it has lasted for no longer than since then."""
    store.stoppage.note(GONE, GRACE)
    clock.forward(-3600)
    assert store.stoppage.note(GONE, GRACE) == ""
    clock.forward(GRACE)
    assert store.stoppage.note(GONE, GRACE) == "stopped"


def test_news_are_taken_by_one_at_a_time_until_they_are_told(store: Store, clock: Clock) -> None:
    stop(store, clock)
    news = store.stoppage.take_news()
    assert news is not None
    assert (news.kind, news.cause, news.why, news.remedy) == (
        "stopped",
        "no_worker",
        "no worker runs",
        "start one",
    )
    assert store.stoppage.take_news() is None
    clock.forward(NEWS_LEASE + 1)  # who had it has died
    assert store.stoppage.take_news() == news
    store.stoppage.news_told(news)
    clock.forward(NEWS_LEASE + 1)
    assert store.stoppage.take_news() is None


def test_news_that_came_meanwhile_stay(store: Store, clock: Clock) -> None:
    stop(store, clock)
    old = store.stoppage.take_news()
    assert old is not None
    clock.forward(5)
    store.stoppage.note(None, GRACE)
    store.stoppage.news_told(old)
    news = store.stoppage.take_news()
    assert news is not None
    assert (news.kind, news.why) == ("possible", "no worker runs")
    assert news.since == old.since


def test_a_lease_by_a_clock_that_was_ahead_keeps_the_news_from_nobody(
    store: Store, clock: Clock
) -> None:
    stop(store, clock)
    clock.forward(3600)
    assert store.stoppage.take_news() is not None
    clock.forward(-3600)
    assert store.stoppage.take_news() is not None


def test_one_ping_a_minute_is_taken_and_a_failure_is_told_at_once(store: Store) -> None:
    assert [store.stoppage.take_ping(60, possible=True) for _ in range(3)] == [True, False, False]
    assert [store.stoppage.take_ping(60, possible=False) for _ in range(2)] == [True, False]


def test_the_watch_sees_a_worker_go_and_come_back(store: Store, clock: Clock) -> None:
    worker = Heartbeat(store, Role.WORKER, "worker", {})
    beat = Heartbeat(store, Role.BEAT, "beat", {})
    watches = [CallsWatch(store, GRACE), CallsWatch(store, GRACE)]

    def look(seconds: float, *running: Heartbeat) -> list[str]:
        clock.forward(seconds)
        for each in running:
            each.beat()
        return [watch() for watch in watches]

    assert look(0, worker, beat) == ["", ""]
    assert look(20, beat) == ["", ""]
    assert all(watch.possible() for watch in watches)
    assert look(GRACE, beat) == ["stopped", ""]
    assert not any(watch.possible() for watch in watches)
    assert look(5, worker, beat) == ["possible", ""]


def test_without_redis_each_watch_tells_by_itself_once(store: Store) -> None:
    """Nobody then knows who has told it."""
    steady, heard = [0.0], []
    away = Store.from_url("redis://127.0.0.1:1/0")
    watch = CallsWatch(away, GRACE, heard.append, steady=lambda: steady[0])
    assert watch() == ""
    steady[0] = GRACE - 1
    assert (watch(), watch.possible()) == ("", True)
    steady[0] = GRACE
    assert [watch(), watch()] == ["stopped", ""]
    assert not watch.possible()
    (news,) = heard
    assert (news.kind, news.cause) == ("stopped", "redis")
    assert "cannot be reached" in news.why
    assert round(news.at - news.since) == GRACE * 1000

    watch._store = store  # it is back, and nobody runs there yet
    assert (watch(), len(heard), watch.possible()) == ("", 1, False)
    for role in (Role.WORKER, Role.BEAT):
        Heartbeat(store, role, role, {}).beat()
    assert [watch(), watch()] == ["possible", ""]
    assert [each.kind for each in heard] == ["stopped", "possible"]
    assert watch.possible()


def test_a_redis_that_is_full_still_takes_the_note(store: Store, clock: Clock) -> None:
    for role in (Role.WORKER, Role.BEAT):
        Heartbeat(store, role, role, {}).beat()
    watch = CallsWatch(store, 0)
    client = redis_of(store)
    client.config_set("maxmemory", "1")
    try:
        assert watch() == "stopped"
    finally:
        client.config_set("maxmemory", "0")
    ((_, facts),) = told(store)
    assert facts["cause"] == "redis"
    assert watch() == "possible"


def test_an_alert_that_rings_while_all_is_paused_is_told_of(store: Store) -> None:
    for role in (Role.WORKER, Role.BEAT):
        Heartbeat(store, role, role, {}).beat()
    watch = CallsWatch(store, 0)
    store.holds.pause(PauseScope(), actor="ann")
    assert watch() == ""
    ring(store)
    assert watch() == "stopped"
    ((_, facts),) = told(store)
    assert (facts["cause"], facts["why"]) == ("paused", "urgent calls wait: paused by ann")


def test_nothing_of_it_holds_a_whole_number(store: Store, clock: Clock) -> None:
    """After a purge Redis holds nothing of a number, also where somebody wrote it down."""
    stop(store, clock, Obstacle("paused", "urgent calls wait: for +818012345678", "resume"))
    found = redis_of(store).hgetall(key_of(store, "stoppage"))
    assert b"+8180****5678" in b" ".join(found.values())
    assert b"12345678" not in b" ".join(found.values())
    assert "12345678" not in str(told(store))
