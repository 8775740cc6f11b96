"""One client that does all it can: `python -m benchmarks.flooder PORT KEY JOB`, until it is ended.

Half of its connections say nothing, and half wait for a job; each that is closed or refused is
opened anew at once, whatever `Retry-After` says.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

from dispatcher.values.counts import counted

SILENT, WAITING = 1000, 1000
PEER, ADDRESS = "127.0.0.2", "192.0.2.66"
"""Where its connections come from, and whom the proxy there names."""
PATIENCE = 0.05
"""Seconds between two tries: without any it would measure how fast it can connect."""


async def _silent(port: int) -> None:
    """Open a connection and say nothing, again and again."""
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(PEER, 0))
            await reader.read()
            writer.close()
        await asyncio.sleep(PATIENCE)


async def _waiting(port: int, head: bytes) -> None:
    """Wait for a job, again and again."""
    while True:
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(PEER, 0))
            writer.write(head)
            await reader.read()
            writer.close()
        await asyncio.sleep(PATIENCE)


async def _flood(port: int, key: str, job: str) -> None:
    head = (
        f"GET /v1/jobs/{job}?wait=60 HTTP/1.1\r\nHost: bench\r\nX-Forwarded-For: {ADDRESS}\r\n"
        f"Authorization: Bearer {key}\r\nConnection: close\r\n\r\n"
    ).encode()
    tasks = [_silent(port) for _ in range(SILENT)] + [_waiting(port, head) for _ in range(WAITING)]
    print(f"flooding with {counted(len(tasks), 'connection')}", flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    _port, _key, _job = sys.argv[1:]
    asyncio.run(_flood(int(_port), _key, _job))
