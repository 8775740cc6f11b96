"""Callbacks are written in groups, and nobody waits for company that does not come."""

from __future__ import annotations

import asyncio

import pytest

from dispatcher.model.outcome import Outcome
from dispatcher.store import Store
from dispatcher.store.callbacks import Callback
from support.redis_inside import key_of, redis_of
from workers.gateway import callback_writer
from workers.gateway.callback_writer import CallbackWriter

FOR_EVER = 3600.0


def report(number: int) -> Callback:
    return Callback("abcdefghijklmnop", number, f"call-{number}", "ANSWERED", Outcome.ANSWERED)


def waiting(store: Store) -> int:
    return int(redis_of(store).zcard(key_of(store, "callbacks")))


def test_one_who_reports_one_call_after_another_waits_for_nobody(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callback_writer, "TOGETHER_WITHIN", FOR_EVER)

    async def go() -> None:
        writer = CallbackWriter(store.callbacks, lambda: None)
        async with writer.open():
            for number in range(1, 6):
                await writer.take(report(number))

    asyncio.run(go())
    assert waiting(store) == 5


def test_after_several_at_once_those_who_come_next_are_written_together(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callback_writer, "TOGETHER_WITHIN", FOR_EVER)

    async def go() -> int:
        writer = CallbackWriter(store.callbacks, lambda: None)
        async with writer.open():
            await asyncio.gather(*(writer.take(report(number)) for number in range(1, 4)))
            later = [asyncio.create_task(writer.take(report(number))) for number in (4, 5)]
            await asyncio.sleep(0)
            before = waiting(store)
        await asyncio.gather(*later)  # what is left is written at the end
        return before

    assert (asyncio.run(go()), waiting(store)) == (3, 5)
