"""A request as it is sent to be enqueued: what it adds to a record, and when, in one text.

This is done for every call that comes in: so nothing is written down first that is then left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json

from dispatcher.store.codec import moment
from dispatcher.store.schema import DEFAULT_PRIORITY, Field
from dispatcher.store.values import Packed, job_id
from dispatcher.values.meta import as_json
from dispatcher.values.number_types import number_types
from dispatcher.values.tariffs import tariff

if TYPE_CHECKING:
    from dispatcher.model.request import JobRequest

Fields = dict[str, str]
"""A record's fields as they are written; what there is no value of is left out."""


def request_fields(request: JobRequest, price: str | None = None) -> Fields:
    """Return what a request adds to its job's record.

    `price` is its tariff, where that is worked out already.
    """
    asked, numbers = vars(request), request.called
    fields = {
        _TO: ",".join([number.removeprefix("+") for number in numbers]),
        _TARIFF: price or tariff(request),
    }
    if types := number_types(numbers):
        fields[_NUMBER_TYPES] = ",".join(types)
    if request.tags:
        fields[_TAGS] = ",".join(request.tags)
    for name in request.model_fields_set:
        if name in _WISHES and (value := asked[name]) is not None and value != {}:
            field, as_text = _WISHES[name]
            fields[field] = as_text(value)
    return fields


def packed(request: JobRequest, scope: str = "", message: str = "", id_: str = "") -> Packed:
    """Return a request as it is sent to be enqueued; its key is looked for within the scope.

    `message` is the id of the message that it came in, where a broker may give that out again;
    `id_` is the job's, where its key does not name it.
    """
    id_ = id_ or job_id(request.key, scope)
    fingerprint, price = request.fingerprint(), tariff(request)
    fields = {_FINGERPRINT: fingerprint, **request_fields(request, price)}
    row: dict[str, Any] = {"id": id_, "fields": fields}
    if request.priority != DEFAULT_PRIORITY:
        row["priority"] = str(request.priority)
    if due := moment(request.at):
        row["due"] = due
    if expires := moment(request.deadline):
        row["expires"] = expires
    if message:
        row["message"] = job_id(f"message:{message}")  # short, whatever it is
    return Packed(id_, fingerprint, price, to_json(row).decode())


def _milliseconds(value: float) -> str:
    return str(round(value * 1000))


def _params(value: dict[str, str]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


_TO, _TARIFF, _TAGS = Field.TO.value, Field.TARIFF.value, Field.TAGS.value
_NUMBER_TYPES, _FINGERPRINT = Field.NUMBER_TYPES.value, Field.FINGERPRINT.value
_AS_TEXT: dict[Field, Callable[[Any], str]] = {
    Field.SAY: str,
    Field.PLAY: str,
    Field.LANGUAGE: str,
    Field.CALLER: str,
    Field.KEY: str,
    Field.MAX_ATTEMPTS: str,
    Field.REDIAL: str,
    Field.REDIAL_AFTER: _milliseconds,
    Field.ON_UNCERTAIN: str,
    Field.EVIDENCE_WINDOW: _milliseconds,
    Field.CALL_DEADLINE: _milliseconds,
    Field.HOURS: str,
    Field.BACKOFF_LONGEST: _milliseconds,
    Field.WEBHOOK: str,
    Field.PARAMS: _params,
    Field.CODE: str,
    Field.ANSWERED_AFTER: _milliseconds,
    Field.DNC: str,
    Field.META: as_json,
    Field.TRACEPARENT: str,
}
"""What a request may have or not."""
_NAMES = {Field.LANGUAGE: "lang"}
"""What a request calls a field, where not as Field does."""
_WISHES = {
    _NAMES.get(field, field.name.lower()): (field.value, as_text)
    for field, as_text in _AS_TEXT.items()
}
"""What a request calls them -> the field, and how it is written."""
