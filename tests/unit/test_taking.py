"""Processes that share a port have about as many connections each, as long as all take some."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack

import pytest
import uvloop

from workers.gateway.taking import Taking

MANY = 6
Connect = Callable[[], socket.socket]


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


@pytest.fixture
def connect(listener: socket.socket) -> Iterator[Connect]:
    with ExitStack() as wires:
        yield lambda: wires.enter_context(socket.create_connection(listener.getsockname()))


class Taken(asyncio.Protocol):
    """A connection that was taken."""

    transport: asyncio.BaseTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport


class Side:
    """A process as this test has it, and the connections that it took."""

    def __init__(self, listener: socket.socket, has_share: Callable[[], bool]) -> None:
        self.taken: list[Taken] = []
        self._listener = listener
        self._taking = Taking(self._listener, self._protocol, has_share)

    @property
    def many(self) -> int:
        return len(self.taken)

    def _protocol(self) -> Taken:
        self.taken.append(Taken())
        return self.taken[-1]

    async def close(self) -> None:
        self.stop()
        await until(lambda: all(each.transport for each in self.taken))
        for each in self.taken:
            if each.transport:
                each.transport.close()
        await asyncio.sleep(0)

    def stop(self) -> None:
        self._taking.close()
        self._listener.close()


async def until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not so():
            await asyncio.sleep(0.001)


def played(story: Callable[[], Awaitable[None]]) -> None:
    uvloop.run(story())  # type: ignore[arg-type]


def test_each_gets_its_share_of_what_comes(listener: socket.socket, connect: Connect) -> None:
    async def story() -> None:
        sides: list[Side] = []

        def has_share(number: int) -> bool:
            return sides[number].many * 2 > sum(side.many for side in sides)

        sides += [Side(listener.dup(), lambda n=n: has_share(n)) for n in range(2)]  # type: ignore[misc]
        for taken in range(1, 2 * MANY + 1):
            connect()
            await until(lambda taken=taken: sum(side.many for side in sides) == taken)  # type: ignore[misc]
        assert [side.many for side in sides] == [MANY, MANY]
        for side in sides:
            await side.close()

    played(story)


def test_what_no_other_takes_is_taken_in_a_moment(
    listener: socket.socket, connect: Connect
) -> None:
    async def story() -> None:
        gave_way = []
        side = Side(listener.dup(), lambda: not gave_way.append(None))  # type: ignore[func-returns-value]
        for _ in range(MANY):
            connect()
        await until(lambda: side.many == MANY)
        assert len(gave_way) == 1  # for all that waited
        connect()
        await until(lambda: side.many == MANY + 1)
        await side.close()

    played(story)


def test_who_is_closed_takes_no_more(listener: socket.socket, connect: Connect) -> None:
    async def story() -> None:
        side, other = (Side(listener.dup(), lambda: False) for _ in range(2))
        side.stop()
        connect()
        await until(lambda: other.many == 1)
        assert side.many == 0
        await other.close()

    played(story)


def test_who_cannot_open_a_file_tries_again(
    listener: socket.socket, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.gateway.taking.NO_ROOM", 0.01)

    class Full(socket.socket):
        """A listener that has no room at first."""

        tries = 0

        def accept(self) -> tuple[socket.socket, object]:
            self.tries += 1
            if self.tries == 1:
                raise OSError(24, "Too many open files")
            return super().accept()

    async def story() -> None:
        side = Side(Full(fileno=listener.dup().detach()), lambda: False)
        connect()
        await until(lambda: side.many == 1)
        await side.close()

    played(story)
