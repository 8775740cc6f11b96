"""Lines are cut the same however the stream comes in pieces; what waits for a reader is kept."""

from __future__ import annotations

import asyncio
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from workers.gateway.api.lines import Line, Lines
from workers.gateway.api.spool import Spool


def cut(pieces: list[bytes], longest: int) -> list[Line]:
    lines = Lines(longest)
    return [line for piece in pieces for line in lines.feed(piece)] + lines.rest()


def expected(text: bytes, longest: int) -> list[Line]:
    rows = text.split(b"\n")
    found = []
    for number, row in enumerate(rows if rows[-1] else rows[:-1], 1):
        whole = row.strip(b" \t\r")
        if len(row) > longest:
            found.append(Line(number, None))
        elif whole:
            found.append(Line(number, whole))
    return found


@given(st.lists(st.text("ab\n \r", max_size=12).map(str.encode)), st.integers(1, 6))
def test_a_stream_is_cut_into_the_same_lines_however_it_comes(
    pieces: list[bytes], longest: int
) -> None:
    assert cut(pieces, longest) == expected(b"".join(pieces), longest)


def test_no_more_than_one_unfinished_line_is_kept() -> None:
    lines = Lines(10)
    for _ in range(1000):
        assert lines.feed(b"x" * 100) == []
        assert len(lines._begun) <= 10
    assert lines.rest() == [Line(1, None)]


@given(st.lists(st.binary(max_size=30), max_size=30))
def test_a_spool_gives_back_what_was_put(pieces: list[bytes]) -> None:
    async def through() -> bytes:
        with closing(Spool()) as spool:
            for piece in pieces:
                await spool.put(piece)
            spool.end(b"the end")
            return b"".join([piece async for piece in spool.pieces()])

    assert asyncio.run(through()) == b"".join(pieces) + b"the end"


def test_a_spool_that_is_full_waits_for_its_reader() -> None:
    async def through() -> int:
        with closing(Spool(most=10)) as spool:
            await spool.put(b"x" * 10)
            waiting = asyncio.create_task(spool.put(b"y"))
            await asyncio.sleep(0)
            assert not waiting.done()
            pieces = spool.pieces()
            assert await anext(pieces) == b"x" * 10
            await waiting
            assert await anext(pieces) == b"y"
            spool.end(b"")
            return len([piece async for piece in pieces])

    assert asyncio.run(through()) == 0


def test_a_spool_that_is_read_empty_takes_no_more_room() -> None:
    async def through() -> int:
        with closing(Spool()) as spool:
            pieces = spool.pieces()
            for _ in range(100):
                await spool.put(b"x" * 1000)
                await anext(pieces)
            return spool._written

    assert asyncio.run(through()) == 0
