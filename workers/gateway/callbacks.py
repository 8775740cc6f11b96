"""`POST /callbacks/…`: the provider's reports, proven by their URL, written before the answer."""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from dispatcher.provider.answers import CallStatus, parse_report
from dispatcher.provider.errors import UnexpectedShape
from dispatcher.store.callbacks import CallReport
from dispatcher.values.callback_urls import PREFIX, Expired, InvalidCallback, Signer
from workers.gateway.callback_writer import CallbackWriter, NotWritten
from workers.gateway.middleware import Limit
from workers.gateway.problems import Problem

LIMIT = Limit(size=64 * 1024)
MOST_FIELDS = 200
CHARSETS = frozenset({"shift_jis", "shift-jis", "windows-31j", "cp932", "euc-jp", "iso-2022-jp"})
"""Those in whose longer characters a byte may look like ASCII; in all others what we read is it."""


def router(signer: Signer, writer: CallbackWriter) -> APIRouter:
    """Return the route."""
    routes = APIRouter()

    async def callback(request: Request) -> Response:
        parts = request.path_params
        try:
            attempt = signer.verify(
                parts["job"], parts["attempt"], parts["expires"], parts["mac"], time.time()
            )
        except InvalidCallback as error:
            writer.count("expired" if isinstance(error, Expired) else "forged")
            raise Problem(HTTPStatus.NOT_FOUND, str(error)) from None
        status = await _read(request, writer)
        word = "".join(each if each.isprintable() else "?" for each in status.status)
        report = CallReport(
            parts["job"], attempt, status.callid, word, status.cost, status.duration
        )
        try:
            await writer.take(report)
        except NotWritten as error:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from None
        return Response()

    routes.add_route(PREFIX + "/{job}/{attempt}/{expires}/{mac}", callback, methods=["POST"])
    return routes


async def _read(request: Request, writer: CallbackWriter) -> CallStatus:
    """Return what the body reports. Raises Problem, and counts, where it reports nothing."""
    try:
        return parse_report(fields(await request.body(), request.headers.get("content-type", "")))
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


def fields(body: bytes, content_type: str) -> dict[str, Any]:
    """Return the fields of a form or a JSON object, in any charset. Raises UnexpectedShape."""
    text = body.decode(_charset(body, content_type), "replace").lstrip("\ufeff")
    try:
        if "json" in content_type.lower() or text.lstrip()[:1] in {"{", "["}:
            return _object(json.loads(text))
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except (ValueError, RecursionError):
        raise UnexpectedShape("neither a form nor JSON") from None


def _object(data: Any) -> dict[str, Any]:
    if isinstance(data, list) and len(data) == 1:
        data = data[0]  # as the answer to a new call is
    if not isinstance(data, dict):
        raise UnexpectedShape("not an object")
    return data


def _charset(body: bytes, content_type: str) -> str:
    named = content_type.lower().partition("charset=")[2].partition(";")[0].strip(" \"'")
    return named if named in CHARSETS else json.detect_encoding(body)
