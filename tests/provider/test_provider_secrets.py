"""No error shows the token, a whole telephone number, or the message."""

from __future__ import annotations

import base64
import json
import logging
import pickle
import traceback
from urllib.parse import urlsplit

import pytest

from dispatcher.provider import InvalidRequest, ProviderError
from dispatcher.provider.xoxzo.client import VoiceClient
from dispatcher.provider.xoxzo.session import Credentials
from dispatcher.provider.xoxzo.words import Words
from support.provider_wire import TOKEN, Answer, Wire, after, http, reset, stop

MESSAGE = "The reactor melts down"
NUMBER = "+818011234567"
CALLBACK = "https://d.example/callbacks/5ecret5ecret"
SECRETS = [
    TOKEN,
    base64.b64encode(f"sid:{TOKEN}".encode()).decode(),
    NUMBER,
    NUMBER[1:],
    MESSAGE,
    MESSAGE.replace(" ", "+"),
    CALLBACK,
    "5ecret5ecret",
]
ECHO = {
    "recipient": [f"{NUMBER} and 818011234567 are not numbers"],
    "tts_message": [f"'{MESSAGE}' is too long", f"as {TOKEN} said"],
    "callbackurl": [f"{CALLBACK} is no URL", f"cannot POST {urlsplit(CALLBACK).path}"],
    NUMBER: ["odd"],
}


ANSWERS: dict[str, Answer] = {
    "reset": reset,
    "closed": stop,
    "echoing 400": http(400, ECHO),
    "echoing 403": http(403, ECHO),
    "echoing 500 page": http(500, f"<p>{ECHO}</p>".encode()),
    "echoing 201": http(201, ECHO),
    "echoing 301": http(301, ECHO, headers={"Location": f"/?{NUMBER}"}),
    "bad headers": after(b"HTTP/1.1 500 No\r\nbad header\r\n\r\n" + NUMBER.encode()),
}


def failure(client: VoiceClient) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        client.say(
            caller="+818000000000",
            recipient=NUMBER,
            message=MESSAGE,
            lang="en",
            callback_url=CALLBACK,
        )
    return caught.value


def everything_shown(error: BaseException) -> str:
    shown = [str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error))]
    context = error.__context__
    return "\n".join(shown) + (everything_shown(context) if context else "")


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_no_error_shows_a_secret(ask, caplog, answer: Answer) -> None:
    caplog.set_level(logging.DEBUG)
    error = failure(ask(answer))
    shown = everything_shown(error) + caplog.text
    assert [secret for secret in SECRETS if secret in shown] == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://127.0.0.1:1"])
def test_no_error_of_an_unreached_provider_shows_a_secret(client_for, url: str) -> None:
    shown = everything_shown(failure(client_for(url)))
    assert [secret for secret in SECRETS if secret in shown] == []


def test_what_the_provider_repeats_stays_recognisable(ask) -> None:
    error = failure(ask(ANSWERS["echoing 400"]))
    assert isinstance(error, InvalidRequest)
    assert error.fields == {
        "recipient": ["+8180****4567 and 8180****4567 are not numbers"],
        "tts_message": ["'…' is too long", "as … said"],
        "callbackurl": ["… is no URL", "cannot POST …"],
        "+8180****4567": ["odd"],
    }


@pytest.mark.parametrize(
    ("quoted", "behind"),
    [
        (slice(0, 40), ""),
        (slice(30, None), ""),
        (slice(None), ""),
        (slice(None), " and more" * 500),
    ],
)
def test_what_is_repeated_in_part_shows_no_text_and_no_code(quoted: slice, behind: str) -> None:
    text = "A word for Ann only. Your code is: 2,,7,,6,,9,,8,,3. Again: 2,,7,,6,,9,,8,,3." + behind
    for body in (
        json.dumps({"tts_message": [f"'{text[quoted]}' has a wrong letter"]}),
        f"<h1>Wrong</h1><p>{text[quoted]}</p>",
    ):
        told = Words.of(body.encode(), [text])
        shown = f"{told.detail} {told.fields}"
        assert "word for Ann" not in shown
        assert "6,,9" not in shown
        assert "rong" in shown


def test_credentials_do_not_show_the_token() -> None:
    credentials = Credentials("sid", TOKEN)
    assert TOKEN not in repr(credentials) + str(credentials)
    assert pickle.loads(pickle.dumps(credentials)) == credentials


def test_an_error_keeps_no_hold_of_the_request(serve) -> None:
    server: Wire = serve(reset)
    with VoiceClient(Credentials("sid", TOKEN), host=server.url) as client:
        error = failure(client)
    assert error.__context__ is None
    assert error.__cause__ is None
