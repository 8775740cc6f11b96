"""Ways to run a sandbox: as this process, within an event loop, or in a thread of a test."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from threading import Thread
from typing import Any

from dispatcher.sandbox.app import create_app
from dispatcher.sandbox.listener import CannotListen, Listener
from dispatcher.sandbox.options import SandboxOptions

__all__ = ["CannotListen", "run", "running", "serve"]


@asynccontextmanager
async def serve(
    options: SandboxOptions | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[str]:
    """Run a sandbox within an event loop; the value is its URL. Raises CannotListen."""
    listener = Listener(create_app(options), host, port)
    await listener.open()
    try:
        yield listener.url
    finally:
        await listener.close()


def run(
    options: SandboxOptions | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    announce: Callable[[str], None] | None = None,
) -> None:
    """Run a sandbox until SIGINT or SIGTERM; main thread only. Port 0 takes any free one.

    `announce` is given the URL once the sandbox listens. Raises CannotListen.
    """
    # A full collection stops the server for longer the more calls it remembers, and requests that
    # waited for it would seem to have come at once: more than the rate in one second.
    gc.set_threshold(700, 10, 1_000_000)
    asyncio.run(_until_told(options, host, port, announce))


@contextmanager
def running(
    options: SandboxOptions | None = None, *, host: str = "127.0.0.1", port: int = 0
) -> Iterator[str]:
    """Run a sandbox in a thread, for tests; the value is its URL. Raises CannotListen."""
    with _loop_in_thread() as call:
        listener = Listener(create_app(options), host, port)
        call(listener.open())
        try:
            yield listener.url
        finally:
            call(listener.close())


async def _until_told(
    options: SandboxOptions | None,
    host: str,
    port: int,
    announce: Callable[[str], None] | None,
) -> None:
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    async with serve(options, host=host, port=port) as url:
        if announce:
            announce(url)
        await told.wait()


@contextmanager
def _loop_in_thread() -> Iterator[Callable[[Coroutine[Any, Any, None]], None]]:
    """Run an event loop in a thread; the value runs a coroutine there and waits for it."""
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_forever, name="provider sandbox", daemon=True)
    thread.start()
    try:
        yield lambda coroutine: asyncio.run_coroutine_threadsafe(coroutine, loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
