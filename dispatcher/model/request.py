"""What a producer asks for, checked when it is enqueued: by our rules and by the provider's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Self, TypedDict

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from dispatcher.errors import UsageError
from dispatcher.model import spoken_code
from dispatcher.model.plain_words import in_plain_words
from dispatcher.model.states import Dnc, OnUncertain, Priority
from dispatcher.provider import registry
from dispatcher.values import numbers
from dispatcher.values.calling_hours import CallingHours
from dispatcher.values.durations import DurationLike, MomentLike, moment, seconds
from dispatcher.values.meta import meta, require_texts
from dispatcher.values.national import read
from dispatcher.values.params import params
from dispatcher.values.regions import parse_region
from dispatcher.values.webhook_url import webhook_url

DEFAULT_LANGUAGE = "en"
"""Of a text, where neither its request nor the settings name one."""
LONGEST_TEXT = 4000  # about five minutes of speech; longer is a mistake in a template
LONGEST_TAG = 100
MOST_TAGS = 20
CAMPAIGN = "campaign:"
"""What the tag of a campaign begins with."""
LONGEST_KEY = 255
MOST_ATTEMPTS = 50
MOST_FIELDS = 200
"""Of a request; more are read by nobody, and each would be a problem of its own."""
MOST_PROBLEMS, LONGEST_NAME, LONGEST_MESSAGE = 20, 100, 500
_OF_NUMBERS = "0123456789+-./() "
ANY_TIME = "any"
"""Calling hours that are always open, whatever the account's are."""
CODE_LIFETIME = timedelta(minutes=10)
"""How long after it is due a code may be called out, where its producer says nothing."""
FURTHEST = timedelta(days=366)
"""How far ahead a job may be asked for; longer waits belong in the producer's calendar."""


class Kind(StrEnum):
    """What the provider is asked to do."""

    PLAYBACK = "playback"
    TTS = "tts"
    CONFERENCE = "conference"


class InvalidJob(UsageError, ValueError):
    """The request cannot become a job; nothing was written.

    `problems` is a list of `(field, message)`, one for each thing to mend. What is said is bounded,
    whatever was asked for: it is logged, shown, and kept as a task's result.
    """

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        self.problems = [
            (cut(field, LONGEST_NAME), cut(message, LONGEST_MESSAGE))
            for field, message in problems[:MOST_PROBLEMS]
        ]
        if (more := len(problems) - MOST_PROBLEMS) > 0:
            self.problems.append(("request", f"{more} more things are wrong"))
        super().__init__("; ".join(f"{field}: {message}" for field, message in self.problems))


def cut(text: str, most: int) -> str:
    """Return a text of about so many characters at most: its beginning and its end. No part of a
    number is left where it was cut, which could not be told from a whole one and masked.
    """
    if len(text) <= most:
        return text
    return f"{text[: most // 2].rstrip(_OF_NUMBERS)}…{text[-most // 2 :].lstrip(_OF_NUMBERS)}"


class LanguageRefused(InvalidJob):
    """The provider has refused this language before; nothing was written."""


class NumberRefused(InvalidJob):
    """The account does not call this country, numbers of this type or, as DoNotCall says, this very
    number; nothing was written.
    """


class DoNotCall(NumberRefused):
    """The number is on the do-not-call list; nothing was written."""


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


def _tags(values: tuple[str, ...]) -> tuple[str, ...]:
    different = tuple(dict.fromkeys(values))
    if len(different) > MOST_TAGS:
        raise ValueError(f"{len(different)} tags are too many: at most {MOST_TAGS}")
    campaigns = [each for each in different if each.startswith(CAMPAIGN)]
    if len(campaigns) > 1:
        raise ValueError(
            f"{campaigns[0]!r} and {campaigns[1]!r}: a job belongs to one campaign; give the other"
            " a tag that does not begin with campaign:"
        )
    return different


def tag(text: str) -> str:
    """Return a tag without the blanks around it, or raise ValueError that says what is wrong."""
    value = text.strip()
    if not value:
        raise ValueError("a tag is empty: leave it out")
    if value == CAMPAIGN:
        raise ValueError("the campaign has no name: write campaign:NAME")
    registry.registration().rules.tag(value)
    if len(value) > LONGEST_TAG or not value.isprintable():
        raise ValueError(f"tag {value[:30]!r}… is not 1 to {LONGEST_TAG} printable characters")
    return value


