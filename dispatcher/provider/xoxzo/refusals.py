"""What an HTTP answer other than the hoped-for one means: a pure function of the answer.

Sources: the provider's errors page for 400, 401, 403, 404 and 429; what is not documented there is
decided by one question: can a call have been placed?
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, TypeVar

from dispatcher.provider.errors import (
    AnswerLost,
    BadCredentials,
    Forbidden,
    InvalidRequest,
    NeverReached,
    NotAllowed,
    NotEnoughCredits,
    ProviderError,
    ServerTrouble,
    Throttled,
    Unavailable,
    UnreadableAnswer,
    WrongAddress,
)
from dispatcher.provider.xoxzo.answers import amount
from dispatcher.provider.xoxzo.words import Words

LONGEST_WAIT = 3600.0  # seconds; a longer one is a mistake, and asking once an hour harms nobody

E = TypeVar("E", bound=ProviderError)

_COUNTRY = re.compile(r"country\b.{0,20}\bnot\b.{0,10}\ballowed", re.IGNORECASE)
_CREDITS = re.compile(r"not enough credit", re.IGNORECASE)
_REQUIRED = re.compile(r"required:?\s*([\d,]*\d(?:\.\d+)?)", re.IGNORECASE)
_AVAILABLE = re.compile(r"available in\s+(\d+(?:\.\d+)?)\s*s", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer; `body` is None where it was cut off."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None

    @property
    def done(self) -> bool:
        """Whether the provider says that it did what it was asked."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES


@dataclass(frozen=True, slots=True)
class Question:
    """What was asked: whether it places a call, what a 404 means, what no error may repeat.

    `private` is asked for what it is only when there is an error. `secret`: the answer holds
    secrets, so that nothing of one that cannot be read is repeated.
    """

    places: bool
    missing: type[ProviderError] = WrongAddress
    private: Callable[[], tuple[str, ...]] = field(default=tuple, repr=False)
    secret: bool = False


def refusal(reply: Reply, question: Question) -> ProviderError:
    """Return the error that a reply means which is not `done`."""
    words = Words.of(reply.body or b"", question.private())
    match reply.status // 100:
        case 4:
            return _client_error(reply, question, words)
        case 5 if question.places and reply.status != HTTPStatus.SERVICE_UNAVAILABLE:
            return explain(ServerTrouble, reply.status, words.detail)
        case 5:
            return explain(Unavailable, reply.status, words.detail)
        case _:  # a redirect as well: whoever redirects a POST may have acted on it
            return unreadable(reply, question, "not an answer the provider documents")


def lost(question: Question, why: str, status: int | None = None) -> ProviderError:
    """Return the error for an answer that never came, or came in part."""
    return explain(AnswerLost if question.places else Unavailable, status, why)


def unreadable(reply: Reply, question: Question, why: str) -> ProviderError:
    """Return the error for an answer that is not what the provider documents."""
    body = b"" if question.secret else reply.body or b""
    said = Words.of(body, question.private()).detail
    kind = UnreadableAnswer if question.places else Unavailable
    return explain(kind, reply.status, f"{why}: {said}" if said else why)


def explain(kind: type[E], status: int | None, detail: str, **more: Any) -> E:
    """Return an error whose message is its meaning and remedy, and what the provider said."""
    said = ", ".join(filter(None, [f"HTTP {status}" if status else "", detail]))
    message = f"{(kind.__doc__ or kind.__name__).splitlines()[0]} ({said})"
    return kind(message, status=status, detail=detail, **more)


def _client_error(reply: Reply, question: Question, words: Words) -> ProviderError:
    """No 4xx places a call: the request was refused before anything was done."""
    if reply.status == HTTPStatus.NOT_FOUND:
        return explain(question.missing, reply.status, words.detail)
    # 400 and 403 mean different things by their text: without it, nothing can be concluded.
    if reply.body is None and reply.status not in _SAY_IT_ALL:
        return explain(Unavailable, reply.status, "the reason was cut off")
    return _BY_STATUS.get(reply.status, _invalid)(reply, words)


def _plain(kind: type[ProviderError]) -> _Judge:
    return lambda reply, words: explain(kind, reply.status, words.detail)


def _invalid(reply: Reply, words: Words) -> ProviderError:
    """Also for 413, 414, 415, 422 and the like, which find fault with what this job sent."""
    if _COUNTRY.search(words.raw):
        return explain(NotAllowed, reply.status, words.detail)
    language = "tts_lang" in words.fields
    return explain(
        InvalidRequest, reply.status, words.detail, fields=words.fields, language=language
    )


def _forbidden(reply: Reply, words: Words) -> ProviderError:
    if _CREDITS.search(words.raw):
        return _too_poor(reply, words)
    kind = NotAllowed if _COUNTRY.search(words.raw) else Forbidden
    return explain(kind, reply.status, words.detail)


def _too_poor(reply: Reply, words: Words) -> ProviderError:
    found = _REQUIRED.search(words.raw)
    required = amount(found[1].replace(",", "")) if found else None
    return explain(NotEnoughCredits, reply.status, words.detail, required=required)


def _throttled(reply: Reply, words: Words) -> ProviderError:
    wait = retry_after(reply.headers, words.raw)
    return explain(Throttled, reply.status, words.detail, retry_after=wait)


def retry_after(
    headers: Mapping[str, str], text: str, clock: Callable[[], float] = time.time
) -> float | None:
    """Return the seconds to wait, by the header or the text: the longer, or None without either.

    The framework that words the text rounds the header down, to 0 for less than a second.
    """
    found = _AVAILABLE.search(text)
    waits = [
        _header_seconds(headers.get("Retry-After", ""), clock),
        float(found[1]) if found else None,
    ]
    known = [min(max(wait, 0.0), LONGEST_WAIT) for wait in waits if wait is not None]
    return max(known, default=None)


def _header_seconds(value: str, clock: Callable[[], float]) -> float | None:
    """Read `Retry-After`: seconds, or a date."""
    seconds = amount(value)
    if seconds is not None:
        return float(seconds)
    try:
        return parsedate_to_datetime(value).timestamp() - clock()
    except (ValueError, OverflowError):
        return None


_Judge = Callable[[Reply, Words], ProviderError]
_BY_STATUS: Mapping[int, _Judge] = {
    401: _plain(BadCredentials),
    402: _too_poor,  # undocumented here, but it means exactly this
    403: _forbidden,
    # Paths and methods are the same for every job: where they are wrong, they are so for all.
    405: _plain(WrongAddress),
    410: _plain(WrongAddress),
    407: _plain(NeverReached),  # the proxy's own answer
    408: _plain(Unavailable),  # the request did not arrive in time to be handled
    425: _plain(Unavailable),
    429: _throttled,
}
_SAY_IT_ALL = frozenset(_BY_STATUS) - {403}
