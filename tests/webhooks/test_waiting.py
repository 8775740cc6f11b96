"""Waiting and watching are pushed: cheap for many, and nothing is missed while Redis is away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import pytest
import redis

from dispatcher import Change, Dispatcher, Filter, Gap, Job, NotFinished, State, UnknownJob
from dispatcher.client import waiting
from dispatcher.client.messages import Messenger
from dispatcher.client.watching import News, watch
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.redis_url import connect
from dispatcher.store.schema import Field
from support.polling import eventually
from support.redis_inside import key_of, redis_of
from support.webhook_jobs import ended, enqueue
from workers.devstack.embedded_server import EmbeddedServer

SOON = 20.0


@pytest.fixture
def real(server: EmbeddedServer, redis_client: redis.Redis) -> Iterator[Store]:
    """A store with its own connections, so that they can be counted, and Redis' own clock."""
    redis_client.flushall()
    with connect(server.url) as client:
        yield Store(client)


@pytest.fixture
def dispatcher(real: Store, server: EmbeddedServer) -> Dispatcher:
    return Dispatcher(real, Messenger.to_broker(server.url))


def listened_to(store: Store) -> int:
    channels: Any = redis_of(store).pubsub_channels(key_of(store, "job", "*"))
    return len(channels)


def waiters() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "waiters"]


def in_thread(pool: ThreadPoolExecutor, dispatcher: Dispatcher, id_: str) -> Future[Job]:
    return pool.submit(dispatcher.wait, id_, 300)


# -- wait ---------------------------------------------------------------------------------------


