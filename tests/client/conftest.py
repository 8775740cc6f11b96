"""A real Redis, and a dispatcher on it; nothing dials."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
import uvloop

from dispatcher import AsyncDispatcher, Dispatcher
from dispatcher.client.messages import Messenger
from dispatcher.store import Store
from dispatcher.store.redis_url import connect
from support.asyncio_face import Face, running_loop
from workers.devstack.embedded_server import EmbeddedServer

_NUMBERS = itertools.count(1)


@pytest.fixture
def store(server: EmbeddedServer) -> Iterator[Store]:
    """A store of its own, with connections of its own, and Redis' own clock."""
    with connect(server.url) as client:
        yield Store(client, namespace=f"client{next(_NUMBERS)}")


@pytest.fixture
def messenger(server: EmbeddedServer, store: Store) -> Messenger:
    return Messenger.to_broker(server.url, f"client{next(_NUMBERS)}")


LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=["threads", *LOOPS])
def d(store: Store, messenger: Messenger, request: pytest.FixtureRequest) -> Iterator[Any]:
    """A Dispatcher, and an AsyncDispatcher in each kind of loop, with the same face."""
    dispatcher = Dispatcher(store, messenger, actor="billing")
    if request.param == "threads":
        with dispatcher:
            yield dispatcher
        return
    with running_loop(LOOPS[request.param]) as run:
        real = AsyncDispatcher(dispatcher)
        yield Face(run, real)
        run(real.close())
