"""Errors as `application/problem+json` (RFC 9457): what is wrong, where, and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from dispatcher.acts import UnknownAct
from dispatcher.errors import DispatcherError
from dispatcher.masking import mask_text
from dispatcher.redis_url import StoreUnavailable
from dispatcher.request import InvalidJob
from dispatcher.store import KeyConflict, Refused, UnknownJob

MEDIA_TYPE = "application/problem+json"
Fault = tuple[str, str]
"""A field of the request, and what is wrong with it."""

_STATUS: dict[type[DispatcherError], HTTPStatus] = {
    InvalidJob: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownJob: HTTPStatus.NOT_FOUND,
    UnknownAct: HTTPStatus.NOT_FOUND,
    KeyConflict: HTTPStatus.CONFLICT,
    Refused: HTTPStatus.CONFLICT,
    StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}
_REMEDIES = {
    HTTPStatus.NOT_FOUND: "check the address",
    HTTPStatus.METHOD_NOT_ALLOWED: "use a method that the Allow header names",
    HTTPStatus.SERVICE_UNAVAILABLE: "try again in a moment",
    HTTPStatus.INTERNAL_SERVER_ERROR: "try again; if it stays, the gateway's log says why",
}


class Problem(HTTPException):
    """An error on purpose; `faults` name the fields of the request that are to blame."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        remedy: str = "",
        faults: Iterable[Fault] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.remedy = remedy or _REMEDIES.get(status, "")
        self.faults = tuple(faults)


def document(problem: Problem) -> bytes:
    """Return the body of a problem: RFC 9457's members, and `remedy` and `errors` where known."""
    status = HTTPStatus(problem.status_code)
    errors = [{"field": field, "detail": detail} for field, detail in problem.faults]
    members: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": problem.detail,
        "remedy": problem.remedy,
        "errors": errors,
    }
    return json.dumps({name: value for name, value in members.items() if value}).encode()


def answer(problem: Problem) -> Response:
    """Return the response of a problem."""
    return Response(
        document(problem), problem.status_code, headers=problem.headers, media_type=MEDIA_TYPE
    )


def register(app: FastAPI) -> None:
    """Have every error that leaves the app's routes answered as a problem."""
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(DispatcherError, _on_refusal)


async def _on_http(_: Request, error: Exception) -> Response:
    if isinstance(error, Problem):
        return answer(error)
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    headers = dict(error.headers) if error.headers else None
    return answer(Problem(HTTPStatus(error.status_code), error.detail, headers=headers))


async def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    # The values stay out: they may hold numbers and texts.
    faults = [(".".join(map(str, item["loc"][1:])), str(item["msg"])) for item in error.errors()]
    return answer(
        Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "the request is not what is expected here",
            remedy="mend the fields that `errors` names",
            faults=faults,
        )
    )


def of(error: DispatcherError) -> Problem:
    """Return the problem that an error of ours is."""
    known = (status for kind, status in _STATUS.items() if isinstance(error, kind))
    return Problem(next(known, HTTPStatus.BAD_REQUEST), mask_text(str(error)))


async def _on_refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, DispatcherError)  # noqa: S101 - what it is registered for
    return answer(of(error))