def idempotency_key(value: str) -> str:
    """Return a key, or raise ValueError that says what is wrong."""
    if not value.strip() or len(value) > LONGEST_KEY or not value.isprintable():
        raise ValueError(f"a key has 1 to {LONGEST_KEY} printable characters")
    return value


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
    at = _absolute(found, now)
    if at - now > FURTHEST:
        raise ValueError(f"{at:%Y-%m-%d} is more than {FURTHEST.days} days ahead")
    return found


def _deadline(value: Any) -> datetime | timedelta | None:
    found, now = _moment(value), datetime.now(UTC)
    if found is not None and _absolute(found, now) <= now:
        raise ValueError("that moment has passed; give a later one")
    return found


def _absolute(value: datetime | timedelta, now: datetime) -> datetime:
    try:
        return now + value if isinstance(value, timedelta) else value
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _recipient(value: str, info: ValidationInfo) -> str:
    if "region" not in info.data:  # it is wrong itself: of the number nothing can be said
        return value
    return read(value, info.data["region"])


Recipient = Annotated[str, AfterValidator(_recipient)]
Count = Annotated[int, BeforeValidator(_count)]
Tag = Annotated[str, AfterValidator(tag)]
Duration = Annotated[float | None, BeforeValidator(_seconds)]
Moment = Annotated[datetime | timedelta | None, BeforeValidator(_moment)]
OwnFields = Annotated[dict[str, str], BeforeValidator(require_texts), AfterValidator(_meta)]
Deadline = Annotated[datetime | timedelta | None, BeforeValidator(_deadline)]


