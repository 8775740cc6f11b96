"""What Xoxzo asks when somebody calls, the plain text that answers, and its account's numbers."""

from __future__ import annotations

import shlex
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.provider import (
    BadCredentials,
    DialIn,
    InvalidRequest,
    RentedNumber,
    Say,
    Transfer,
    Unavailable,
    UnexpectedShape,
    UnknownCall,
    WrongAddress,
)
from dispatcher.provider.xoxzo.client import VoiceClient
from dispatcher.provider.xoxzo.dial_ins import XoxzoDialIns
from dispatcher.provider.xoxzo.provider import XoxzoProvider
from support.provider_wire import Answer, http

OURS, PERSON = "+815012340000", "+818012340001"
SECRET_URL = "https://voice.example.com/dial-in/xyzzy-0123456789"
dial_ins = XoxzoDialIns()


@pytest.mark.parametrize(
    "written",
    [
        PERSON,
        "818012340001",
        " 818012340001",  # a plus that was not encoded
        "+81-80-1234-0001",
        "+81 (80) 1234 0001",
        "08012340001",
        "080-1234-0001",
        "010818012340001",  # as dialled abroad from Japan
    ],
)
def test_a_caller_is_known_in_every_writing(written: str) -> None:
    asked = dial_ins.parse_dial_in([("caller", written), ("recipient", "815012340000")])
    assert asked == DialIn(PERSON, OURS)


@pytest.mark.parametrize(
    "written", ["", " ", "anonymous", "Unknown", "withheld", "+", "0", "117", "+8108012340001"]
)
def test_what_is_no_number_is_nobodys(written: str) -> None:
    asked = dial_ins.parse_dial_in([("caller", written), ("recipient", OURS)])
    assert asked == DialIn(None, OURS)


def test_a_local_number_is_nobodys_where_nobody_says_which_country() -> None:
    assert dial_ins.parse_dial_in([("caller", "08012340001")]) == DialIn(None, None)
    assert dial_ins.parse_dial_in([]) == DialIn(None, None)


def test_two_callers_in_one_request_are_refused() -> None:
    with pytest.raises(UnexpectedShape, match="caller"):
        dial_ins.parse_dial_in([("caller", PERSON), ("caller", "+818012340002")])


@given(st.lists(st.tuples(st.sampled_from(["caller", "recipient", "x"]), st.text()), max_size=4))
def test_any_query_is_read_or_refused(query: list[tuple[str, str]]) -> None:
    try:
        asked = dial_ins.parse_dial_in(query)
    except UnexpectedShape:
        return
    assert asked.caller is None or asked.caller.startswith("+")


@given(st.text(st.characters()))
def test_any_text_stays_within_its_quotation_marks(text: str) -> None:
    """Read as a shell would, as lines, and as the marks stand."""
    body, kind = dial_ins.dial_in_answer(Say(f"Now: {text}", "en"))
    said = body.decode()
    assert kind == "text/plain; charset=utf-8"
    assert said.isprintable()
    assert said.count('"') == 2
    assert shlex.split(said)[:2] == ["say", "en"]
    assert len(shlex.split(said)) == 3


def test_a_text_is_said_whole_and_a_long_one_is_cut() -> None:
    body, _ = dial_ins.dial_in_answer(Say("ディスクが一杯です。db1", "ja"))
    assert body.decode() == 'say ja "ディスクが一杯です。db1"'
    body, _ = dial_ins.dial_in_answer(Say("a" * 100_000, "en"))
    assert len(body) < 4100


@pytest.mark.parametrize("wrong", [Say("Hello", 'en "x"'), Say("Hello", "EN"), Transfer("117")])
def test_a_wrong_language_or_number_is_no_instruction(wrong: Say | Transfer) -> None:
    with pytest.raises(ValueError, match=r"no language|not E\.164"):
        dial_ins.dial_in_answer(wrong)


# -- the account's numbers -----------------------------------------------------------------

Ask = Callable[..., VoiceClient]
LISTED = {
    "country_code": "81",
    "din": "815012340000",
    "din_uid": "JPafr34rafic76tf",
    "minute_cost": 1,
    "monthly_cost": 650.0,
    "prefix": "50",
}


def numbers_of(ask: Ask, body: object) -> tuple[RentedNumber, ...]:
    return XoxzoProvider(ask(http(200, body))).rented_numbers()


def test_a_list_that_does_not_tell_the_url_is_read_all_the_same(ask: Ask) -> None:
    (rented,) = numbers_of(ask, [LISTED])
    assert (rented.number, rented.id, rented.action_url) == (OURS, "JPafr34rafic76tf", None)


def test_an_url_that_is_told_is_kept_and_not_shown(ask: Ask) -> None:
    (rented,) = numbers_of(ask, [{**LISTED, "action_url": SECRET_URL}])
    assert rented.action_url == SECRET_URL
    assert "xyzzy" not in repr(rented)


@pytest.mark.parametrize(
    "body", [{}, "x", [{}], [{**LISTED, "din": 5}], [{**LISTED, "din_uid": "a/b"}]]
)
def test_what_is_no_list_of_numbers_is_an_error(ask: Ask, body: object) -> None:
    with pytest.raises(Unavailable, match="not a "):
        numbers_of(ask, body)


def test_a_list_that_cannot_be_read_shows_no_url(ask: Ask) -> None:
    body = [{**LISTED, "action_url": SECRET_URL}, {"din": "?"}]
    with pytest.raises(Unavailable) as caught:
        numbers_of(ask, body)
    assert "xyzzy" not in f"{caught.value!s} {caught.value!r}"


@pytest.mark.parametrize("answer", [http(200, b"{}"), http(201, b"set"), http(204)])
def test_an_url_is_set_whatever_is_said_of_it(
    serve: Callable[..., object], client_for: Callable[..., VoiceClient], answer: Answer
) -> None:
    wire = serve(answer)
    provider = XoxzoProvider(client_for(wire.url))
    provider.set_action_url(RentedNumber(OURS, "JPafr34rafic76tf"), SECRET_URL)
    (seen,) = wire.seen
    assert seen.line.startswith("POST /voice/dins/subscriptions/JPafr34rafic76tf/ ")
    assert seen.fields == {"action_url": SECRET_URL}


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http(404), WrongAddress),
        (http(401, {"detail": "Invalid sid/token"}), BadCredentials),
        (http(500, f"<p>{SECRET_URL}</p>".encode()), Unavailable),
        (http(400, {"action_url": [f"{SECRET_URL} is not valid"]}), InvalidRequest),
    ],
)
def test_a_refusal_does_not_repeat_the_secret(ask: Ask, answer: Answer, kind: type) -> None:
    provider = XoxzoProvider(ask(answer))
    with pytest.raises(kind) as caught:
        provider.set_action_url(RentedNumber(OURS, "JPafr34rafic76tf"), SECRET_URL)
    assert "xyzzy" not in f"{caught.value!s} {caught.value!r}"


def test_an_id_that_is_none_is_not_put_into_a_path(ask: Ask) -> None:
    provider = XoxzoProvider(ask(http(200, {})))
    with pytest.raises(UnknownCall):
        provider.set_action_url(RentedNumber(OURS, "../../you"), SECRET_URL)
