"""The port the sandbox listens on, which can go away for a while."""

from __future__ import annotations

import asyncio
import logging
import os

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

_PATIENCE = 0.5  # seconds that requests under way get when the sandbox stops
_REOPEN = 0.1  # seconds until a port that somebody else took meanwhile is tried again


class CannotListen(OSError):
    """The sandbox cannot listen where it was told to; the message says why and what to do."""


class Listener:
    """Serves an application on one port."""

    def __init__(self, app: web.Application, host: str, port: int) -> None:
        app[LISTENER] = self
        self._runner = web.AppRunner(
            app, access_log=None, logger=_quiet_logger(), shutdown_timeout=_PATIENCE
        )
        self._host = host
        self._port = port
        self._site: web.TCPSite | None = None
        self._reopening: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """Where the sandbox answers, with the port it got where any free one would do."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def open(self) -> None:
        """Start to listen. Raises CannotListen."""
        await self._runner.setup()
        try:
            await self._listen()
        except (OSError, OverflowError, UnicodeError) as error:
            await self._runner.cleanup()
            raise CannotListen(
                f"the sandbox cannot listen on {self._host}:{self._port} ({_reason(error)}):"
                " choose another address or port; port 0 takes any free one"
            ) from None
        self._port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Stop listening, cut what is under way, give up callbacks."""
        if self._reopening:
            self._reopening.cancel()
        await self._runner.cleanup()

    async def refuse(self, seconds: float) -> None:
        """Refuse connections for a while, and end those that are open once they are idle."""
        if self._reopening:
            self._reopening.cancel()
        if self._site:
            await self._site.stop()
            self._site = None
        if self._runner.server:
            for connection in self._runner.server.connections:
                connection.close()
        self._reopening = asyncio.create_task(self._reopen_after(seconds))

    async def _listen(self) -> None:
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._site = site

    async def _reopen_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        while not self._site:
            try:
                await self._listen()
            except OSError:
                await asyncio.sleep(_REOPEN)


LISTENER = web.AppKey("listener", Listener)


def _reason(error: Exception) -> str:
    """asyncio words a bind's error at length; a look-up's own errors have negative numbers."""
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno) if error.errno > 0 else str(error.strerror)
    return str(error)


def _quiet_logger() -> logging.Logger:
    """Log the sandbox's own faults only: bytes that are no HTTP are answered 400 and no news."""
    logger = logging.getLogger("dispatcher.sandbox")
    logger.addFilter(_is_own_fault)
    return logger


def _is_own_fault(record: logging.LogRecord) -> bool:
    client_faults = (HttpProcessingError, web.RequestPayloadError)
    return not (record.exc_info and isinstance(record.exc_info[1], client_faults))
