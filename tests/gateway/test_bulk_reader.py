"""Who reads no answers: how long a bulk request waits for them, and what it keeps meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from workers.gateway.api import bulk
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
