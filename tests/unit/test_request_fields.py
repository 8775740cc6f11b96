"""The fields of a request: what each may be, and how it is refused."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model.request import JobRequest
from dispatcher.model.request_limits import LONGEST_TEXT, MOST_ATTEMPTS
from dispatcher.values.languages import ISO_639_1
from support.asked import CALL, RECORDING, SOMEBODY, one_refusal


@pytest.mark.parametrize(
    ("params", "wrong"),
    [
        ({"recipient": SOMEBODY}, "'recipient' is a field that the dispatcher itself fills in"),
        ({"tts_message": "x"}, "'tts_message' is a field that the dispatcher itself fills in"),
        ({"a b": "x"}, "no name of a form field"),
        ({"a": "\n"}, "the value of 'a' (not shown)"),
        ({"a": 1}, "1 is not a text"),
        ([1], "is not a set of named fields"),
        ("a=1", "is not a set of named fields"),
    ],
)
def test_further_fields_that_cannot_be_sent_are_refused(params: Any, wrong: str) -> None:
    field, message = one_refusal(CALL | {"params": params})
    assert field == "params"
    assert wrong in message


def test_further_fields_are_taken_as_they_are_and_not_shown() -> None:
    request = JobRequest.of(CALL | {"params": {"jp_line": "hunter2"}})
    assert request.params == {"jp_line": "hunter2"}
    assert "hunter2" not in repr(request)


@pytest.mark.parametrize(
    ("meta", "wrong"),
    [
        ({"a": "x" * 2100}, "the fields have 2108 bytes as JSON: 2048 at most; keep what is"),
        ({"a": "東" * 700}, "the fields have 2108 bytes as JSON: 2048 at most"),
        ({"": "x"}, "'' is no name of a field: 1 to 100 printable characters"),
        ({"a\n": "x"}, "is no name of a field"),
        ({"n" * 101: "x"}, "is no name of a field"),
        ({"a": "hunter\0"}, "the text of 'a' (not shown) has a control character"),
        ({"a": "\ud800"}, "it is not Unicode text"),
        ({"a": 4711}, "the value of 'a' (not shown) is no text: write numbers as texts, such as"),
        ({"a": None}, "(not shown) is no text"),
        ({"a": {"b": "hunter2"}}, "(not shown) is no text"),
        ([1], "is not a set of named fields"),
    ],
)
def test_own_fields_that_cannot_be_kept_are_refused(meta: Any, wrong: str) -> None:
    field, message = one_refusal(CALL | {"meta": meta})
    assert field == "meta"
    assert wrong in message
    assert "hunter" not in message


def test_own_fields_are_texts_of_any_kind_and_belong_to_the_request() -> None:
    meta = {"patient_id": "4711", "Straße": "Zeile 1\nZeile 2", "empty": ""}
    request = JobRequest.of(CALL | {"meta": meta})
    assert request.meta == meta
    assert "4711" not in repr(request)
    assert JobRequest.of(CALL | {"meta": {"a": "x" * 2040}}).meta
    assert JobRequest.of(CALL | {"meta": {}}).fingerprint() == JobRequest.of(CALL).fingerprint()
    assert request.fingerprint() != JobRequest.of(CALL).fingerprint()


def test_calling_hours_may_be_any() -> None:
    assert JobRequest.of(CALL | {"hours": "any"}).hours == "any"


@pytest.mark.parametrize(
    ("hours", "why"),
    [
        ("08:00-08:00", "is never open"),
        ("8-21", "write 08:00-21:00"),
        ("", "has no hours"),
        ("08:00-21:00 Tokyo", "not a time zone"),
        ("monday 08:00-21:00", "has the day"),
        (8, "not a text"),
    ],
)
def test_wrong_calling_hours_are_refused(hours: object, why: str) -> None:
    field, message = one_refusal(CALL | {"hours": hours})
    assert field == "hours"
    assert why in message


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        pytest.param({}, "recipient", "give a number in E.164", id="nobody"),
        pytest.param(
            {"recipient": None, "say": "x"}, "recipient", "give a number in E.164", id="None"
        ),
        pytest.param(
            {"recipient": "+8108012345678", "say": "x"},
            "recipient",
            "write +818012345678",
            id="local 0",
        ),
        pytest.param({"recipient": SOMEBODY}, "request", "a text to say or a recording", id="none"),
        pytest.param(CALL | RECORDING, "request", "a text to say or a recording", id="both"),
        pytest.param(CALL | {"say": ""}, "say", "the text is empty", id="empty text"),
        pytest.param(CALL | {"say": " \n"}, "say", "the text is empty", id="blank text"),
        pytest.param(
            CALL | {"say": "x" * (LONGEST_TEXT + 1)},
            "say",
            f"more than {LONGEST_TEXT} characters",
            id="endless text",
        ),
        pytest.param(CALL | {"say": "\ud800"}, "say", "not Unicode text", id="half a character"),
        pytest.param(
            RECORDING | {"play": "https://example.com/a.mp3"}, "play", "https", id="https"
        ),
        pytest.param(RECORDING | {"lang": "en"}, "lang", "has no language", id="spoken recording"),
        pytest.param(CALL | {"lang": "xx"}, "lang", "'xx' is not a language", id="unknown"),
        pytest.param(CALL | {"lang": "EN"}, "lang", "'EN' is not a language", id="capitals"),
        pytest.param(CALL | {"lang": "en-US"}, "lang", "ISO 639-1", id="region"),
        pytest.param(CALL | {"lang": ""}, "lang", "ISO 639-1", id="empty"),
        pytest.param(CALL | {"caller": "abc"}, "caller", "cannot be a caller", id="caller"),
    ],
)
def test_a_call_that_cannot_be_made_is_refused_with_field_and_message(
    fields: dict[str, Any], field: str, message: str
) -> None:
    where, why = one_refusal(fields)
    assert where == field
    assert message in why


def test_the_language_of_a_text_may_be_left_to_the_account() -> None:
    assert JobRequest.of(CALL).lang is None
    assert JobRequest.of(CALL | {"lang": "ja"}).lang == "ja"


def test_every_two_letter_language_is_taken() -> None:
    assert {"en", "ja", "zh", "de"} < ISO_639_1
    assert {JobRequest.of(CALL | {"lang": code}).lang for code in ISO_639_1} == ISO_639_1


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("max_attempts", 0, "0 is too small: at least 1"),
        ("max_attempts", MOST_ATTEMPTS + 1, f"at most {MOST_ATTEMPTS}"),
        ("max_attempts", 10**30, "too large"),
        ("max_attempts", 10**5000, "too large"),
        ("max_attempts", 1.5, "1.5 is not a whole number"),
        ("max_attempts", "three", "'three' is not a whole number"),
        ("max_attempts", True, "True is not a whole number"),
        ("max_attempts", [3], "[3] is not a whole number"),
        ("redial", -1, "-1 is too small: at least 0"),
        ("redial", MOST_ATTEMPTS, f"at most {MOST_ATTEMPTS - 1}"),
        ("redial", False, "False is not a whole number"),
        ("priority", "high", "'high' is not one of 'urgent', 'normal' or 'bulk'"),
        ("priority", None, "None is not one of"),
        ("on_uncertain", "hope", "'hope' is not one of 'redial' or 'hold'"),
    ],
    ids=lambda value: str(value)[:20] if not isinstance(value, int) else "",
)
def test_a_wrong_option_is_refused_with_what_is_accepted(
    field: str, value: Any, message: str
) -> None:
    where, why = one_refusal(CALL | {field: value})
    assert where == field
    assert message in why


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        pytest.param(CALL | {"retries": 3}, "retries", "there is no such option", id="unknown"),
        pytest.param(CALL | {1: 2}, "1", "name of an option must be a text", id="unnamed"),
        pytest.param([], "request", "is not a set of named fields", id="list"),
        pytest.param("call me", "request", "is not a set of named fields", id="text"),
        pytest.param(None, "request", "is not a set of named fields", id="None"),
        pytest.param(
            {"recipient": 818012345678, "say": "x"}, "recipient", "is not a text", id="number"
        ),
        pytest.param(CALL | {"say": ["x"]}, "say", "['x'] is not a text", id="list for a text"),
        pytest.param(CALL | {"say": {"a": {"b": 1}}}, "say", "is not a text", id="nested dicts"),
        pytest.param(CALL | {"say": 10**5000}, "say", "is not a text", id="huge int"),
        pytest.param(CALL | {"lang": 3}, "lang", "3 is not a text", id="number for a language"),
        pytest.param(CALL | {"at": {}}, "at", "is not a duration", id="dict for a time"),
        pytest.param(CALL | {"at": 10**5000}, "at", "too large", id="huge int for a time"),
    ],
)
def test_what_has_the_wrong_type_is_refused_in_plain_words(
    fields: Any, field: str, message: str
) -> None:
    where, why = one_refusal(fields)
    assert where == field
    assert message in why
