"""Serves the gateway with uvicorn until a signal; requests under way are finished first."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import cast

import uvicorn
from fastapi import FastAPI

from config.settings import InvalidSettings, Settings
from workers.gateway import sharing
from workers.gateway.connection import Connection
from workers.gateway.console.live import Live
from workers.gateway.crowd import Crowd

BACKLOG = 2048
FINISH_WITHIN = 8  # seconds
KEEP_ALIVE = 15
"""Seconds after which an idle connection is closed: proxies let go of it before."""
OWN_FILES = 256
"""Files beside the connections: Redis, the broker, answers that wait on the disk."""


def serve(
    app: FastAPI, settings: Settings, *, each_second: Callable[[], object] = lambda: None
) -> None:
    """Serve `app`; call `each_second` while it listens and its loop runs. Raises InvalidSettings
    where it cannot listen, or the certificate is no good.
    """
    trusted, caps = settings.trusted_proxies, sharing.caps(settings)
    _make_room(caps.connections)
    crowd: Crowd[Connection] = Crowd(caps, trusted)
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
    _load(config)
    listener = _listen(settings.gateway_host, settings.gateway_port)
    # It warns of every malformed request, which strangers may send as many of as they like.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
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
        sys.stdout.write(f"listening on {self._url}\n")
        sys.stdout.flush()


def _make_room(connections: int) -> None:
    """Have as many files opened as connections need. Raises InvalidSettings where it may not be."""
    needed = connections + OWN_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise InvalidSettings(
            f"DISPATCHER_GATEWAY_CONNECTIONS, …_REQUESTS and …_CALLBACKS: {connections}"
            f" connections need {needed} open files, and this process may have {hard}: lower"
            " them, or raise the limit (`ulimit -Hn`)"
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _load(config: uvicorn.Config) -> None:
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise InvalidSettings(
            "DISPATCHER_GATEWAY_TLS_CERT and DISPATCHER_GATEWAY_TLS_KEY cannot be used"
            f" ({error.strerror or error}): they name a PEM file with the certificate and its"
            " chain, and one with its key"
        ) from None


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=BACKLOG)
    except OSError as error:
        known = error.errno and not isinstance(error, socket.gaierror)
        why = os.strerror(error.errno or 0) if known else error.strerror  # the bare words
        raise InvalidSettings(
            f"DISPATCHER_GATEWAY_PORT={port}: cannot listen on {host}:{port} ({why});"
            " choose another port"
        ) from None
