"""Clients take turns in the gateway's threads, and what lasts ends with its key."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from dispatcher.model.api_key import ApiKey, NotLetIn, Scope
from dispatcher.store.errors import StoreUnavailable
from workers.gateway.api import liveness, pool
from workers.gateway.api.liveness import Liveness
from workers.gateway.api.pool import Pool


def test_who_asks_for_much_waits_behind_themselves_alone() -> None:
    order: list[str] = []

    async def ask(threads: Pool, name: str, work: Callable[[], object]) -> None:
        pool.client.set(name)
        await threads.run(work)

    async def all_() -> None:
        threads, gate = Pool(2, 1), threading.Event()

        def slow() -> None:
            gate.wait(30)
            order.append("flood")

        flood = [asyncio.create_task(ask(threads, "flood", slow)) for _ in range(5)]
        await asyncio.sleep(0)
        other = asyncio.create_task(ask(threads, "other", lambda: order.append("other")))
        await asyncio.wait_for(other, 30)  # one of the flood's is under way, and four wait
        gate.set()
        await asyncio.gather(*flood)

    asyncio.run(all_())
    assert order == ["other", *["flood"] * 5]


def test_clients_take_turns_where_all_threads_are_taken() -> None:
    order: list[str] = []

    async def all_() -> None:
        turns = pool.Turns(1, 1)
        await turns.begin("first")
        waiting = []
        for name in ("a", "a", "a", "b", "c"):
            waiting.append(asyncio.create_task(turns.begin(name)))
            await asyncio.sleep(0)
            waiting[-1].add_done_callback(lambda _, name=name: order.append(name))
        for name in ("first", "a", "b", "c", "a", "a"):
            turns.end(name)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)

    asyncio.run(all_())
    assert order == ["a", "b", "c", "a", "a"]


@pytest.mark.parametrize("too_late", [False, True])
def test_whoever_goes_away_while_they_wait_takes_no_turn_along(*, too_late: bool) -> None:
    async def all_() -> None:
        turns = pool.Turns(1, 1)
        await turns.begin("first")
        gone = asyncio.create_task(turns.begin("gone"))
        await asyncio.sleep(0)
        if too_late:
            turns.end("first")
        gone.cancel()
        await asyncio.wait([gone])
        if not too_late:
            turns.end("first")
        await asyncio.wait_for(turns.begin("next"), 30)

    asyncio.run(all_())


# -- keys ------------------------------------------------------------------------------------

KEY = ApiKey("kqzwmbhtya", "billing", frozenset({Scope.ENQUEUE}), datetime.now(UTC))


class Keys:
    """Looks at a key as it is told to."""

    def __init__(self) -> None:
        self.looks, self.error = 0, None

    error: Exception | None

    def require_live(self, _: ApiKey) -> None:
        self.looks += 1
        if self.error:
            raise self.error


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "LOOK_EVERY", 0.05)


async def here() -> bool:
    return False


def waited(keys: Any, work: Callable[[], Awaitable[str]], left: Any = here) -> str:
    async def wait() -> str:
        async with asyncio.timeout(30):
            return await Liveness(keys, Pool()).during(KEY, work(), left)

    return asyncio.run(wait())


async def never() -> str:
    await asyncio.Event().wait()
    return ""


def test_what_lasts_ends_with_its_key() -> None:
    keys = Keys()
    keys.error = NotLetIn()
    with pytest.raises(NotLetIn):
        waited(keys, never)


def test_what_lasts_ends_when_nobody_is_there_any_more() -> None:
    async def gone() -> bool:
        return True

    with pytest.raises(ClientDisconnect):
        waited(Keys(), never, gone)


def test_a_redis_that_is_away_ends_nothing() -> None:
    keys = Keys()
    keys.error = StoreUnavailable("away")

    async def work() -> str:
        while keys.looks < 2:
            await asyncio.sleep(0.01)
        return "done"

    assert waited(keys, work) == "done"


def test_all_that_lasts_in_a_keys_name_shares_its_looks() -> None:
    keys: Any = Keys()
    clock = iter(range(1))  # one moment, and no other

    async def wait() -> None:
        now = float(next(clock))
        alive = Liveness(keys, Pool(), lambda: now)
        until = asyncio.Event()
        waits = [asyncio.create_task(alive.during(KEY, until.wait(), here)) for _ in range(20)]
        started = time.monotonic()
        while keys.looks < 1 and time.monotonic() - started < 30:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)  # some more turns of each
        until.set()
        await asyncio.gather(*waits)

    asyncio.run(wait())
    assert keys.looks == 1
