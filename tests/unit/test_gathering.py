"""What is written to a connection in one turn of the loop goes out at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from workers.gateway.gathering import LARGE, Gathering


class Wire:
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.ended = ""

    def write(self, data: bytes) -> None:
        assert not self.ended
        self.written.append(data)

    def close(self) -> None:
        self.ended = "closed"

    def abort(self) -> None:
        self.ended = "aborted"

    def is_closing(self) -> bool:
        return bool(self.ended)


def told(talk: Callable[[Gathering], object]) -> Wire:
    """Return a wire after somebody wrote to it, and a turn of the loop."""
    wire: Any = Wire()

    async def turn() -> None:
        gathering = Gathering(wire, asyncio.get_running_loop())
        talk(gathering)
        await asyncio.sleep(0)

    asyncio.run(turn())
    found: Wire = wire
    return found


def head_and_body(wire: Gathering) -> None:
    wire.write(b"head ")
    wire.write(b"body")


def test_head_and_body_go_out_together() -> None:
    assert told(head_and_body).written == [b"head body"]


def test_what_is_large_waits_for_no_turn() -> None:
    seen: list[bytes] = []

    def write(wire: Gathering) -> None:
        wire.write(b"x")
        wire.write(b"y" * LARGE)
        seen.extend(wire.written)  # of the transport itself
        wire.write(b"z")

    found = told(write)
    assert [len(each) for each in seen] == [LARGE + 1]
    assert [len(each) for each in found.written] == [LARGE + 1, 1]


def test_all_is_written_before_the_end_and_nothing_after_a_cut() -> None:
    def close(wire: Gathering) -> None:
        head_and_body(wire)
        wire.close()
        assert wire.is_closing()

    def abort(wire: Gathering) -> None:
        head_and_body(wire)
        wire.abort()

    closed, aborted = told(close), told(abort)
    assert (closed.ended, closed.written) == ("closed", [b"head body"])
    assert (aborted.ended, aborted.written) == ("aborted", [])
