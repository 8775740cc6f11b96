"""Whom a bulk request waits for, and what it keeps from: who reads no answers, and the others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from workers.gateway.api import bulk
from workers.gateway.api.intake import Tally
from workers.gateway.api.lines import Line, Lines
from workers.gateway.api.liveness import Liveness
from workers.gateway.api.pool import Pool
from workers.gateway.api.spool import PIECE, Spool


async def never(_: Any) -> None:
    await asyncio.Event().wait()


def written(spool: Spool) -> None:
    """Write the answers to somebody who reads nothing."""

    async def write() -> None:
        async with asyncio.timeout(1):
            await bulk._write(spool, never)

    asyncio.run(write())


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "READ_WITHIN", 0.05)


def test_who_has_sent_all_and_reads_nothing_is_cut_off() -> None:
    with closing(Spool()) as spool:
        spool.end(b"{}\n")
        with pytest.raises(ClientDisconnect):
            written(spool)


def test_who_has_sent_more_than_is_kept_and_reads_nothing_is_cut_off() -> None:
    """Else the place would be taken for good: nothing is read from the client any more."""
    with closing(Spool(most=PIECE)) as spool:
        asyncio.run(spool.put(b"x" * (2 * PIECE)))
        assert spool.full
        with pytest.raises(ClientDisconnect):
            written(spool)


def test_who_still_sends_need_not_read() -> None:
    with closing(Spool()) as spool:
        asyncio.run(spool.put(b"{}\n"))
        with pytest.raises(TimeoutError):
            written(spool)


def test_lines_are_not_cut_where_all_others_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """A piece may be tens of thousands of empty lines, and callbacks would wait meanwhile."""
    cut_in: list[str] = []

    class Watched(Lines):
        def feed(self, piece: bytes) -> list[Line]:
            cut_in.append(threading.current_thread().name)
            return super().feed(piece)

    async def pieces() -> AsyncIterator[bytes]:
        yield b"\n" * 1000

    monkeypatch.setattr(bulk, "Lines", Watched)
    intake: Any = SimpleNamespace(tally=Tally(), key=None)

    async def read() -> None:
        live: Any = Liveness(SimpleNamespace(), Pool())  # type: ignore[arg-type]
        exchange = bulk.Exchange(SimpleNamespace(), intake, Pool(), None, live)  # type: ignore[arg-type]
        with closing(Spool()) as spool:
            await exchange._read(b"\n", pieces(), spool)
            assert spool.ended

    asyncio.run(read())
    assert len(cut_in) == 2
    assert all(name.startswith("api") for name in cut_in)
