"""The rows of the error table that are HTTP answers."""

from __future__ import annotations

import copy
import pickle
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime

import pytest

from dispatcher.errors import DispatcherError
from dispatcher.provider import (
    AccountStopped,
    BadCredentials,
    Forbidden,
    InvalidRequest,
    MaybePlaced,
    NeverWillBe,
    NotAllowed,
    NotEnoughCredits,
    NotPlaced,
    ProviderError,
    ServerTrouble,
    Throttled,
    TryAgain,
    Unavailable,
    UnknownCall,
    UnreadableAnswer,
    WrongAddress,
    errors,
)
from dispatcher.provider.xoxzo.client import VoiceClient
from dispatcher.provider.xoxzo.refusals import LONGEST_WAIT, Question, Reply, refusal, retry_after
from support.provider_wire import after, http

SAY = {
    "caller": "+818000000000",
    "recipient": "+818011234567",
    "message": "Disk full",
    "lang": "en",
}
PAGE = b"<html><head><title>Bad Gateway</title></head><body><h1>502</h1>nginx</body></html>"
COUNTRY = "Country not allowed"
POOR = {"non_field_errors": ["Not enough credits, required: 20"]}


def post(client: VoiceClient) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        client.say(**SAY)
    return caught.value


@pytest.mark.parametrize(
    ("status", "body", "kind", "branch"),
    [
        (400, {"recipient": ["Invalid number"]}, InvalidRequest, NeverWillBe),
        (400, {"detail": COUNTRY}, NotAllowed, NeverWillBe),
        (400, {"recipient": [COUNTRY]}, NotAllowed, NeverWillBe),
        (400, ["what?"], InvalidRequest, NeverWillBe),
        (400, PAGE, InvalidRequest, NeverWillBe),
        (400, b"", InvalidRequest, NeverWillBe),
        (401, {"detail": "Invalid sid/token"}, BadCredentials, AccountStopped),
        (401, PAGE, BadCredentials, AccountStopped),
        (401, b"", BadCredentials, AccountStopped),
        (402, b"", NotEnoughCredits, AccountStopped),
        (403, POOR, NotEnoughCredits, AccountStopped),
        (403, {"detail": "Not enough credits"}, NotEnoughCredits, AccountStopped),
        (403, {"non_field_errors": [COUNTRY]}, NotAllowed, NeverWillBe),
        (403, COUNTRY, NotAllowed, NeverWillBe),
        (403, COUNTRY.encode(), NotAllowed, NeverWillBe),
        (403, {"detail": "IP address not on the allow list"}, Forbidden, AccountStopped),
        (403, PAGE, Forbidden, AccountStopped),
        (403, b"", Forbidden, AccountStopped),
        (404, PAGE, WrongAddress, AccountStopped),
        (405, {"detail": "Method not allowed"}, WrongAddress, AccountStopped),
        (410, b"", WrongAddress, AccountStopped),
        (408, b"", Unavailable, TryAgain),
        (425, b"", Unavailable, TryAgain),
        (413, PAGE, InvalidRequest, NeverWillBe),
        (415, {"detail": "Unsupported media type"}, InvalidRequest, NeverWillBe),
        (422, {"tts_lang": ["unknown"]}, InvalidRequest, NeverWillBe),
        (429, {"detail": "Request was throttled."}, Throttled, TryAgain),
        (429, PAGE, Throttled, TryAgain),
        (503, PAGE, Unavailable, TryAgain),
        (503, b"", Unavailable, TryAgain),
        (500, {"detail": "Server error"}, ServerTrouble, MaybePlaced),
        (500, PAGE, ServerTrouble, MaybePlaced),
        (502, PAGE, ServerTrouble, MaybePlaced),
        (504, PAGE, ServerTrouble, MaybePlaced),
        (504, b"", ServerTrouble, MaybePlaced),
        (520, b"", ServerTrouble, MaybePlaced),
    ],
)
def test_what_a_post_is_answered_says_what_to_do(ask, status, body, kind, branch) -> None:
    error = post(ask(http(status, body)))
    assert type(error) is kind
    assert isinstance(error, branch)
    assert isinstance(error, NotPlaced) != isinstance(error, MaybePlaced)
    assert error.status == status
    assert f"HTTP {status}" in str(error)


@pytest.mark.parametrize(
    ("body", "language"),
    [
        ({"tts_lang": ["no"]}, True),
        ({"recipient": ["no"]}, False),
        ({"lang": ["no"]}, False),
        (b"", False),
    ],
)
def test_a_refused_language_is_told_from_other_faults(ask, body, language: bool) -> None:
    error = post(ask(http(400, body)))
    assert isinstance(error, InvalidRequest)
    assert error.language is language


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequest),
        (401, BadCredentials),
        (403, Forbidden),
        (429, Throttled),
        (500, Unavailable),
        (502, Unavailable),
        (503, Unavailable),
        (504, Unavailable),
    ],
)
def test_what_a_question_is_answered_never_means_a_call(ask, status: int, kind) -> None:
    client = ask(http(status, PAGE))
    for question in (client.credits, lambda: client.call_status("a")):
        with pytest.raises(kind):
            question()


@pytest.mark.parametrize("body", [b"", PAGE, {"detail": "Not found."}])
def test_an_unknown_id_is_told_from_a_wrong_address(ask, body) -> None:
    client = ask(http(404, body))
    with pytest.raises(UnknownCall):
        client.call_status("a")
    with pytest.raises(UnknownCall):
        client.conference_status("a")
    with pytest.raises(WrongAddress):
        client.credits()


