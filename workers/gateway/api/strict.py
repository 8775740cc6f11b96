"""JSON and headers as they are meant, or not at all: what could be read in two ways is refused."""

from __future__ import annotations

import json
import math
import re
from http import HTTPStatus
from typing import Any, NoReturn

from starlette.requests import Request

from dispatcher.model.request_limits import LONGEST_KEY
from workers.gateway.problems import Problem

_JSON = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json(?:\s*;.*)?", re.IGNORECASE)
NDJSON = "application/x-ndjson"
_SURROGATE = re.compile("[\ud800-\udfff]")


class NotJson(ValueError):
    """The text is not JSON that can be read in one way only; the message says why."""


async def json_object(request: Request, *, optional: bool = False) -> dict[str, Any]:
    """Return the JSON object in the body; `optional`: {} where there is no body. Raises Problem."""
    body = await request.body()
    if optional and not body.strip():
        return {}
    content_type = only_header(request, "Content-Type") or ""
    if not _JSON.fullmatch(content_type.strip()):
        raise undeclared()
    try:
        return object_of(body)
    except NotJson as error:
        raise not_json(str(error)) from None


def undeclared() -> Problem:
    """Return the problem of a body whose media type is not JSON."""
    return Problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "the body is not declared as JSON",
        remedy="send JSON, with `Content-Type: application/json`",
    )


def undeclared_lines() -> Problem:
    """Return the problem of a body whose media type is not that of lines of JSON."""
    return Problem(
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
        "the body is not declared as lines of JSON",
        remedy=f"send a JSON object on each line, with `Content-Type: {NDJSON}`",
    )


def not_json(why: str) -> Problem:
    """Return the problem of a body that is not one JSON object."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        f"the body is not a JSON object: {why}",
        remedy="send one JSON object in UTF-8",
    )


def object_of(text: bytes) -> dict[str, Any]:
    """Return the JSON object in a text. Raises NotJson, with words that show none of it."""
    value = value_of(text)
    if not isinstance(value, dict):
        raise NotJson("it is another kind of value")
    return value


def value_of(text: bytes) -> Any:
    """Return the JSON value in a text. Raises NotJson, with words that show none of it."""
    try:
        value = _decoded(text.decode())
    except UnicodeDecodeError as error:
        raise NotJson(f"byte {error.start + 1} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise NotJson(f"{error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise NotJson("it is nested too deeply") from None
    except NotJson:
        raise
    except ValueError:  # an integer of thousands of digits
        raise NotJson("a number in it is too large") from None
    if b"\\u" in text and _SURROGATE.search(json.dumps(value, ensure_ascii=False)):
        raise NotJson("it has half a character (a lone surrogate)")
    return value


def _decoded(text: str) -> Any:
    if text[:1] == "\ufeff":  # whose error says that it is one
        return json.loads(text)
    return _DECODER.decode(text)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotJson("a name is given twice in one object")
    return found


def _refuse(word: str) -> NoReturn:
    raise NotJson(f"{word} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotJson("a number in it is too large")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_refuse, parse_float=_finite)
"""Made once: json.loads makes one for each text that is read in another way than usual."""


def only_header(request: Request, name: str) -> str | None:
    """Return a header's value, None where it is not there. Raises Problem where it comes twice."""
    values = request.headers.getlist(name)
    if len(values) > 1:
        raise given_twice(name, len(values))
    return values[0] if values else None


def given_twice(header: str, times: int) -> Problem:
    """Return the problem of a header that may be given once."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        f"the header {header} is given {times} times",
        remedy="send it once",
        faults=[(header, "give it at most once")],
    )


def idempotency_key(request: Request) -> str | None:
    """Return what the header Idempotency-Key says, bare or in double quotes. Raises Problem."""
    value = only_header(request, "Idempotency-Key")
    if value is None:
        return None
    quoted = re.fullmatch(r'"(.*)"', value.strip())
    key = quoted[1] if quoted else value.strip()
    if not 0 < len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            "the header Idempotency-Key holds no key",
            remedy="send printable ASCII characters, or put the key into the body as `key`",
            faults=[
                ("Idempotency-Key", f"it must be 1 to {LONGEST_KEY} printable ASCII characters")
            ],
        )
    return key