class JobRequest(BaseModel):
    """One notification, as asked for: a text or a recording for one recipient, or a conference.

    Moments are aware datetimes, or a timedelta that counts from acceptance by Redis' clock.
    What is None is decided by the dispatcher's settings when it matters. With a `region` (ISO 3166)
    numbers may be written as they are there; the request holds E.164, and is the same request.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=False, str_max_length=LONGEST_TEXT
    )

    region: Annotated[str, AfterValidator(parse_region)] | None = None  # the numbers need it first
    recipient: Recipient | None = None
    participants: tuple[Recipient, ...] = ()
    say: Annotated[str, AfterValidator(_text)] | None = None
    play: Annotated[str, AfterValidator(_recording)] | None = None
    lang: Annotated[str, AfterValidator(_language)] | None = None
    caller: Annotated[str, AfterValidator(numbers.caller)] | None = None
    tags: Annotated[tuple[Tag, ...], AfterValidator(_tags)] = ()
    key: Annotated[str, AfterValidator(idempotency_key)] | None = None
    priority: Priority = Priority.NORMAL
    at: Moment = None
    expires: Deadline = None
    max_attempts: Annotated[Count, Field(ge=1, le=MOST_ATTEMPTS)] | None = None
    redial: Annotated[Count, Field(ge=0, le=MOST_ATTEMPTS - 1)] | None = None
    redial_after: Duration = None
    on_uncertain: OnUncertain | None = None
    evidence_window: Duration = None
    call_deadline: Duration = None
    hours: Annotated[str, AfterValidator(_hours)] | None = None
    backoff_longest: Duration = None
    webhook: Annotated[str, AfterValidator(webhook_url)] | None = None
    params: Annotated[dict[str, str], AfterValidator(_params)] | None = Field(
        default=None, repr=False
    )
    code: Annotated[str, BeforeValidator(spoken_code.checked)] | None = Field(
        default=None, repr=False
    )
    answered_after: Duration = None
    dnc: Annotated[Dnc | None, AfterValidator(_obeyed)] = None
    meta: OwnFields | None = Field(default=None, repr=False)

    @classmethod
    def of(cls, fields: dict[str, Any]) -> Self:
        """Return the request, or raise InvalidJob with its problems in plain words."""
        if _has_too_many(fields):
            raise InvalidJob([("request", f"it has more than {MOST_FIELDS} fields")])
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            found = [each for item in error.errors() for each in _problems(item)]
            raise InvalidJob(found) from None

    @property
    def kind(self) -> Kind:
        """Which of the provider's services this needs."""
        if self.participants:
            return Kind.CONFERENCE
        return Kind.PLAYBACK if self.play else Kind.TTS

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, fields: Any) -> Any:
        """Have codes be urgent unless told: somebody waits for them."""
        code = isinstance(fields, dict) and fields.get("code") is not None
        return {"priority": Priority.URGENT, **fields} if code else fields

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if faults := list(self._faults()):
            raise InvalidJob(faults)
        return self

    def _faults(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with fields that are right each by itself."""
        conference = self.participants or self.recipient is None
        yield from self._conference_faults() if conference else self._call_faults()
        if self._expires_first():
            yield "expires", "it is before the time to call (at); give a later one"
        if self.redial and self.max_attempts is not None and self.redial + 1 > self.max_attempts:
            needed = f"{self.redial} redials need max_attempts of at least {self.redial + 1}"
            yield "redial", f"{needed}, not {self.max_attempts}"

    def _expires_first(self) -> bool:
        if self.at is None or self.expires is None:
            return False
        now = datetime.now(UTC)
        return _absolute(self.expires, now) <= _absolute(self.at, now)

    def _call_faults(self) -> Iterator[tuple[str, str]]:
        spoken = self.say is not None or self.code is not None
        if spoken == (self.play is not None):
            yield "request", "give either a text to say or a recording to play"
        elif self.play is not None and self.lang is not None:
            yield "lang", "a recording has no language; leave it out"
        if self.code is not None:
            yield from self._code_faults(self.code)

    def _code_faults(self, code: str) -> Iterator[tuple[str, str]]:
        lang = self.lang or ""
        if self.say is None and lang and lang not in spoken_code.PHRASES:
            known = ", ".join(spoken_code.PHRASES)
            yield "code", f"no greeting in {lang!r} is known ({known}): give your own as say"
        longest = registry.registration().capabilities.longest_text
        if len(spoken_code.spoken(code, lang, self.say)) > longest:
            yield "say", f"with the code it has more than {longest} characters"

    def _conference_faults(self) -> Iterator[tuple[str, str]]:
        if not self.participants:
            yield "recipient", "it is missing; give a number in E.164"
            return
        can = registry.registration().capabilities
        others = (self.recipient, self.say, self.play, self.code, self.answered_after)
        if any(each is not None for each in others):
            yield (
                "request",
                "a conference has only participants: leave out all that is for one recipient",
            )
        elif self.lang is not None and self.lang not in can.conference_languages:
            known = " or ".join(sorted(can.conference_languages))
            yield "lang", f"{self.lang!r} is not a conference's language: {known}"
        if len(self.participants) not in can.participants:
            most = " or ".join(map(str, can.participants))
            yield "participants", f"a conference has {most}, not {len(self.participants)}"
        elif len(set(self.participants)) != len(self.participants):
            yield "participants", "they must be different numbers"

    @property
    def called(self) -> tuple[str, ...]:
        """Who is called."""
        return self.participants or ((self.recipient,) if self.recipient else ())

    @property
    def deadline(self) -> datetime | timedelta | None:
        """After what it is not dialled any more: what was asked for, or a code's lifetime."""
        if self.code is None or self.expires is not None:
            return self.expires
        if isinstance(self.at, timedelta):
            return self.at + CODE_LIFETIME
        late = self.at is not None and self.at > datetime.now(UTC)
        return self.at + CODE_LIFETIME if late and self.at else CODE_LIFETIME

    def fingerprint(self) -> str:
        """Return 16 hex digits that are equal for equal requests, whatever their key."""
        content = self.model_dump(mode="json", exclude={"key", "region"}, exclude_none=True)
        if self.say is not None or self.code is not None:
            content.setdefault("lang", DEFAULT_LANGUAGE)  # as releases did that filled it in here
        canonical = json.dumps(content, sort_keys=True, ensure_ascii=False)
        return hashlib.blake2b(
            canonical.encode("utf-8", "surrogatepass"), digest_size=8
        ).hexdigest()


def _has_too_many(fields: object) -> bool:
    return isinstance(fields, Mapping) and len(fields) > MOST_FIELDS


def _problems(item: Any) -> list[tuple[str, str]]:
    """Return what one of pydantic's errors says: of a field, or of all together."""
    error = item.get("ctx", {}).get("error")
    if isinstance(error, InvalidJob):
        return error.problems
    return [(str(item["loc"][0]) if item["loc"] else "request", in_plain_words(item))]


class JobOptions(TypedDict, total=False):
    """What any request may carry besides its recipient; JobRequest says what each means."""

    lang: str | None
    region: str | None
    caller: str | None
    tags: Sequence[str]
    key: str | None
    priority: Priority | str
    at: MomentLike | None
    expires: MomentLike | None
    max_attempts: int | None
    redial: int | None
    redial_after: DurationLike | None
    on_uncertain: OnUncertain | str | None
    evidence_window: DurationLike | None
    call_deadline: DurationLike | None
    hours: str | None
    backoff_longest: DurationLike | None
    webhook: str | None
    params: Mapping[str, str] | None
    code: str | None
    answered_after: DurationLike | None
    dnc: Dnc | str | None
    meta: Mapping[str, str] | None
