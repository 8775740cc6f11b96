"""`GET /dial-in/…`: somebody calls the account's number, and the provider asks what they hear.

Proven by its URL. An answer comes in time whatever happens: nobody is left in silence.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from urllib.parse import parse_qsl

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.alerts.dial_in import DialIns, Turn
from dispatcher.provider import DialIn, DialInAnswer, DialInReader, UnexpectedShape
from dispatcher.values.dial_in_urls import PREFIX, is_genuine
from workers.gateway.api.pool import Pool
from workers.gateway.brake import Brake
from workers.gateway.evidence import address_of
from workers.gateway.middleware import Limit
from workers.gateway.problems import Problem

log = logging.getLogger(__name__)

LIMIT: Final = Limit(size=0)
LONGEST_QUERY: Final = 1024
"""Bytes; two numbers take a tenth of it."""
MOST_FIELDS: Final = 20
MOST_HELD: Final = 20
"""Guesses that are kept waiting at once: they take places of the provider's requests meanwhile."""
PATIENCE: Final = 5.0
"""Seconds until the caller is told that nothing could be done: how long the provider waits is not
documented, and the caller hears nothing meanwhile."""


@dataclass(frozen=True)
class Asked:
    """What answers: `keys` are those whose secrets are genuine, `reader` is the provider's."""

    keys: Sequence[str] = field(repr=False)
    reader: DialInReader
    dial_ins: DialIns
    pool: Pool
    brake: Brake
    held: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MOST_HELD))

    async def answer(self, request: Request) -> Response:
        """Return what the caller hears. Raises Problem for what the provider never asks."""
        await self._require_genuine(request)
        body, kind = self.reader.dial_in_answer(await self._heard(self._read(request)))
        return Response(body, headers={"Content-Type": kind})

    async def _require_genuine(self, request: Request) -> None:
        if is_genuine(request.path_params["secret"], self.keys):
            return
        if not self.held.locked():
            async with self.held:
                await self.brake.hold(address_of(request.scope))
        raise Problem(HTTPStatus.NOT_FOUND, "Not Found")

    def _read(self, request: Request) -> DialIn:
        query: bytes = request.scope["query_string"]
        if len(query) > LONGEST_QUERY:
            raise Problem(HTTPStatus.REQUEST_URI_TOO_LONG, f"more than {LONGEST_QUERY} bytes")
        try:
            text = query.decode("ascii", "replace")
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
            return self.reader.parse_dial_in(pairs)
        except UnexpectedShape as error:
            raise Problem(HTTPStatus.BAD_REQUEST, f"the query names no caller: {error}") from None
        except ValueError:
            raise Problem(HTTPStatus.BAD_REQUEST, f"more than {MOST_FIELDS} parameters") from None

    async def _heard(self, asked: DialIn) -> DialInAnswer:
        turn = Turn()
        try:
            async with asyncio.timeout(PATIENCE):
                return await self.pool.run(self.dial_ins.answer, asked, turn)
        except TimeoutError:
            log.warning("somebody who called was told to call again: Redis did not answer in time")
        except Exception:
            log.exception("somebody who called was told to call again")
        turn.give_up()
        return self.dial_ins.away(turn)


def router(asked: Asked) -> APIRouter:
    """Return the route: GET alone, which the provider uses."""
    routes = APIRouter()
    path = PREFIX + "/{secret}"
    routes.add_api_route(path, asked.answer, methods=["GET"], include_in_schema=False)
    return routes
