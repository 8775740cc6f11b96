"""The routes on which monitoring reports: what they refuse is kept where people look.

Alertmanager, for one, drops an alert that is answered with 4xx, and tells nobody.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from dispatcher.errors import DispatcherError
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable
from workers.gateway import problems
from workers.gateway.api.pool import client
from workers.gateway.api.services import Services

log = logging.getLogger(__name__)
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
REPORTER = "reporter"
"""The name, in a request's state, of who was let in."""


class Strangers:
    """Bounds what requests without a good key have written: once a second for each source, with
    how many there were. `clock` returns seconds.
    """

    EVERY = 1.0

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next: dict[str, float] = {}
        self._waiting: Counter[str] = Counter()

    def take(self, source: str) -> int:
        """Count a refusal; return how many are to be noted now, 0 for none."""
        now = self._clock()
        self._waiting[source] += 1
        if now < self._next.get(source, now):
            return 0
        self._next[source] = now + self.EVERY
        return self._waiting.pop(source)


def report_route(services: Services) -> type[APIRoute]:
    """Return the class of these routes, which note in the store what they refuse."""
    strangers = Strangers()

    class ReportRoute(APIRoute):
        def get_route_handler(self) -> Handler:
            answered = super().get_route_handler()

            async def noted(request: Request) -> Response:
                try:
                    return await answered(request)
                except (HTTPException, RequestValidationError, DispatcherError) as error:
                    await _note(services, strangers, request, error)
                    raise

            return noted

    return ReportRoute


async def _note(
    services: Services, strangers: Strangers, request: Request, error: Exception
) -> None:
    """Note a refusal, unless the sender was told to try again."""
    status, why = _told(error)
    if not HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return
    source = request.scope["path"].rstrip("/").rpartition("/")[2]
    sender = getattr(request.state, REPORTER, "")
    if many := 1 if sender else strangers.take(source):
        said = f"answered {int(status)}: {why}"
        await services.pool.run(keep, services.store, source, said, sender=sender, many=many)


def _told(error: Exception) -> tuple[int, str]:
    if isinstance(error, DispatcherError):
        error = problems.of(error)
    if isinstance(error, HTTPException):
        return error.status_code, str(error.detail)
    return HTTPStatus.UNPROCESSABLE_ENTITY, "a value of its query is wrong"


def keep(store: Store, source: str, why: str, *, sender: str = "", many: int = 1) -> None:
    """Keep what was refused where people look; without Redis the log alone has it."""
    try:
        store.refused_reports.note(source, why, sender=sender, many=many)
    except StoreUnavailable as error:
        log.warning("a refused report of %s could not be noted: %s", source, error)


def remember(request: Request, name: str) -> None:
    """Remember who reports, for what may be refused still."""
    setattr(request.state, REPORTER, name)
    client.set(name)
