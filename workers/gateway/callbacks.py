"""`POST /callbacks/…`: the provider's reports, proven by their URL, written before the answer."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.model.call import CallReport
from dispatcher.provider import CallbackParser, CallbackRequest, UnexpectedShape
from dispatcher.store.callbacks import Callback
from dispatcher.values.callback_urls import PREFIX, TEST, Expired, InvalidCallback, Signer
from workers.engine.store_clock import StoreClock
from workers.gateway.callback_writer import CallbackWriter, NotWritten
from workers.gateway.middleware import Limit
from workers.gateway.problems import Problem

LIMIT = Limit(size=64 * 1024)


def router(
    signer: Signer, writer: CallbackWriter, provider: CallbackParser, clock: StoreClock
) -> APIRouter:
    """Return the route; `provider` reads what comes."""
    routes = APIRouter()

    async def callback(request: Request) -> Response:
        parts = request.path_params
        now = clock.now() if clock.fresh else await asyncio.to_thread(clock.now)
        try:
            attempt = signer.verify(
                parts["job"], parts["attempt"], parts["expires"], parts["mac"], now
            )
        except InvalidCallback as error:
            writer.count("expired" if isinstance(error, Expired) else "forged")
            raise Problem(HTTPStatus.NOT_FOUND, str(error)) from None
        try:
            if parts["job"] == TEST:
                await writer.pass_test()
            else:
                report = await _read(request, writer, provider)
                await writer.take(Callback.of(parts["job"], attempt, report))
        except NotWritten as error:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from None
        return Response()

    routes.add_route(PREFIX + "/{job}/{attempt}/{expires}/{mac}", callback, methods=["POST"])
    return routes


async def _read(request: Request, writer: CallbackWriter, provider: CallbackParser) -> CallReport:
    """Return what the body reports. Raises Problem, and counts, where it reports nothing."""
    try:
        body, headers = await request.body(), request.headers
        return provider.parse_callback(
            CallbackRequest(body, headers.get("content-type", ""), headers)
        )
    except Problem:  # too large, too slow
        writer.count("mangled")
        raise
    except UnexpectedShape as error:
        writer.count("mangled")
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            f"the body reports no call: {error}",
            remedy="send the parameters of the call status, form-encoded or as JSON",
        ) from None
