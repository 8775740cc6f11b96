"""Errors as `application/problem+json` (RFC 9457): what is wrong, where, and what to do."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from dispatcher.alerts.acting import AlertEnded
from dispatcher.errors import DispatcherError
from dispatcher.model.alert import UnknownAlert
from dispatcher.model.api_key import NotLetIn
from dispatcher.model.bulk_action import BulkActionKind, TooMany, UnknownAction
from dispatcher.model.campaign import UnknownCampaign
from dispatcher.model.do_not_call import OtherKey
from dispatcher.model.filters import InvalidFilter
from dispatcher.model.invalid_job import DoNotCall, InvalidJob, NumberRefused
from dispatcher.model.on_call_check import InvalidOnCall, place
from dispatcher.model.plain_words import in_plain_words
from dispatcher.policy.rotas import InvalidSwap
from dispatcher.store.chains_files import FileInForce
from dispatcher.store.errors import StoreUnavailable, StoreUnsuitable
from dispatcher.store.on_call import OtherVersion, UnknownRota
from dispatcher.store.search import InvalidCursor
from dispatcher.store.values import KeyConflict, NoRoom, Refused, UnknownJob
from dispatcher.values.masking import mask_text

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
NAMED = 3
"""Faults that the sentence of a problem tells; `errors` has them all."""
AGAIN = "5"
"""Seconds after which it is worth asking again what could not be done for now."""
LATER = "30"
"""Seconds after which there may be room for more jobs."""
NUMBER_FIELDS = frozenset({"recipient", "participants", "caller", "number"})
"""Fields that hold telephone numbers: there a short one is masked as well."""
Fault = tuple[str, str]
"""A field of the request, and what is wrong with it."""

_KNOWN: dict[type[DispatcherError], tuple[HTTPStatus, str]] = {
    NotLetIn: (HTTPStatus.UNAUTHORIZED, ""),
    DoNotCall: (HTTPStatus.FORBIDDEN, "leave this person alone, or have the entry removed"),
    NumberRefused: (HTTPStatus.FORBIDDEN, "call another number, or have the setting changed"),
    InvalidJob: (HTTPStatus.UNPROCESSABLE_ENTITY, ""),
    InvalidFilter: (HTTPStatus.UNPROCESSABLE_ENTITY, ""),
    OtherKey: (HTTPStatus.UNPROCESSABLE_ENTITY, "send the number itself"),
    InvalidCursor: (HTTPStatus.UNPROCESSABLE_ENTITY, "start again without a cursor"),
    UnknownJob: (HTTPStatus.NOT_FOUND, "check the id"),
    UnknownAction: (HTTPStatus.NOT_FOUND, "preview again"),
    UnknownCampaign: (HTTPStatus.NOT_FOUND, "list them with GET /v1/campaigns"),
    UnknownAlert: (HTTPStatus.NOT_FOUND, "list them with GET /v1/alerts"),
    InvalidOnCall: (HTTPStatus.UNPROCESSABLE_ENTITY, ""),
    InvalidSwap: (HTTPStatus.UNPROCESSABLE_ENTITY, "correct `who`, `from` or `to`"),
    OtherVersion: (HTTPStatus.PRECONDITION_FAILED, "start from what GET /v1/chains answers now"),
    FileInForce: (HTTPStatus.CONFLICT, "change the file"),
    UnknownRota: (
        HTTPStatus.NOT_FOUND,
        "GET /v1/chains tells the rotas, and each of them its swaps",
    ),
    AlertEnded: (HTTPStatus.CONFLICT, "nothing is left to do"),
    TooMany: (HTTPStatus.UNPROCESSABLE_ENTITY, "narrow the filter, such as by time"),
    KeyConflict: (HTTPStatus.CONFLICT, "use a new key, or send the same request"),
    Refused: (HTTPStatus.CONFLICT, "read the job: its state does not allow this"),
    NoRoom: (HTTPStatus.TOO_MANY_REQUESTS, f"send it again in {LATER} s, when calls were made"),
    StoreUnavailable: (HTTPStatus.SERVICE_UNAVAILABLE, ""),
    StoreUnsuitable: (
        HTTPStatus.SERVICE_UNAVAILABLE,  # no fault of the request: it is good once Redis is
        "try again later; `voice-dispatcher doctor` says what to fix",
    ),
}
"""What an error is over HTTP, and the remedy where the status says too little."""
_HEADERS = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": LATER},
}
PLAIN = "about:blank"
"""The type of a problem of which its status says all."""
_TYPES: dict[type[DispatcherError], str] = {DoNotCall: "urn:voice-dispatcher:do-not-call"}
"""What programs tell problems by that have a status in common with others; for good."""
_REMEDIES = {
    HTTPStatus.UNAUTHORIZED: "send `Authorization: Bearer vd_…` with a valid key:"
    " `voice-dispatcher keys list` shows them, `voice-dispatcher keys create` creates one",
    HTTPStatus.NOT_FOUND: "check the address: /docs has every route",
    HTTPStatus.METHOD_NOT_ALLOWED: "use a method that the Allow header names",
    HTTPStatus.UNPROCESSABLE_ENTITY: "correct the fields that `errors` names",
    HTTPStatus.SERVICE_UNAVAILABLE: "try again in a moment",
    HTTPStatus.INTERNAL_SERVER_ERROR: "try again; if it fails again, the gateway's log says why",
}


class Problem(HTTPException):
    """An error on purpose; `faults` name the fields of the request that are to blame.

    Telephone numbers in it are masked, whoever makes it.
    """

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        remedy: str = "",
        faults: Iterable[Fault] = (),
        headers: dict[str, str] | None = None,
        type_: str = PLAIN,
    ) -> None:
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers = {"Retry-After": AGAIN, **(headers or {})}
        super().__init__(status, mask_text(detail), headers)
        self.remedy = mask_text(remedy) or _REMEDIES.get(status, "")
        self.type = type_
        self.faults = tuple(map(_hidden, faults))


def _hidden(fault: Fault) -> Fault:
    """Return a fault with what may be a telephone number masked: clients log what we answer."""
    field, why = fault
    return mask_text(field), mask_text(why, asked=field.partition(".")[0] in NUMBER_FIELDS)


def document(problem: Problem) -> bytes:
    """Return the body of a problem."""
    return json.dumps(members(problem)).encode()


def members(problem: Problem) -> dict[str, Any]:
    """Return a problem as JSON knows it: RFC 9457's members; `remedy` and `errors` where known."""
    status = HTTPStatus(problem.status_code)
    errors = [{"field": field, "detail": detail} for field, detail in problem.faults]
    found: dict[str, Any] = {
        "type": problem.type,
        "title": status.phrase,
        "status": int(status),
        "detail": problem.detail,
        "remedy": problem.remedy,
        "errors": errors,
    }
    return {name: value for name, value in found.items() if value}


