"""The provider's answers, typed: strict where it matters, tolerant where its pages leave room.

An id and a status word must be there, since everything later hangs on them. A cost, a duration
or a time that cannot be read is None: it must not keep a finished call from being finished.
Fields the provider adds are kept in `model_extra`. Source: the provider's voice and account pages.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from dispatcher.provider.errors import UnexpectedShape

CALLID: Final = r"^[A-Za-z0-9_-][A-Za-z0-9._:=+~-]{0,127}$"
"""What can be a callid: undocumented, so anything that is safe in a path, a key and a log."""

_LONGEST_WORD = 100
_MOST_DIGITS = 15  # a thousand million millions of credits is a broken answer, not a balance


def amount(value: object) -> Decimal | None:
    """Return a finite number of sane size, or None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    with suppress(InvalidOperation, ValueError):
        text = str(value).strip()
        number = Decimal(text)
        if (
            number.is_finite()
            and abs(number.adjusted()) <= _MOST_DIGITS
            and len(text) <= _LONGEST_WORD
        ):
            return number
    return None


def _duration(value: object) -> float | None:
    number = amount(value)
    return None if number is None or number < 0 else float(number)


def _moment(value: object) -> datetime | None:
    """Read `YYYY-MM-DD HH:MM:SS`, which is UTC and has no zone."""
    with suppress(TypeError, ValueError, OverflowError):
        moment = datetime.fromisoformat(value.strip() if isinstance(value, str) else "")
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return None


def _tags(value: object) -> tuple[str, ...]:
    given: Iterable[object] = value.split(",") if isinstance(value, str) else ()
    if isinstance(value, list | tuple):
        given = value
    return tuple(tag for tag in (str(one).strip() for one in given) if tag)


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, list | dict) else str(value).strip()


def _url(value: object) -> str | None:
    return value.strip() if isinstance(value, str) else None


CallId = Annotated[str, StringConstraints(strict=True, pattern=CALLID)]
Word = Annotated[
    str,
    StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=_LONGEST_WORD),
]
Text = Annotated[str, BeforeValidator(_text)]
Amount = Annotated[Decimal | None, BeforeValidator(amount)]
Duration = Annotated[float | None, BeforeValidator(_duration)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Tags = Annotated[tuple[str, ...], BeforeValidator(_tags)]


class _Answer(BaseModel):
    """Keeps unknown fields, and shows none of them: they may hold telephone numbers."""

    model_config = ConfigDict(frozen=True, extra="allow")

    @classmethod
    def read(cls, data: object) -> Self:
        """Return the answer, or raise UnexpectedShape with the names of the fields at fault."""
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            faults = [_fault(item) for item in error.errors(include_input=False, include_url=False)]
        # Raised out here, so that the error with the whole answer in it is not its context.
        raise UnexpectedShape(f"not a documented {cls.__name__}: {'; '.join(faults)}")

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        hidden = self.model_extra or {}
        return [(name, value) for name, value in super().__repr_args__() if name not in hidden]


def _fault(item: Any) -> str:
    place = ".".join(str(part) for part in item["loc"])
    return f"{place}: {item['msg']}" if place else str(item["msg"])


class CallStatus(_Answer):
    """What became of a call; `status` is the provider's word, whatever it is."""

    callid: CallId
    status: Word
    recipient: Text = Field(default="", repr=False)
    caller: Text = Field(default="", repr=False)
    url: Text = ""
    tags: Tags = ()
    direction: Text = ""
    call_type: Text = ""
    start_time: Moment = None
    """Aware, UTC."""
    end_time: Moment = None
    """Aware, UTC."""
    duration: Duration = None
    """Seconds."""
    cost: Amount = None
    """Credits."""


class Participant(_Answer):
    """One leg of a conference that has been asked for."""

    callid: CallId
    participant: Text = Field(default="", repr=False)


class Conference(_Answer):
    """A conference that has been asked for."""

    conferenceid: CallId
    participants: tuple[Participant, ...]


class ConferenceStatus(_Answer):
    """What became of a conference; each participant is a call of its own."""

    conferenceid: CallId
    participants: tuple[CallStatus, ...]
    start_time: Moment = None
    end_time: Moment = None
    duration: Duration = None
    cost: Amount = None


class DialInNumber(_Answer):
    """A number that the account rents; `din` has no plus."""

    din: Annotated[str, StringConstraints(strict=True, pattern=r"^\+?[1-9][0-9]{4,14}$")]
    din_uid: CallId
    action_url: Annotated[str | None, BeforeValidator(_url)] = Field(default=None, repr=False)
    """None where it is not told: the pages do not say whether it is."""


class _Placed(_Answer):
    callid: CallId


def decode(body: bytes) -> Any:
    """Return the JSON of a body, or raise UnexpectedShape."""
    # RecursionError: a body of nothing but brackets.
    with suppress(ValueError, RecursionError):
        return json.loads(body)
    raise UnexpectedShape("not JSON" if body.strip() else "empty")


def parse_placed(data: object) -> str:
    """Return the callid of `[{"callid": "…"}]`, or raise UnexpectedShape."""
    if not isinstance(data, list) or len(data) != 1:
        raise UnexpectedShape("not a list of one call")
    return _Placed.read(data[0]).callid


def parse_dial_in_numbers(data: object) -> tuple[DialInNumber, ...]:
    """Return the numbers that the account rents, or raise UnexpectedShape."""
    if not isinstance(data, list):
        raise UnexpectedShape("not a list of numbers")
    return tuple(DialInNumber.read(each) for each in data)


def parse_balance(data: object) -> Decimal:
    """Return the credits of `{"credits": 1000.0}`, below zero as well, or raise UnexpectedShape."""
    balance = amount(data.get("credits")) if isinstance(data, dict) else None
    if balance is None:
        raise UnexpectedShape("no finite number of credits")
    return balance
