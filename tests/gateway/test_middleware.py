"""Whoever reads no answer is cut off, and keeps no connection."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.types import Receive, Scope, Send

from workers.gateway.brake import Brake
from workers.gateway.connection import CUT
from workers.gateway.middleware import AT_END, Limit, Middleware


async def _answers(scope: Scope, receive: Receive, send: Send) -> None:
    scope[AT_END].callback(scope["state"]["given_back"].set)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x" * 1000})


async def _nobody_reads(message: Any) -> None:
    if message["type"] == "http.response.body":
        await asyncio.Event().wait()


def test_who_reads_no_answer_is_cut_off() -> None:
    async def ask() -> None:
        cut, given_back = asyncio.Event(), asyncio.Event()
        scope: Scope = {
            "type": "http",
            "path": "/",
            "method": "GET",
            "headers": [],
            "client": ("192.0.2.7", 1),
            "state": {CUT: cut.set, "given_back": given_back},
        }
        app = Middleware(_answers, {"/": Limit(unread=0.05)}, {}, Brake())
        async with asyncio.timeout(30):
            await app(scope, lambda: asyncio.sleep(0), _nobody_reads)  # type: ignore[arg-type, return-value]
        assert cut.is_set()
        assert given_back.is_set()

    asyncio.run(ask())
