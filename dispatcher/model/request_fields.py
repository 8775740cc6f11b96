"""The fields of a request, each checked by itself: by our rules and by the provider's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from dispatcher.model import spoken_code
from dispatcher.model.request_limits import ANY_TIME, FURTHEST, idempotency_key
from dispatcher.model.states import Dnc
from dispatcher.model.tags import tag, tags
from dispatcher.provider import registry
from dispatcher.values import numbers
from dispatcher.values.calling_hours import CallingHours
from dispatcher.values.durations import moment, seconds
from dispatcher.values.meta import meta, require_texts
from dispatcher.values.national import read
from dispatcher.values.params import params
from dispatcher.values.regions import parse_region
from dispatcher.values.traceparent import traceparent
from dispatcher.values.webhook_url import webhook_url


def _text(value: str) -> str:
    if not value.strip():
        raise ValueError("the text is empty: give one")
    longest = registry.registration().capabilities.longest_text
    if len(value) > longest:
        raise ValueError(f"it has more than {longest} characters")
    return value


def _language(value: str) -> str:
    if value not in registry.registration().capabilities.languages:
        raise ValueError(f"{value!r} is not a language: give an ISO 639-1 code such as en or ja")
    return value


def _recording(value: str) -> str:
    return registry.registration().rules.recording(value)


def _params(value: dict[str, str]) -> dict[str, str]:
    return params(value, registry.registration().rules.own_fields)


def _meta(value: dict[str, str]) -> dict[str, str] | None:
    return meta(value) or None


def _count(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f"{value!r} is not a whole number")  # noqa: TRY004 # for pydantic
    return value


def _hours(value: str) -> str:
    return ANY_TIME if value == ANY_TIME else CallingHours.parse(value).text


def _obeyed(value: Dnc | None) -> Dnc | None:
    """Return what was asked for beyond what is usual: to say it makes no other request."""
    return None if value is Dnc.OBEY else value


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    length = seconds(value)
    if length > FURTHEST.total_seconds():
        raise ValueError(f"{value!r} is more than {FURTHEST.days} days")
    return length


def _moment(value: Any) -> datetime | timedelta | None:
    if value is None:
        return None
    found, now = moment(value), datetime.now(UTC)
    at = absolute(found, now)
    if at - now > FURTHEST:
        raise ValueError(f"{at:%Y-%m-%d} is more than {FURTHEST.days} days ahead")
    return found


def _deadline(value: Any) -> datetime | timedelta | None:
    found, now = _moment(value), datetime.now(UTC)
    if found is not None and absolute(found, now) <= now:
        raise ValueError("that moment has passed; give a later one")
    return found


def absolute(value: datetime | timedelta, now: datetime) -> datetime:
    """Return the moment that is meant; too far ahead, the last one that there is."""
    try:
        return now + value if isinstance(value, timedelta) else value
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _recipient(value: str, info: ValidationInfo) -> str:
    if "region" not in info.data:  # it is wrong itself: of the number nothing can be said
        return value
    return read(value, info.data["region"])


Region = Annotated[str, AfterValidator(parse_region)]
Recipient = Annotated[str, AfterValidator(_recipient)]
Text = Annotated[str, AfterValidator(_text)]
Recording = Annotated[str, AfterValidator(_recording)]
Language = Annotated[str, AfterValidator(_language)]
Caller = Annotated[str, AfterValidator(numbers.caller)]
Tags = Annotated[tuple[Annotated[str, AfterValidator(tag)], ...], AfterValidator(tags)]
Key = Annotated[str, AfterValidator(idempotency_key)]
Count = Annotated[int, BeforeValidator(_count)]
Duration = Annotated[float | None, BeforeValidator(_seconds)]
Moment = Annotated[datetime | timedelta | None, BeforeValidator(_moment)]
Deadline = Annotated[datetime | timedelta | None, BeforeValidator(_deadline)]
Hours = Annotated[str, AfterValidator(_hours)]
Webhook = Annotated[str, AfterValidator(webhook_url)]
Traceparent = Annotated[str, AfterValidator(traceparent)]
Params = Annotated[dict[str, str], AfterValidator(_params)]
Code = Annotated[str, BeforeValidator(spoken_code.checked)]
DncWish = Annotated[Dnc | None, AfterValidator(_obeyed)]
OwnFields = Annotated[dict[str, str], BeforeValidator(require_texts), AfterValidator(_meta)]
