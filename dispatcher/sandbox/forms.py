"""The bodies of the two POSTs, checked as the provider checks them (provider docs: voice pages)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit

from dispatcher.sandbox import e164, refusals

MOST_FIELDS = 100
_REQUIRED = "This field is required."
_BLANK = "This field may not be blank."
_CALLER = re.compile(r"\+?[0-9]{3,15}")
_LANGUAGE = re.compile(r"[a-z]{2}")
_RECORDING = re.compile(r"http://[A-Za-z0-9._-]+(:[0-9]{1,5})?/[A-Za-z0-9_/-]*(\.mp3)?")
_CONFERENCE_LANGUAGES = ("ja", "en")
_PLAYBACK_FIELDS = frozenset(
    {"caller", "recipient", "recording_url", "tts_message", "tts_lang", "callbackurl", "tags"}
)
_CONFERENCE_FIELDS = frozenset({"caller", "participants", "lang"})


@dataclass(frozen=True, slots=True)
class Playback:
    """One call that plays a recording, or speaks a text where `url` is empty."""

    caller: str
    recipient: str
    url: str
    tts_message: str
    tts_lang: str
    callbackurl: str
    tags: tuple[str, ...]
    params: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conference:
    """Two or three people called together."""

    caller: str
    participants: tuple[str, ...]
    lang: str
    params: dict[str, str] = field(default_factory=dict)


def fields(body: bytes) -> dict[str, str]:
    """Return a form's fields, the last of each name. Raises Refusal for what is no form."""
    try:
        pairs = parse_qsl(
            body.decode("utf-8"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise refusals.detail(400, "Malformed form: URL-encoded UTF-8 is expected.") from None
    return dict(pairs)


def playback(form: dict[str, str]) -> Playback:
    """Return the call asked for. Raises Refusal with every field that is wrong."""
    checks = _Checks(form)
    order = Playback(
        caller=checks.caller(),
        recipient=checks.recipient(),
        url=checks.recording(),
        tts_message=form.get("tts_message", ""),
        tts_lang=checks.spoken_language(),
        callbackurl=checks.callback(),
        tags=_tags(form.get("tags", "")),
        params=_others(form, _PLAYBACK_FIELDS),
    )
    checks.refuse_if_wrong()
    return order


def conference(form: dict[str, str]) -> Conference:
    """Return the conference asked for. Raises Refusal with every field that is wrong."""
    checks = _Checks(form)
    order = Conference(
        checks.caller(),
        checks.participants(),
        checks.guidance_language(),
        _others(form, _CONFERENCE_FIELDS),
    )
    checks.refuse_if_wrong()
    return order


def _others(form: dict[str, str], documented: frozenset[str]) -> dict[str, str]:
    """Return the fields that are not documented: the provider knows some, as for one country."""
    return {name: value for name, value in form.items() if name not in documented}


def _tags(text: str) -> tuple[str, ...]:
    return tuple(tag for part in text.split(",") if (tag := part.strip(" ")))


class _Checks:
    """Gathers what is wrong, so that one answer names every field."""

    def __init__(self, form: dict[str, str]) -> None:
        self._form = form
        self._errors: dict[str, list[str]] = {}

    def refuse_if_wrong(self) -> None:
        if self._errors:
            raise refusals.field_errors(self._errors)

    def required(self, name: str) -> str:
        value = self._form.get(name)
        if not value:
            self._wrong(name, _REQUIRED if value is None else _BLANK)
        return value or ""

    def caller(self) -> str:
        value = self.required("caller")
        if value and not _CALLER.fullmatch(value):
            self._wrong("caller", "Enter a valid phone number.")
        return value

    def recipient(self) -> str:
        number = self.required("recipient")
        if number:
            self._check_number("recipient", number)
        return number

    def participants(self) -> tuple[str, ...]:
        text = self.required("participants")
        numbers = tuple(part.strip() for part in text.split(","))
        if text and len(numbers) not in (2, 3):
            self._wrong("participants", "Enter 2 or 3 phone numbers, separated by commas.")
        elif text:
            for number in numbers:
                self._check_number("participants", number)
        return numbers

    def _check_number(self, name: str, number: str) -> None:
        if flaw := e164.flaw(number):
            self._wrong(name, flaw)

    def recording(self) -> str:
        url = self._form.get("recording_url", "")
        text = self._form.get("tts_message", "")
        if url and text:
            self._wrong("non_field_errors", "Give either recording_url or tts_message.")
        elif not url and not text:
            self._wrong("recording_url", _REQUIRED)
        elif url:
            self._check_recording(url)
        return url

    def _check_recording(self, url: str) -> None:
        if url.lower().startswith("https:"):
            self._wrong("recording_url", "https is not supported: enter an http URL.")
        elif not _RECORDING.fullmatch(url):
            self._wrong("recording_url", "Enter a valid URL of ASCII letters, digits, _, / and -.")

    def spoken_language(self) -> str:
        """ISO 639-1 by its shape; which languages can be spoken is not documented."""
        lang = self._form.get("tts_lang", "")
        if not self._form.get("tts_message"):
            return lang
        if not lang:
            self._wrong("tts_lang", _REQUIRED)
        elif not _LANGUAGE.fullmatch(lang):
            self._wrong("tts_lang", f'"{lang}" is not a valid choice.')
        return lang

    def guidance_language(self) -> str:
        lang = self._form.get("lang") or "ja"
        if lang not in _CONFERENCE_LANGUAGES:
            self._wrong("lang", f'"{lang}" is not a valid choice.')
        return lang

    def callback(self) -> str:
        url = self._form.get("callbackurl", "")
        if url and not is_web_address(url):
            self._wrong("callbackurl", "Enter a valid URL.")
        return url

    def _wrong(self, name: str, message: str) -> None:
        messages = self._errors.setdefault(name, [])
        if message not in messages:
            messages.append(message)


def is_web_address(url: str) -> bool:
    """Whether a URL is one that the provider may ask."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises where it is no port
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", url)
