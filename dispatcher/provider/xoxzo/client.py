"""The provider's HTTP API as Python calls, each of which sends one request, once."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from http.client import HTTPException
from types import MappingProxyType, TracebackType
from typing import Any, Final, Self, TypeVar
from urllib.parse import quote, urlsplit

from urllib3.exceptions import HTTPError

from dispatcher.provider.errors import (
    NotSent,
    ProviderError,
    UnexpectedShape,
    UnknownCall,
    WrongAddress,
)
from dispatcher.provider.http_answer import Answered
from dispatcher.provider.kept import Closed
from dispatcher.provider.xoxzo.answers import (
    CALLID,
    CallStatus,
    Conference,
    ConferenceStatus,
    DialInNumber,
    decode,
    parse_balance,
    parse_dial_in_numbers,
    parse_placed,
)
from dispatcher.provider.xoxzo.refusals import Question, Reply, explain, lost, refusal, unreadable
from dispatcher.provider.xoxzo.rules import OWN_FIELDS
from dispatcher.provider.xoxzo.session import Credentials, positive, route
from dispatcher.provider.xoxzo.settings import HOST
from dispatcher.values.forms import form_of

_PLAYBACKS = "/voice/simple/playbacks/"
_CONFERENCES = "/voice/simple/conferences/"
_DIAL_INS = "/voice/dins/subscriptions/"
_SHOWN = OWN_FIELDS - {"tts_message", "callbackurl"}
"""What errors may repeat. A callback's URL has the secret that proves it, and nobody knows what
further fields hold."""
NOTHING_MORE: Final[Mapping[str, str]] = MappingProxyType({})
Send = Callable[[], Answered]
T = TypeVar("T")


class VoiceClient:
    """One account at the provider; may be shared by as many threads as `pool_size`.

    `connect_timeout` (seconds) is for connecting to each address of the host, and for sending;
    `read_timeout` (seconds) is for the whole answer, however it trickles in. Proxies
    (`HTTPS_PROXY`, `NO_PROXY`, …) and `REQUESTS_CA_BUNDLE` or `CURL_CA_BUNDLE` are read once,
    here. Make it after a fork, not before.
    Every method raises ProviderError; the constructor raises Misconfigured.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        host: str = HOST,
        connect_timeout: float = 3.05,
        read_timeout: float = 30.0,
        pool_size: int = 10,
    ) -> None:
        positive(connect_timeout=connect_timeout, read_timeout=read_timeout, pool_size=pool_size)
        self._token = credentials.token
        self._host = host
        self._read_timeout = read_timeout
        self._route = route(host, credentials, (connect_timeout, read_timeout), pool_size)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._host!r})"

    def close(self) -> None:
        """Close the kept connections; nothing can be sent any more."""
        self._route.close()

    def play(
        self,
        *,
        caller: str,
        recipient: str,
        recording_url: str,
        tags: Sequence[str] = (),
        callback_url: str | None = None,
        params: Mapping[str, str] = NOTHING_MORE,
    ) -> str:
        """Call `recipient` and play a recording; return the callid.

        `params` are further form fields; the ones that are named here go before them.
        """
        fields = {"caller": caller, "recipient": recipient, "recording_url": recording_url}
        options = _options(tags, callback_url)
        return self._post(_PLAYBACKS, {**params, **fields, **options}, parse_placed)

    def say(
        self,
        *,
        caller: str,
        recipient: str,
        message: str,
        lang: str,
        tags: Sequence[str] = (),
        callback_url: str | None = None,
        params: Mapping[str, str] = NOTHING_MORE,
    ) -> str:
        """Call `recipient` and speak a message; return the callid. For `params` see `play`."""
        fields = {
            "caller": caller,
            "recipient": recipient,
            "tts_message": message,
            "tts_lang": lang,
        }
        options = _options(tags, callback_url)
        return self._post(_PLAYBACKS, {**params, **fields, **options}, parse_placed)

    def confer(
        self,
        *,
        caller: str,
        participants: Sequence[str],
        lang: str | None = None,
        params: Mapping[str, str] = NOTHING_MORE,
    ) -> Conference:
        """Call 2 or 3 participants and connect them. For `params` see `play`."""
        fields = {"caller": caller, "participants": ",".join(participants)}
        options = {"lang": lang} if lang else {}
        return self._post(_CONFERENCES, {**params, **fields, **options}, Conference.read)

    def call_status(self, callid: str) -> CallStatus:
        """Return what became of a call. Raises UnknownCall among others."""
        return self._get(f"/voice/calls/{_segment(callid)}/", CallStatus.read, UnknownCall)

    def conference_status(self, conferenceid: str) -> ConferenceStatus:
        """Return what became of a conference. Raises UnknownCall among others."""
        return self._get(
            f"{_CONFERENCES}{_segment(conferenceid)}/", ConferenceStatus.read, UnknownCall
        )

    def credits(self) -> Decimal:
        """Return the account's balance in credits; a post-paid account's may be below zero."""
        return self._get("/you/credits/", parse_balance)

    def dial_in_numbers(self) -> tuple[DialInNumber, ...]:
        """Return the numbers that the account rents."""
        question = Question(places=False, private=lambda: (self._token,), secret=True)
        send = partial(self._route.send, "GET", _DIAL_INS)
        return self._ask(question, send, parse_dial_in_numbers)

    def set_action_url(self, din_uid: str, url: str) -> None:
        """Have `url` asked when somebody calls a number. Its path is a secret, and in no error."""
        path, form = f"{_DIAL_INS}{_segment(din_uid)}/", form_of({"action_url": url})
        private = (self._token, url, urlsplit(url).path)
        question = Question(places=False, private=lambda: private)
        send = partial(self._route.send, "POST", path, form)
        self._ask(question, send, lambda _: None, decode=bytes)  # what it answers is not documented

    def _get(
        self, path: str, parse: Callable[[Any], T], missing: type[ProviderError] = WrongAddress
    ) -> T:
        question = Question(places=False, missing=missing, private=lambda: (self._token,))
        return self._ask(question, partial(self._route.send, "GET", path), parse)

    def _post(self, path: str, fields: dict[str, str], parse: Callable[[Any], T]) -> T:
        private = partial(_private, self._token, fields)
        question = Question(places=True, private=private)
        return self._ask(question, partial(self._route.send, "POST", path, form_of(fields)), parse)

    def _ask(
        self,
        question: Question,
        send: Send,
        parse: Callable[[Any], T],
        decode: Callable[[bytes], Any] = decode,
    ) -> T:
        reply = self._exchange(question, send)
        if not reply.done:
            raise refusal(reply, question)
        if reply.body is None:
            raise lost(question, "the answer was cut off", reply.status)
        try:
            return parse(decode(reply.body))
        except UnexpectedShape as error:
            raise unreadable(reply, question, str(error)) from None

    def _exchange(self, question: Question, send: Send) -> Reply:
        """Send once. Whatever fails here happened after connecting (see `transport`)."""
        try:
            answered = send()
            return Reply(answered.status, answered.headers, answered.body)
        except Closed:
            raise explain(NotSent, None, "the client is closed") from None
        except TimeoutError:
            why = f"no answer within {self._read_timeout:g} s"
        except (HTTPError, HTTPException, OSError):
            why = "the connection was cut before an answer"
        # Raised out here, so that the request with its numbers and its token is not its context.
        raise lost(question, why)


def _options(tags: Sequence[str], callback_url: str | None) -> dict[str, str]:
    options = {"tags": ",".join(tags), "callbackurl": callback_url or ""}
    return {name: value for name, value in options.items() if value}


def _segment(identifier: str) -> str:
    if not re.fullmatch(CALLID, identifier):
        raise explain(UnknownCall, None, "no id looks like this")
    return quote(identifier, safe="")


def _private(token: str, fields: Mapping[str, str]) -> tuple[str, ...]:
    """Return what no error may repeat of a request."""
    secret = urlsplit(fields.get("callbackurl", "")).path
    return (token, *(value for name, value in fields.items() if name not in _SHOWN), secret)
