"""What is asked of the gateway at the same moment is done in one go, clients in turn."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from workers.gateway.api import pool, together
from workers.gateway.api.pool import Pool
from workers.gateway.api.together import Together


class Work:
    """Notes the batches; it waits at the gate, and fails where it is told."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = threading.Event()
        self.broken: Exception | None = None

    def __call__(self, asked: list[str]) -> list[str | Exception]:
        self.batches.append(asked)
        assert self.gate.wait(30)
        if self.broken:
            raise self.broken
        return [ValueError(each) if each == "bad" else each.upper() for each in asked]


def play(story: Callable[[Together[str, str]], Coroutine[Any, Any, None]], work: Work) -> None:
    async def told() -> None:
        await asyncio.wait_for(story(Together(Pool(2), work, "test")), 30)

    asyncio.run(told())


def begin(asking: Together[str, str], asked: str, name: str = "a") -> asyncio.Task[str]:
    pool.client.set(name)
    return asyncio.create_task(asking.ask(asked))


def test_who_comes_while_a_batch_is_under_way_is_of_the_next_one() -> None:
    work = Work()

    async def story(asking: Together[str, str]) -> None:
        first = begin(asking, "a")
        while not work.batches:
            await asyncio.sleep(0)
        others = [begin(asking, each) for each in ("b", "c", "bad", "d")]
        await asyncio.sleep(0)
        work.gate.set()
        assert await first == "A"
        told = await asyncio.gather(*others, return_exceptions=True)
        assert [str(each) for each in told] == ["B", "C", "bad", "D"]
        assert await begin(asking, "e") == "E"

    play(story, work)
    assert work.batches == [["a"], ["b", "c", "bad", "d"], ["e"]]


def test_what_comes_at_one_moment_is_one_batch() -> None:
    work = Work()
    work.gate.set()

    async def story(asking: Together[str, str]) -> None:
        await asyncio.gather(*(begin(asking, each) for each in "abcd"))

    play(story, work)
    assert work.batches == [list("abcd")]


def test_clients_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for much waits behind themselves alone."""
    monkeypatch.setattr(together, "MOST", 3)
    work = Work()
    work.gate.set()

    async def story(asking: Together[str, str]) -> None:
        flood = [begin(asking, f"flood {n}", "flood") for n in range(5)]
        await asyncio.gather(*flood, begin(asking, "x", "other"), begin(asking, "y", "other"))

    play(story, work)
    assert work.batches == [
        ["flood 0", "x", "flood 1"],
        ["y", "flood 2", "flood 3"],
        ["flood 4"],
    ]


def test_what_fails_for_all_is_told_to_each_and_the_next_goes_on() -> None:
    work = Work()
    work.gate.set()

    async def story(asking: Together[str, str]) -> None:
        work.broken = OSError("away")
        told = await asyncio.gather(begin(asking, "a"), begin(asking, "b"), return_exceptions=True)
        assert [str(each) for each in told] == ["away", "away"]
        work.broken = None
        assert await begin(asking, "c") == "C"

    play(story, work)


def test_who_is_cancelled_keeps_nobody_from_their_answer() -> None:
    work = Work()

    async def story(asking: Together[str, str]) -> None:
        first = begin(asking, "a")
        while not work.batches:
            await asyncio.sleep(0)
        gone, other = begin(asking, "gone"), begin(asking, "b")
        await asyncio.sleep(0)
        gone.cancel()
        first.cancel()
        await asyncio.sleep(0)
        work.gate.set()
        assert await other == "B"

    play(story, work)
    assert work.batches == [["a"], ["b"]]  # nobody waits for what is gone
