"""What a producer asks for, checked when it is enqueued: by our rules and by the provider's."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self, TypedDict

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dispatcher.model import spoken_code
from dispatcher.model.canonical import canonical_text
from dispatcher.model.invalid_job import InvalidJob
from dispatcher.model.kinds import Kind
from dispatcher.model.plain_words import in_plain_words
from dispatcher.model.request_fields import (
    Caller,
    Code,
    Count,
    Deadline,
    DncWish,
    Duration,
    Hours,
    Key,
    Language,
    Moment,
    OwnFields,
    Params,
    Recipient,
    Recording,
    Region,
    Tags,
    Text,
    Traceparent,
    Webhook,
    absolute,
)
from dispatcher.model.request_limits import (
    CODE_LIFETIME,
    DEFAULT_LANGUAGE,
    LONGEST_TEXT,
    MOST_ATTEMPTS,
    MOST_FIELDS,
)
from dispatcher.model.states import Dnc, OnUncertain, Priority
from dispatcher.provider import registry
from dispatcher.values.durations import DurationLike, MomentLike

_NO_CONTENT = {"key", "region", "traceparent"}


class JobRequest(BaseModel):
    """One notification, as asked for: a text or a recording for one recipient, or a conference.

    Moments are aware datetimes, or a timedelta that counts from acceptance by Redis' clock.
    What is None is decided by the dispatcher's settings when it matters. With a `region` (ISO 3166)
    numbers may be written as they are there; the request holds E.164, and is the same request.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=False, str_max_length=LONGEST_TEXT
    )

    region: Region | None = None  # the numbers need it first
    recipient: Recipient | None = None
    participants: tuple[Recipient, ...] = ()
    say: Text | None = None
    play: Recording | None = None
    lang: Language | None = None
    caller: Caller | None = None
    tags: Tags = ()
    key: Key | None = None
    priority: Priority = Priority.NORMAL
    at: Moment = None
    expires: Deadline = None
    max_attempts: Annotated[Count, Field(ge=1, le=MOST_ATTEMPTS)] | None = None
    redial: Annotated[Count, Field(ge=0, le=MOST_ATTEMPTS - 1)] | None = None
    redial_after: Duration = None
    on_uncertain: OnUncertain | None = None
    evidence_window: Duration = None
    call_deadline: Duration = None
    hours: Hours | None = None
    backoff_longest: Duration = None
    webhook: Webhook | None = None
    params: Params | None = Field(default=None, repr=False)
    code: Code | None = Field(default=None, repr=False)
    answered_after: Duration = None
    dnc: DncWish = None
    meta: OwnFields | None = Field(default=None, repr=False)
    traceparent: Traceparent | None = None

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
        return absolute(self.expires, now) <= absolute(self.at, now)

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
        canonical = canonical_text(self._content())
        return hashlib.blake2b(
            canonical.encode("utf-8", "surrogatepass"), digest_size=8
        ).hexdigest()

    def _content(self) -> dict[str, Any]:
        """Return what makes it the same request, as JSON has it."""
        if self.at is None and self.expires is None:  # JSON has no moments
            given = vars(self)
            content = {name: given[name] for name in _CONTENT if given[name] is not None}
        else:
            content = self.model_dump(mode="json", exclude=_NO_CONTENT, exclude_none=True)
        if self.say is not None or self.code is not None:
            content.setdefault("lang", DEFAULT_LANGUAGE)  # as releases did that filled it in here
        return content


_CONTENT = sorted(JobRequest.model_fields.keys() - _NO_CONTENT)
"""What makes a request the same, in the order in which its text has it."""


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
    traceparent: str | None