def of(error: DispatcherError) -> Problem:
    """Return what an error of the dispatcher is to somebody who asked over HTTP."""
    known = (found for kind, found in _KNOWN.items() if isinstance(error, kind))
    status, remedy = next(known, (HTTPStatus.BAD_REQUEST, ""))
    faults = [_hidden(fault) for fault in _faults(error)]
    return Problem(
        status,
        in_words(faults) if faults else _public(error),
        remedy=remedy,
        faults=faults,
        headers=_HEADERS.get(status),
        type_=_TYPES.get(type(error), PLAIN),
    )


def _public(error: DispatcherError) -> str:
    """Return the words of an error; where Redis is, and what it said, is for our log alone."""
    if isinstance(error, StoreUnavailable):
        log.warning("answered 503: %s", error)
        return re.sub(r" \(.*?\)", "", str(error))
    if isinstance(error, StoreUnsuitable):
        log.warning("answered 503: %s", error)
        return "Redis refused an operation"
    return str(error)


def other_action(kind: BulkActionKind) -> Problem:
    """Return the problem of a preview that is to be started as another action than its own."""
    return Problem(
        HTTPStatus.CONFLICT,
        f"that is the preview of another action: {kind}",
        remedy=f"start it with POST /v1/{kind}",
    )


def in_words(faults: list[Fault]) -> str:
    """Return what is wrong in one sentence: many log that alone."""
    told = "; ".join(f"{field}: {why}" for field, why in faults[:NAMED])
    return told + (f"; and {len(faults) - NAMED} more" if len(faults) > NAMED else "")


def _faults(error: DispatcherError) -> list[Fault]:
    if isinstance(error, InvalidFilter):
        return [(error.field, error.problem)]
    if isinstance(error, OtherKey):
        return [("number", str(error))]
    if isinstance(error, InvalidCursor):
        return [("cursor", str(error))]
    if isinstance(error, InvalidOnCall):
        return [(place(path), why) for path, why in error.problems]
    return error.problems if isinstance(error, InvalidJob) else []


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


async def _on_http(request: Request, error: Exception) -> Response:
    if isinstance(error, Problem):
        return answer(error)
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    headers = dict(error.headers or {})
    if "Allow" in headers:  # of one route; the path may have others
        headers["Allow"] = _methods(request) or headers["Allow"]
    return answer(Problem(HTTPStatus(error.status_code), error.detail, headers=headers))


def _methods(request: Request) -> str:
    """Return the methods that the document has for a path; '' where it has none."""
    paths, path = request.app.openapi()["paths"], request.scope["path"]
    found = [paths[path]] if path in paths else [i for t, i in paths.items() if _fits(t, path)]
    return ", ".join(sorted({method.upper() for item in found for method in item}))


def _fits(template: str, path: str) -> bool:
    return re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) is not None


async def _on_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
    # The values stay out: they may hold numbers and texts.
    faults = [
        _hidden((".".join(map(str, item["loc"][1:])), in_plain_words(item, show=False)))
        for item in error.errors()
    ]
    return answer(Problem(HTTPStatus.UNPROCESSABLE_ENTITY, in_words(faults), faults=faults))


async def _on_refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, DispatcherError)  # noqa: S101 - what it is registered for
    return answer(of(error))