def test_who_waits_is_told_at_once(dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the news alone: nothing looks around by itself within the test's time."""
    monkeypatch.setattr(waiting, "CHECK_EVERY", 300)
    monkeypatch.setattr(waiting, "_TURN", 300)
    store = dispatcher.store
    id_ = enqueue(store)
    with ThreadPoolExecutor() as pool:
        waiting_ = in_thread(pool, dispatcher, id_)
        eventually(lambda: listened_to(store), "somebody listens")
        store.jobs.cancel(id_, actor="cli")
        assert waiting_.result(SOON).state is State.CANCELLED
    eventually(lambda: not waiters(), "the thread is over")


def test_who_comes_later_is_listened_to_at_once(
    dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bell rings for each who comes while the thread listens, and not only for the first."""
    monkeypatch.setattr(waiting, "CHECK_EVERY", 300)
    monkeypatch.setattr(waiting, "_TURN", 300)
    store = dispatcher.store
    ids = [enqueue(store) for _ in range(4)]
    with ThreadPoolExecutor() as pool:
        waiting_ = []
        for place, id_ in enumerate(ids, 1):
            waiting_.append(in_thread(pool, dispatcher, id_))
            eventually(lambda place=place: listened_to(store) == place, f"{place} are listened to")
        for id_ in ids:
            store.jobs.cancel(id_, actor="cli")
        assert {each.result(SOON).id for each in waiting_} == set(ids)


def test_many_waiters_share_one_connection(dispatcher: Dispatcher, redis_client: Any) -> None:
    store = dispatcher.store
    ids = [enqueue(store) for _ in range(20)]
    with ThreadPoolExecutor(40) as pool:
        waiting_ = [in_thread(pool, dispatcher, id_) for id_ in [*ids, *ids]]
        eventually(lambda: listened_to(store) == 20, "all are listened to")
        subscribed = [each for each in redis_client.client_list() if int(each["sub"])]
        assert len(subscribed) == len(waiters()) == 1
        for id_ in ids:
            store.jobs.cancel(id_, actor="cli")
        assert {each.result(SOON).id for each in waiting_} == set(ids)


def test_what_has_ended_and_what_is_not_there_need_no_listening(dispatcher: Dispatcher) -> None:
    assert dispatcher.wait(ended(dispatcher.store), 0).terminal
    with pytest.raises(UnknownJob):
        dispatcher.wait("abcdefghijklmnop", 5)
    assert not waiters()


def test_a_timeout_ends_the_waiting_and_not_the_job(dispatcher: Dispatcher) -> None:
    id_ = enqueue(dispatcher.store)
    with pytest.raises(NotFinished, match="is still queued"):
        dispatcher.wait(id_, 0.1)
    eventually(lambda: not waiters(), "the thread is over")
    dispatcher.store.jobs.cancel(id_, actor="cli")
    assert dispatcher.wait(id_, 0.1).terminal


def test_a_job_that_goes_while_it_is_waited_for_is_unknown(
    dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "CHECK_EVERY", 0.1)  # nobody announces it: a look must find it
    store = dispatcher.store
    id_ = enqueue(store)
    with ThreadPoolExecutor() as pool:
        waiting_ = in_thread(pool, dispatcher, id_)
        eventually(lambda: listened_to(store), "somebody listens")
        redis_of(store).delete(key_of(store, "job", id_))
        with pytest.raises(UnknownJob):
            waiting_.result(SOON)


def test_a_lost_announcement_only_delays(
    dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "CHECK_EVERY", 0.1)
    store = dispatcher.store
    id_ = enqueue(store)
    with ThreadPoolExecutor() as pool:
        waiting_ = in_thread(pool, dispatcher, id_)
        eventually(lambda: listened_to(store), "somebody listens")
        redis_of(store).hset(key_of(store, "job", id_), Field.STATE, "cancelled")
        assert waiting_.result(SOON).terminal


def test_what_ended_while_redis_was_away_is_told_when_it_is_back(tmp_path: Path) -> None:
    with (
        EmbeddedServer(tmp_path / "data") as server,
        connect(server.url) as client,
        ThreadPoolExecutor() as pool,
    ):
        dispatcher = Dispatcher(Store(client), Messenger.to_broker(server.url))
        store = dispatcher.store
        id_ = enqueue(store)
        waiting_ = in_thread(pool, dispatcher, id_)
        eventually(lambda: listened_to(store), "somebody listens")
        client.client_kill_filter(_type="pubsub")  # deaf, and then:
        store.jobs.cancel(id_, actor="cli")
        assert waiting_.result(SOON).terminal

        other = enqueue(store)
        waiting_ = in_thread(pool, dispatcher, other)
        eventually(lambda: listened_to(store), "somebody listens")
        server.restart()
        eventually(lambda: _cancelled(store, other), "Redis is back")
        assert waiting_.result(SOON).terminal


def _cancelled(store: Store, id_: str) -> bool:
    try:
        store.jobs.cancel(id_, actor="cli")
    except StoreUnavailable:
        return False
    return True


def test_where_redis_stays_away_the_timeout_says_so(tmp_path: Path) -> None:
    with EmbeddedServer(tmp_path / "data") as server, connect(server.url) as client:
        dispatcher = Dispatcher(Store(client), Messenger.to_broker(server.url))
        server.stop()
        with pytest.raises(StoreUnavailable):
            dispatcher.wait("abcdefghijklmnop", 0.3)
    eventually(lambda: not waiters(), "the thread is over")


# -- watch --------------------------------------------------------------------------------------


class Watching:
    """A watch that is read in a thread, until the test is over."""

    def __init__(self, store: Store, wanted: Filter) -> None:
        self.seen: list[News] = []
        self.listening = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(store, wanted))

    def _run(self, store: Store, wanted: Filter) -> None:
        batches = watch(store, wanted, idle=0.05)
        for batch in batches:
            self.seen += batch
            self.listening.set()
            if self._over.is_set():
                break
        batches.close()  # type: ignore[attr-defined]

    def __enter__(self) -> Self:
        self._thread.start()
        assert self.listening.wait(SOON)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def changes(self) -> list[tuple[str, str]]:
        return [(each.job.id, each.event.to) for each in self.seen if isinstance(each, Change)]


def test_every_change_is_seen_once_and_in_order(real: Store) -> None:
    with Watching(real, Filter()) as watching:
        first, second = enqueue(real), enqueue(real, priority="bulk")
        real.jobs.cancel(first, actor="cli")
        real.jobs.retry(first, actor="cli")
        expected = [(first, "queued"), (second, "queued"), (first, "cancelled"), (first, "queued")]
        eventually(lambda: len(watching.seen) >= 4, "four changes")
    assert watching.changes == expected


@pytest.mark.parametrize(
    ("wanted", "seen"),
    [
        (Filter(tag="a"), ["queued", "cancelled"]),
        (Filter(states=[State.CANCELLED]), ["cancelled"] * 2),
        (Filter(tag="a", states=[State.CANCELLED]), ["cancelled"]),
        (Filter(recipient="+818011234567"), ["queued", "cancelled"] * 2),
        (Filter(recipient="999"), []),
        (Filter(reason="credit"), []),
    ],
)
def test_a_watch_shows_what_was_asked_for(real: Store, wanted: Filter, seen: list[str]) -> None:
    with Watching(real, wanted) as watching, Watching(real, Filter()) as everything:
        ended(real, tags=["a"])
        ended(real, tags=["b"])
        eventually(lambda: len(everything.seen) == 4, "four changes")
        eventually(lambda: len(watching.seen) >= len(seen), "those asked for")
    assert [to for _, to in watching.changes] == seen


def test_a_lost_connection_is_a_gap_and_the_watch_goes_on(
    real: Store, redis_client: redis.Redis
) -> None:
    with Watching(real, Filter()) as watching:
        ended(real)
        eventually(lambda: len(watching.seen) == 2, "two changes")
        redis_client.client_kill_filter(_type="pubsub")
        eventually(lambda: isinstance(watching.seen[-1], Gap), "a gap")
        ended(real)
        eventually(lambda: len(watching.seen) == 5, "two more")
    gap = watching.seen[2]
    assert isinstance(gap, Gap)
    assert gap.since <= gap.until


def test_the_dispatcher_yields_changes_as_they_come(dispatcher: Dispatcher) -> None:
    changes = dispatcher.watch()
    with ThreadPoolExecutor() as pool:
        first = pool.submit(next, changes)
        store = dispatcher.store
        eventually(redis_of(store).pubsub_numpat, "somebody listens")
        id_ = enqueue(store)
        change = first.result(SOON)
    assert isinstance(change, Change)
    assert (change.job.id, change.event.to) == (id_, "queued")
    changes.close()  # type: ignore[attr-defined]
