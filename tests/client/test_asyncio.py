"""What is asyncio's own: nobody who waits holds a thread, and who is cancelled leaves nothing."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvloop

from dispatcher import (
    AsyncDispatcher,
    Change,
    Closed,
    Filter,
    Gap,
    NotFinished,
    State,
    StoreUnavailable,
    UnknownJob,
)
from dispatcher.client import async_watching, many
from dispatcher.store import Store
from dispatcher.store.redis_url import connect
from support.polling import eventually
from support.redis_inside import key_of, redis_of
from support.redis_servers import RedisProcess
from workers.devstack.embedded_server import EmbeddedServer

NUMBER = "+818012340001"
SAY = {"say": "Hello"}
Play = Callable[[AsyncDispatcher], Coroutine[Any, Any, Any]]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest, server: EmbeddedServer) -> Iterator[Callable[[Play], Any]]:
    """Plays in a loop of its own, with a dispatcher of its own; afterwards nothing is left."""

    def run(story: Play) -> Any:
        async def with_one() -> Any:
            async with AsyncDispatcher.from_url(server.url, namespace="inasyncio") as d:
                redis_of(d._dispatcher.store).flushdb()
                return await story(d)

        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(with_one())

    before = set(threading.enumerate())
    yield run
    gc.collect()
    eventually(lambda: set(threading.enumerate()) <= before, "no thread is left")


def named(name: str) -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith(name)]


def store_of(d: AsyncDispatcher) -> Store:
    return d._dispatcher.store


async def until(found: Callable[[], object], what: str) -> None:
    """Return when it is so; the loop goes on meanwhile."""
    await asyncio.to_thread(eventually, found, what)


def listened_to(d: AsyncDispatcher) -> int:
    store = store_of(d)
    channels: Any = redis_of(store).pubsub_channels(key_of(store, "job", "*"))
    return len(channels)


def subscribed(d: AsyncDispatcher) -> int:
    clients: Any = redis_of(store_of(d)).client_list(_type="pubsub")
    return len(clients)


# -- wait ---------------------------------------------------------------------------------------


def test_any_number_of_waits_hold_one_thread_and_one_connection(
    play: Callable[[Play], Any],
) -> None:
    async def story(d: AsyncDispatcher) -> None:
        jobs = [await d.call(NUMBER, **SAY) for _ in range(20)]
        waits = [asyncio.create_task(job.wait(300)) for job in jobs for _ in range(20)]
        await until(lambda: listened_to(d) == 20, "all are listened to")
        assert (len(named("waiters")), subscribed(d)) == (1, 1)
        assert len(named("dispatcher")) <= 8
        for job in jobs:
            await job.cancel()
        ended = await asyncio.gather(*waits)
        assert {job.id for job in ended} == {job.id for job in jobs}

    play(story)


def test_a_wait_that_is_cancelled_leaves_nothing(play: Callable[[Play], Any]) -> None:
    async def story(d: AsyncDispatcher) -> None:
        job = await d.call(NUMBER, **SAY)
        left, stays = (asyncio.create_task(job.wait(300)) for _ in range(2))
        await until(lambda: listened_to(d) == 1, "it is listened to")
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
        assert len(d._waiters._futures[job.id]) == 1
        await job.cancel()
        assert (await stays).state is State.CANCELLED
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await (await d.call(NUMBER, **SAY)).wait()
        await until(lambda: not named("waiters"), "nobody listens")
        assert d._waiters._futures == {}

    play(story)


def test_a_wait_that_gives_up_and_one_for_nothing(play: Callable[[Play], Any]) -> None:
    async def story(d: AsyncDispatcher) -> None:
        job = await d.call(NUMBER, **SAY)
        with pytest.raises(NotFinished, match="still queued"):
            await job.wait(0.05)
        with pytest.raises(UnknownJob):
            await d.wait("a" * 16, 30)

    play(story)


# -- what is asked of Redis ---------------------------------------------------------------------


def test_a_thousand_calls_at_once_go_through_few_threads(play: Callable[[Play], Any]) -> None:
    async def story(d: AsyncDispatcher) -> None:
        jobs = await asyncio.gather(*(d.call(NUMBER, key=str(n), **SAY) for n in range(1000)))
        assert len({job.id for job in jobs}) == 1000
        assert len(named("dispatcher")) <= 8

    play(story)


def test_what_is_cancelled_before_its_turn_is_not_enqueued(server: EmbeddedServer) -> None:
    async def story() -> None:
        async with AsyncDispatcher.from_url(server.url, namespace="turns", threads=1) as d:
            go_on = threading.Event()
            busy = asyncio.create_task(d._threads.run(go_on.wait, 30))
            asked = asyncio.create_task(d.call(NUMBER, key="not-this", **SAY))
            await asyncio.sleep(0)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
            go_on.set()
            await busy
            assert await d.find(key="not-this") is None

    asyncio.run(story())


def test_a_redis_that_hangs_does_not_stop_the_loop(tmp_path: Path) -> None:
    async def story(process: RedisProcess) -> None:
        async with AsyncDispatcher.from_url(process.url) as d:
            await d.call(NUMBER, **SAY)
            process.freeze()
            began = time.monotonic()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await d.call(NUMBER, **SAY)
            assert time.monotonic() - began < 4  # less than its answer is waited for
            process.thaw()
            assert await d.call(NUMBER, **SAY)
            process.kill()
            with pytest.raises(StoreUnavailable):
                await d.call(NUMBER, **SAY)

    with RedisProcess(tmp_path) as process:
        asyncio.run(story(process))


# -- many ---------------------------------------------------------------------------------------


def test_many_may_come_from_what_is_awaited(
    play: Callable[[Play], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "BATCH", 3)

    async def rows() -> AsyncIterator[dict[str, Any]]:
        for n in range(7):
            await asyncio.sleep(0)
            yield {"recipient": NUMBER, "key": str(n), **SAY}

    async def story(d: AsyncDispatcher) -> None:
        found = [result.index async for result in d.call_many(rows())]
        assert found == list(range(7))
        assert len((await d.call_many(rows()).collect()).jobs) == 7

    play(story)


def test_who_is_cancelled_while_a_batch_is_written_loses_no_result(
    server: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(many, "BATCH", 3)

    async def story() -> None:
        async with AsyncDispatcher.from_url(server.url, namespace="turns", threads=1) as d:
            go_on = threading.Event()
            busy = asyncio.create_task(d._threads.run(go_on.wait, 30))
            rows = [{"recipient": NUMBER, **SAY} for _ in range(4)]
            results = d.call_many(rows)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await anext(results)
            go_on.set()
            await busy
            assert [result.index async for result in results] == [0, 1, 2, 3]

    asyncio.run(story())


# -- watch --------------------------------------------------------------------------------------


async def read(changes: AsyncIterator[Any], many_: int) -> list[Any]:
    async with asyncio.timeout(30):
        return [await anext(changes) for _ in range(many_)]


def told(news: list[Any]) -> list[tuple[str, str]]:
    return [(each.job.id, each.event.to) for each in news if isinstance(each, Change)]


def test_all_who_watch_share_one_connection_and_each_sees_what_it_asked_for(
    play: Callable[[Play], Any],
) -> None:
    async def story(d: AsyncDispatcher) -> None:
        async with d.watch() as everything, d.watch(Filter(tag="a")) as tagged:
            assert (len(named("watchers")), subscribed(d)) == (1, 1)
            other, mine = await d.call(NUMBER, **SAY), await d.call(NUMBER, tags=["a"], **SAY)
            await mine.cancel()
            assert told(await read(everything, 3)) == [
                (other.id, "queued"),
                (mine.id, "queued"),
                (mine.id, "cancelled"),
            ]
            assert told(await read(tagged, 2)) == [(mine.id, "queued"), (mine.id, "cancelled")]
        await until(lambda: not named("watchers"), "nobody listens")

    play(story)


def test_who_leaves_the_loop_or_is_cancelled_watches_no_more(play: Callable[[Play], Any]) -> None:
    async def story(d: AsyncDispatcher) -> None:
        async def first() -> Any:
            async for change in d.watch():
                return change
            return None

        async def endless() -> None:
            async for _ in d.watch(Filter(tag="none")):
                pass

        watching = asyncio.create_task(first())
        forever = asyncio.create_task(endless())
        await until(lambda: len(d._watchers._watches) == 2, "both watch")
        await until(lambda: redis_of(store_of(d)).pubsub_numpat(), "there is a connection")
        job = await d.call(NUMBER, **SAY)
        assert (await asyncio.wait_for(watching, 30)).job.id == job.id
        forever.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await forever
        del watching, forever
        gc.collect()
        await until(lambda: not named("watchers"), "nobody listens")

    play(story)


def test_a_lost_connection_is_a_gap(play: Callable[[Play], Any]) -> None:
    async def story(d: AsyncDispatcher) -> None:
        async with d.watch() as changes:
            first = await d.call(NUMBER, **SAY)
            assert told(await read(changes, 1)) == [(first.id, "queued")]
            redis_of(store_of(d)).client_kill_filter(_type="pubsub")
            (gap,) = await read(changes, 1)
            assert isinstance(gap, Gap)
            after = await d.call(NUMBER, **SAY)
            assert told(await read(changes, 1)) == [(after.id, "queued")]

    play(story)


def test_who_reads_too_slowly_gets_a_gap_and_keeps_little(
    play: Callable[[Play], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(async_watching, "MOST_BEHIND", 10)

    async def story(d: AsyncDispatcher) -> None:
        async with d.watch() as slow, d.watch(Filter(tag="last")) as quick:
            for n in range(15):
                await d.call(NUMBER, key=str(n), **SAY)
            await d.call(NUMBER, tags=["last"], **SAY)
            await read(quick, 1)  # by now the slow one was told all
            news = await read(slow, 2)
            assert isinstance(news[0], Gap)
            assert news[0].since <= news[0].until
            assert isinstance(news[1], Change)
            assert len(slow._news) <= 10

    play(story)


# -- close --------------------------------------------------------------------------------------


def test_closing_ends_those_who_wait_and_leaves_no_connection(server: EmbeddedServer) -> None:
    async def story() -> None:
        d = AsyncDispatcher.from_url(server.url, namespace="closing")
        redis = redis_of(store_of(d))
        name = "to-be-closed"
        redis.connection_pool.connection_kwargs["client_name"] = name
        job = await d.call(NUMBER, **SAY)
        waiting = asyncio.create_task(job.wait())
        changes = d.watch(Filter(tag="none"))
        watching = asyncio.create_task(anext(changes))
        await until(lambda: subscribed(d) == 2, "both listen")
        under_way = asyncio.create_task(d.call(NUMBER, key="under-way", **SAY))
        await asyncio.sleep(0)
        await d.close()
        await d.close()
        assert (await under_way).new  # what was begun is done
        for ended in (waiting, watching):
            with pytest.raises(Closed):
                await ended
        for ask in (d.call(NUMBER, **SAY), job.wait(1), d.find(key="x")):
            with pytest.raises(Closed, match="make another one"):
                await ask
        with pytest.raises(Closed):
            d.watch()
        names = [each["name"] for each in server_clients(server)]
        assert name not in names

    before = set(threading.enumerate())
    asyncio.run(story())
    eventually(lambda: set(threading.enumerate()) <= before, "no thread is left")


def test_closing_waits_for_what_was_begun_and_not_for_what_waits_its_turn(
    server: EmbeddedServer,
) -> None:
    """Behind a Redis that hangs, a whole queue would keep the process for minutes."""

    async def story() -> None:
        d = AsyncDispatcher.from_url(server.url, namespace="turns", threads=1)
        go_on = threading.Event()
        begun = asyncio.create_task(d._threads.run(go_on.wait, 30))
        queued = asyncio.create_task(d.call(NUMBER, key="never", **SAY))
        left = asyncio.create_task(d.call(NUMBER, **SAY))
        await asyncio.sleep(0)
        closing = asyncio.create_task(d.close())
        for each in (queued, left):
            with pytest.raises(Closed):
                await each
        assert not closing.done()
        go_on.set()
        await closing
        assert await begun

    asyncio.run(story())


def server_clients(server: EmbeddedServer) -> list[dict[str, str]]:
    with connect(server.url) as client:
        found: Any = client.client_list()
        return list(found)


def test_one_dispatcher_serves_one_loop_after_another(server: EmbeddedServer) -> None:
    """As where each test, or each command, has a loop of its own."""
    d = AsyncDispatcher.from_url(server.url, namespace="loops")
    for _ in range(2):

        async def story() -> None:
            async with d.watch() as changes:
                job = await d.call(NUMBER, **SAY)
                await read(changes, 1)
            await job.cancel()
            assert (await job.wait(30)).terminal

        asyncio.run(story())
    asyncio.run(d.close())
