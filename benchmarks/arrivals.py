"""A provider that only notes when each request came, for timing; the least it can cost."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests

_NUMBER = re.compile(rb"recipient=%2B(\d+)")


async def serve() -> None:
    """Answer every POST as if a call had been placed, and GET with the arrivals so far."""
    arrivals: dict[str, float] = {}
    serial = itertools.count()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await _head(reader):
            came = time.monotonic()
            length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            body = await reader.readexactly(int(length[1])) if length else b""
            if found := _NUMBER.search(body):
                arrivals[found[1].decode()] = came
                answer, status = json.dumps([{"callid": f"c{next(serial)}"}]), "201 Created"
            else:
                answer, status = json.dumps(arrivals), "200 OK"
            writer.write(
                f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(answer)}\r\n\r\n{answer}".encode()
            )
            await writer.drain()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


@contextmanager
def provider() -> Iterator[str]:
    """Run the provider in a process of its own; yields its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.arrivals"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()


def arrivals(url: str) -> dict[str, float]:
    """Return when each number's request came, by time.monotonic, which all processes share."""
    found: dict[str, float] = requests.get(f"{url}/arrivals", timeout=30).json()
    return found


if __name__ == "__main__":
    asyncio.run(serve())
