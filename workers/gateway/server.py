"""Serves the gateway with uvicorn until a signal; requests under way are finished first."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import cast

import uvicorn
from fastapi import FastAPI

from config.settings import Settings
from workers.gateway import sharing
from workers.gateway.connection import Connection
from workers.gateway.console.live import Live
from workers.gateway.crowd import Crowd
from workers.gateway.listening import BACKLOG, say_listening
from workers.gateway.taking import Taking

FINISH_WITHIN = 8  # seconds
KEEP_ALIVE = 15
"""Seconds after which an idle connection is closed: proxies let go of it before."""


def serve(
    app: FastAPI,
    settings: Settings,
    listener: socket.socket,
    *,
    processes: int = 1,
    each_second: Callable[[], object] = lambda: None,
) -> None:
    """Serve `app` to those who come to `listener`, which so many processes share; call
    `each_second` while its loop runs.
    """
    trusted, counts = settings.trusted_proxies, app.state.counts
    crowd: Crowd[Connection] = Crowd(sharing.caps(settings), trusted, counts)
    connection = partial(Connection, crowd=crowd, trusted=trusted, brake=app.state.brake)

    async def notify() -> None:
        each_second()

    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=cast("type[asyncio.Protocol]", connection),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,  # the paths of callbacks hold their secrets
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=FINISH_WITHIN,
        backlog=BACKLOG,
        callback_notify=notify,
        timeout_notify=1,
        ssl_certfile=settings.gateway_tls_cert,
        ssl_keyfile=settings.gateway_tls_key,
    )
    # It warns of every malformed request, which strangers may send as many of as they like.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    if processes > 1:
        has_share = partial(crowd.has_share, processes)
        server: _Server = _Sharing(config, settings.gateway_url, app.state.live, has_share)
    else:
        server = _Server(config, settings.gateway_url, app.state.live)
    gc.freeze()  # what is loaded stays: to look through it takes 50 ms, in which nobody is answered
    # uvicorn raises the signal again when it has stopped in order: that is its end, not ours.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)
    server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """Says where it listens in a line that does not depend on the log's level, and ends streams."""

    def __init__(self, config: uvicorn.Config, url: str, live: Live) -> None:
        super().__init__(config)
        self._url, self._live = url, live

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._live.end()  # else the end would wait for every open page
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        say_listening(self._url)


class _Sharing(_Server):
    """A server of which there are several on one port; `has_share` is as in Taking."""

    def __init__(
        self, config: uvicorn.Config, url: str, live: Live, has_share: Callable[[], bool]
    ) -> None:
        super().__init__(config, url, live)
        self._has_share = has_share

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup([])
        of_this = {"server_state": self.server_state, "app_state": self.lifespan.state}
        protocol = partial(self.config.http_protocol_class, config=self.config, **of_this)  # type: ignore[call-arg]
        taking = [
            Taking(each, protocol, self._has_share, self.config.ssl) for each in sockets or ()
        ]
        self.servers = cast("list[asyncio.Server]", taking)
