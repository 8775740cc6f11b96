"""`/healthz`: the process answers. `/readyz`: what it stands on does, too."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus

from fastapi import APIRouter, Request

from dispatcher.client.messages import Messenger
from dispatcher.errors import DispatcherError
from dispatcher.model.api_key import Scope
from dispatcher.store import Store
from dispatcher.store.errors import NotAllowed
from dispatcher.values.hosts import is_loopback, name_of
from workers.gateway.addresses import is_this_machine
from workers.gateway.api.authenticator import let_in
from workers.gateway.problems import Problem

FRESH = 1.0
"""Seconds for which an answer serves everybody who asks: nobody can make us knock on doors."""
INSIDE = "`voice-dispatcher doctor` says why, and so does /readyz to a key with the scope read"
FORWARDING = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
WITHIN = 5.0  # seconds to hear from Redis or the broker


def router(store: Store, messenger: Messenger) -> APIRouter:
    """Return the routes."""
    routes = APIRouter()
    readiness = Readiness(
        {
            "Redis": store.server.check_writable,
            "broker": messenger.ping,
            "workers": partial(_require_rights_of_workers, store),
        }
    )

    @routes.get("/healthz")
    async def healthz() -> dict[str, str]:
        """The process answers."""
        return {"status": "ok"}

    @routes.get("/readyz")
    async def readyz(request: Request) -> dict[str, str]:
        """Redis takes writes, the broker answers, no worker lacks a right; else 503.

        Why is for this machine and for keys that may read: it tells what is inside.
        """
        faults = await readiness.faults()
        if faults and not await _may_know(request):
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "not ready", remedy=INSIDE)
        if faults:
            raise Problem(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "; ".join(f"{name}: {why}" for name, why in faults),
                remedy="`voice-dispatcher doctor` says what to fix",
                faults=faults,
            )
        return {"status": "ready"}

    return routes


def _require_rights_of_workers(store: Store) -> None:
    """Raise NotAllowed where a worker has said that it lacks a right."""
    try:
        found = store.missing_rights.all()
    except DispatcherError:  # told of Redis itself
        return
    if found:
        raise NotAllowed("; ".join(map(str, found)))


async def _may_know(request: Request) -> bool:
    """Whether who asks may know what is inside: this machine, or a key that may read."""
    near = request.client is not None and is_this_machine(request.client.host)
    if near and _names_this_machine(request) and not _forwarded(request):
        return True
    try:
        await let_in(request, Scope.READ, counted=False)
    except (DispatcherError, Problem):  # Redis may be what is not ready
        return False
    return True


def _names_this_machine(request: Request) -> bool:
    """Whether it was asked for by a loopback address: not by a proxy that passes on the name, nor
    by a web page whose name leads here.
    """
    return is_loopback(name_of(request.headers.get("host", "")))


def _forwarded(request: Request) -> bool:
    """Whether a proxy says that it asks for somebody else."""
    return any(name in request.headers for name in FORWARDING)


class Readiness:
    """Asks what the gateway stands on; each of `pings` returns, or raises DispatcherError."""

    def __init__(self, pings: Mapping[str, Callable[[], object]]) -> None:
        self._pings = pings
        self._asking = asyncio.Lock()
        self._asked_at = -FRESH
        self._faults: list[tuple[str, str]] = []

    async def faults(self) -> list[tuple[str, str]]:
        """Return what does not answer, and why."""
        async with self._asking:
            if time.monotonic() - self._asked_at >= FRESH:
                whys = await asyncio.gather(*map(_ask, self._pings.values()))
                self._faults = [(n, why) for n, why in zip(self._pings, whys, strict=True) if why]
                self._asked_at = time.monotonic()
            return self._faults


async def _ask(ping: Callable[[], object]) -> str:
    try:
        async with asyncio.timeout(WITHIN):
            await asyncio.to_thread(ping)
        return ""
    except TimeoutError:
        return f"no answer within {WITHIN:g} s: is it running?"
    except DispatcherError as error:
        return str(error)
