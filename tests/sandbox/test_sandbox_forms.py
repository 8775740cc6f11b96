"""What the provider refuses to take, field by field (provider docs: voice and errors pages)."""

from __future__ import annotations

from typing import Any

import pytest

from support.sandbox_client import RECORDING, Client, Start


@pytest.mark.parametrize("path", ["/voice/simple/playbacks/", "/voice/simple/playback/"])
def test_both_paths_name_every_missing_field(shared: Client, path: str) -> None:
    answer = shared.post(path)
    assert answer.status_code == 400
    required = ["This field is required."]
    assert answer.json() == {"caller": required, "recipient": required, "recording_url": required}


@pytest.mark.parametrize(
    "recipient",
    [
        "+8108012345678",  # the local 0 left in
        "+4407700900123",
        "+3530861234567",
        "818012345678",
        "08012345678",
        "+81 80 1234 5678",
        "+81-80-1234-5678",
        "+",
        "+81",
        "+0123456789",
        "+12345678901234567",
        "\uff0b818012345678",
        "+81801234567\u0661",
        "nobody",
    ],
)
def test_a_recipient_must_be_e164_without_the_local_zero(shared: Client, recipient: str) -> None:
    answer = shared.play(recipient)
    assert (answer.status_code, list(answer.json())) == (400, ["recipient"])


@pytest.mark.parametrize(
    "recipient", ["+818012345678", "+12025550123", "+390612345678", "+2250123456789"]
)
def test_numbers_of_all_countries_are_taken(shared: Client, recipient: str) -> None:
    """Italian and Ivorian numbers begin with a 0 that belongs to them."""
    assert shared.play(recipient).status_code == 201


@pytest.mark.parametrize("caller", ["ops", "+81-45", "", "\u0661\u0662\u0663"])
def test_a_caller_is_numeric(shared: Client, caller: str) -> None:
    answer = shared.play(caller=caller)
    assert (answer.status_code, list(answer.json())) == (400, ["caller"])


@pytest.mark.parametrize("caller", ["+819012345678", "81450000000", "0312345678"])
def test_a_caller_is_taken_with_or_without_its_plus(shared: Client, caller: str) -> None:
    assert shared.play(caller=caller).status_code == 201


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a.mp3",
        "HTTPS://example.com/a.mp3",
        "ftp://example.com/a.mp3",
        "http://example.com/a.mp3?x=1",
        "http://example.com/a b.mp3",
        "http://example.com/a%20b.mp3",
        "http://example.com/\u97f3.mp3",
        "http://user@example.com/a.mp3",
        "http://example.com",
        "http://example.com/a.mp3\n",
        "a.mp3",
    ],
)
def test_a_recording_is_http_and_of_few_characters(shared: Client, url: str) -> None:
    answer = shared.play(recording_url=url)
    assert (answer.status_code, list(answer.json())) == (400, ["recording_url"])


def test_https_is_refused_by_name(shared: Client) -> None:
    assert (
        "https" in shared.play(recording_url="https://example.com/a.mp3").json()["recording_url"][0]
    )


def test_a_recording_may_have_a_port_and_the_documented_characters(shared: Client) -> None:
    assert shared.play(recording_url=RECORDING).status_code == 201


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"tts_lang": None}, "tts_lang"),
        ({"tts_lang": "english"}, "tts_lang"),
        ({"tts_message": None}, "recording_url"),
        ({"recording_url": RECORDING}, "non_field_errors"),
        ({"callbackurl": "not a url"}, "callbackurl"),
        ({"callbackurl": "ftp://example.com/"}, "callbackurl"),
        ({"callbackurl": "http://example.com:port/"}, "callbackurl"),
        ({"callbackurl": "http://[::1/"}, "callbackurl"),
    ],
)
def test_text_to_speech_and_callbacks_are_checked(
    shared: Client, fields: dict[str, Any], wrong: str
) -> None:
    answer = shared.say(**fields)
    assert (answer.status_code, list(answer.json())) == (400, [wrong])


@pytest.mark.parametrize(
    ("numbers", "fields", "wrong"),
    [
        ([], {}, "participants"),
        (["+818012340001"], {}, "participants"),
        (["+818012340001"] * 4, {}, "participants"),
        (["+818012340001", "+8108012340001"], {}, "participants"),
        (["+818012340001", ""], {}, "participants"),
        (["+818012340001", "+818012340002"], {"lang": "fr"}, "lang"),
        (["+818012340001", "+818012340002"], {"caller": None}, "caller"),
    ],
)
def test_a_conference_has_two_or_three_good_numbers(
    shared: Client, numbers: list[str], fields: dict[str, str | None], wrong: str
) -> None:
    answer = shared.meet(*numbers, **fields)
    assert (answer.status_code, list(answer.json())) == (400, [wrong])


def test_further_fields_are_taken_and_shown(start: Start) -> None:
    client = start()
    client.play(jp_line="1", tags="a")
    client.meet("+818012340001", "+818012340002", jp_line="2", tags="not known here")
    assert [call["params"] for call in client.calls()] == [
        {"jp_line": "1"},
        {"jp_line": "2", "tags": "not known here"},
        {"jp_line": "2", "tags": "not known here"},
    ]
