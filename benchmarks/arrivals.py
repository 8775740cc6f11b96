"""A provider that notes when each request came, and costs as little as it can: for timing.

It keeps connections (HTTP/1.1), answers every POST as if a call had been placed, knows the credit,
and reports a call as answered where it is told to and has a URL for that.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import unquote_to_bytes, urlsplit

import requests
import uvloop

from benchmarks.processes import cpu_seconds

REPORTERS = 8
"""Calls that end at the same moment are reported at the same moment, so many at most."""
_NUMBER = re.compile(rb"recipient=%2B(\d+)")
_CALLBACK = re.compile(rb"callbackurl=([^&]+)")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_CREDITS = b'{"credits": 100000000.0}'
_ENDED = (
    "callid=%s&recipient=%%2B%s&caller=%%2B815012345678&status=ANSWERED&cost=20.0&duration=12"
    "&start_time=2026-11-25+12%%3A00%%3A00&end_time=2026-11-25+12%%3A00%%3A12&tags="
)


@dataclass
class Books:
    """What came: numbers and moments in order, and how many connections there were."""

    kept: bool = True
    reports: bool = False
    calls: list[tuple[str, float]] = field(default_factory=list)
    connections: int = 0
    due: asyncio.Queue[tuple[str, bytes]] = field(default_factory=asyncio.Queue)


class Conversation(asyncio.Protocol):
    """One connection."""

    def __init__(self, books: Books) -> None:
        self._books, self._waiting = books, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop has classes of its own
        self._books.connections += 1

    def data_received(self, data: bytes) -> None:
        came = time.monotonic()
        self._waiting += data
        while (end := self._waiting.find(b"\r\n\r\n")) >= 0:
            found = _LENGTH.search(self._waiting, 0, end)
            whole = end + 4 + (int(found[1]) if found else 0)
            if len(self._waiting) < whole:
                return
            request, self._waiting = self._waiting[:whole], self._waiting[whole:]
            self._answer(request, end + 4, came)

    def _answer(self, request: bytes, body: int, came: float) -> None:
        if request.startswith(b"POST"):
            status, answer = b"201 Created", self._place(request, body, came)
        else:
            status, answer = b"200 OK", self._tell(request)
        kept = b"" if self._books.kept else b"Connection: close\r\n"
        self._transport.write(
            b"HTTP/1.1 %s\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n%s"
            % (status, kept, len(answer), answer)
        )
        if not self._books.kept:
            self._transport.close()

    def _place(self, request: bytes, body: int, came: float) -> bytes:
        number = _NUMBER.search(request, body)
        assert number, request
        calls = self._books.calls
        calls.append((number[1].decode(), came))
        if self._books.reports and (url := _CALLBACK.search(request, body)):
            ended = (_ENDED % (f"c{len(calls)}", number[1].decode())).encode()
            self._books.due.put_nowait((unquote_to_bytes(url[1]).decode(), ended))
        return b'[{"callid": "c%d"}]' % len(calls)

    def _tell(self, request: bytes) -> bytes:
        path = request.split(b" ", 2)[1]
        if path == b"/you/credits/":
            return _CREDITS
        if path.startswith(b"/arrivals/"):
            return json.dumps(self._books.calls[int(path.rpartition(b"/")[2]) :]).encode()
        return json.dumps([len(self._books.calls), self._books.connections]).encode()


async def _report(books: Books) -> None:
    """Tell that calls have ended, one after another, on a connection that is kept for each host."""
    ways: dict[str, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}
    while True:
        url, body = await books.due.get()
        to = urlsplit(url)
        if to.netloc not in ways or ways[to.netloc][0].at_eof():
            ways[to.netloc] = await asyncio.open_connection(to.hostname, to.port)
        reader, writer = ways[to.netloc]
        writer.write(
            b"POST %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\n%s"
            % (to.path.encode(), to.netloc.encode(), len(body), body)
        )
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        length = _LENGTH.search(head)
        await reader.readexactly(int(length[1]) if length else 0)


async def serve(books: Books) -> None:
    """Serve until the process is stopped; prints the port."""
    loop = asyncio.get_running_loop()
    reporters = [loop.create_task(_report(books)) for _ in range(REPORTERS)]
    server = await loop.create_server(lambda: Conversation(books), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.gather(*reporters)


class Provider:
    """The running stand-in, as a measurement sees it."""

    def __init__(self, url: str, pid: int) -> None:
        self.url, self.pid = url, pid
        self._session = requests.Session()

    def counts(self) -> tuple[int, int]:
        """Return how many calls were asked for, and on how many connections anything was."""
        calls, connections = self._session.get(f"{self.url}/counts", timeout=30).json()
        return calls, connections

    def since(self, first: int) -> list[tuple[str, float]]:
        """Return number and moment of each call from the so many-th on, in order.

        Moments are those of time.monotonic, which all processes of a machine share.
        """
        found = self._session.get(f"{self.url}/arrivals/{first}", timeout=60).json()
        return [(number, moment) for number, moment in found]


@contextmanager
def provider(*, kept: bool = True, reports: bool = False) -> Iterator[Provider]:
    """Run the provider in a process of its own; `kept` False: it closes each connection."""
    options = ["--close"] * (not kept) + ["--reports"] * reports
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.arrivals", *options], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield Provider(f"http://127.0.0.1:{int(process.stdout.readline())}", process.pid)
    finally:
        process.kill()
        process.communicate()


def ceiling(count: int = 5_000, connections: int = 8) -> float:
    """Return how many requests a second such a provider answers on kept connections, if it has a
    core to itself: what it takes of one for a request.
    """
    with provider() as asked:
        before = cpu_seconds(asked.pid)
        asyncio.run(_ask(asked.url, count // connections, connections))
        return count / (cpu_seconds(asked.pid) - before)


async def _ask(url: str, count: int, connections: int) -> None:
    body = b"caller=%2B815012345678&recipient=%2B818023001000&tts_message=x&tts_lang=en"
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        for _ in range(count):
            writer.write(head + body)
            found = _LENGTH.search(await reader.readuntil(b"\r\n\r\n"))
            await reader.readexactly(int(found[1]) if found else 0)
        writer.close()

    await asyncio.gather(*(one() for _ in range(connections)))


def main() -> None:
    """Run it alone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--close", action="store_true")
    parser.add_argument("--reports", action="store_true")
    options = parser.parse_args()
    uvloop.run(serve(Books(kept=not options.close, reports=options.reports)))


if __name__ == "__main__":
    main()