@pytest.mark.parametrize("body", [b"", b"nope", {"credits": "NaN"}, {"callid": "a"}, []])
def test_an_unreadable_answer_to_a_question_can_be_asked_for_again(ask, body) -> None:
    client = ask(http(200, body))
    for question in (
        client.credits,
        lambda: client.call_status("a"),
        lambda: client.conference_status("a"),
    ):
        with pytest.raises(Unavailable):
            question()


def test_an_unreadable_conference_may_have_been_placed(ask) -> None:
    with pytest.raises(UnreadableAnswer):
        ask(http(201, {"conferenceid": ""})).confer(caller="8145", participants=["a", "b"])


def test_invalid_parameters_are_named(ask) -> None:
    body = {"recipient": ["Invalid", "Too long"], "caller": "Missing", "tags": [{"0": ["Odd"]}]}
    error = post(ask(http(400, body)))
    assert isinstance(error, InvalidRequest)
    assert error.fields == {
        "recipient": ["Invalid", "Too long"],
        "caller": ["Missing"],
        "tags": ["0: Odd"],
    }
    assert error.detail == "recipient: Invalid, Too long; caller: Missing; tags: 0: Odd"
    assert error.detail in str(error)


@pytest.mark.parametrize(
    ("text", "required"),
    [
        ("Not enough credits, required: 20", Decimal(20)),
        ("Not enough credits, required: 20.5", Decimal("20.5")),
        ("not enough credits. Required 1,020", Decimal(1020)),
        ("Not enough credits", None),
        ("Not enough credits, required: some", None),
    ],
)
def test_the_credits_that_a_call_needs_are_read(ask, text: str, required: Decimal | None) -> None:
    error = post(ask(http(403, {"non_field_errors": [text]})))
    assert isinstance(error, NotEnoughCredits)
    assert error.required == required


NOW = datetime(2030, 1, 31, 9, tzinfo=UTC)
DRF = "Request was throttled. Expected available in {}."


@pytest.mark.parametrize(
    ("header", "text", "wait"),
    [
        (None, DRF.format("1 second"), 1.0),
        (None, DRF.format("2.5 seconds"), 2.5),
        (None, "Slow down", None),
        ("7", "Slow down", 7.0),
        ("0", DRF.format("1 second"), 1.0),
        ("3", DRF.format("1 second"), 3.0),
        ("0.5", "", 0.5),
        ("-5", "", 0.0),
        ("soon", "", None),
        ("nan", "", None),
        ("", "", None),
        (format_datetime(NOW.replace(minute=1), usegmt=True), "", 60.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "", 0.0),
        ("999999999", "", LONGEST_WAIT),
        (None, DRF.format("86400 seconds"), LONGEST_WAIT),
    ],
)
def test_the_wait_is_read_from_header_and_text(header, text: str, wait: float | None) -> None:
    headers = {} if header is None else {"Retry-After": header}
    assert retry_after(headers, text, NOW.timestamp) == wait


@pytest.mark.parametrize("name", ["Retry-After", "retry-after"])
def test_a_throttled_request_says_how_long_to_wait(ask, name: str) -> None:
    error = post(ask(http(429, {"detail": DRF.format("1 second")}, headers={name: "4"})))
    assert isinstance(error, Throttled)
    assert error.retry_after == 4.0


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Unavailable),
        (403, Unavailable),
        (401, BadCredentials),
        (429, Throttled),
        (503, Unavailable),
        (500, ServerTrouble),
    ],
)
def test_a_refusal_whose_text_was_cut_off_decides_no_more_than_its_status(
    ask, status, kind
) -> None:
    cut = after(b"HTTP/1.1 %d No\r\nContent-Length: 99\r\n\r\n{" % status)
    assert type(post(ask(cut))) is kind


def test_the_text_of_a_page_is_shown_without_its_tags(ask) -> None:
    assert post(ask(http(502, PAGE))).detail == "Bad Gateway 502 nginx"


def test_a_long_text_is_cut(ask) -> None:
    error = post(ask(http(500, b"word " * 100_000)))
    assert len(error.detail) == 300
    assert error.detail.endswith("…")


@pytest.mark.parametrize(
    "body", [b"<" * 4000, b"{" * 100_000, b'{"a":' * 50 + b"1" + b"}" * 50, b"\x00\x1b[31m\xff"]
)
def test_odd_bodies_are_shown_as_plain_text(ask, body: bytes) -> None:
    error = post(ask(http(500, body)))
    assert error.detail.isprintable()
    assert type(error) is ServerTrouble


def test_a_body_with_very_many_parameters_is_cut(ask) -> None:
    error = post(ask(http(400, {f"f{n}": ["x"] * 99 for n in range(999)})))
    assert isinstance(error, InvalidRequest)
    assert len(error.fields) == 20
    assert {len(messages) for messages in error.fields.values()} == {20}


def every_error() -> list[type[DispatcherError]]:
    def below(kind: type[DispatcherError]) -> list[type[DispatcherError]]:
        return [kind, *(leaf for child in kind.__subclasses__() for leaf in below(child))]

    return below(ProviderError)


def test_every_error_says_what_it_means_and_what_to_do() -> None:
    assert len(every_error()) > 15
    for kind in every_error():
        assert kind.__module__ == errors.__name__
        first = (kind.__doc__ or "").splitlines()[0]
        assert first.endswith(".")
        assert ";" in first or kind is ProviderError


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_an_error_survives_a_process_boundary(status: int) -> None:
    body = b'{"recipient": ["Not enough credits, required: 5"], "detail": "available in 2 seconds"}'
    error = refusal(Reply(status, {}, body), Question(places=True))
    for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert type(other) is type(error)
        assert (str(other), vars(other)) == (str(error), vars(error))
