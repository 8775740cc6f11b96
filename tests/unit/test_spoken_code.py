"""A one-time code: what it may be, how it is said, and what goes for its call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dispatcher.model.invalid_job import InvalidJob
from dispatcher.model.kinds import Kind
from dispatcher.model.request import JobRequest
from dispatcher.model.request_limits import CODE_LIFETIME
from dispatcher.model.spoken_code import PHRASES, spoken
from dispatcher.model.states import Priority
from dispatcher.provider import registry
from dispatcher.values.languages import ISO_639_1
from support.plain_language import old_words

CODE = "276983"
CALL = {"recipient": "+818011234567", "code": CODE}


def refusal(**more: Any) -> str:
    with pytest.raises(InvalidJob) as caught:
        JobRequest.of({**CALL, **more})
    return str(caught.value)


def test_a_code_is_a_text_that_is_urgent_and_expires_soon() -> None:
    asked = JobRequest.of(CALL)
    assert (asked.kind, asked.priority) == (Kind.TTS, Priority.URGENT)
    assert asked.deadline == CODE_LIFETIME == timedelta(minutes=10)
    assert CODE not in repr(asked)


def test_what_is_asked_for_stands() -> None:
    asked = JobRequest.of({**CALL, "priority": "bulk", "expires": "2m", "lang": "ja"})
    assert (asked.priority, asked.deadline, asked.lang) == (
        Priority.BULK,
        timedelta(minutes=2),
        "ja",
    )


def test_a_code_for_later_expires_so_long_after_it_is_due() -> None:
    assert JobRequest.of({**CALL, "at": "2h"}).deadline == timedelta(hours=2, minutes=10)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert JobRequest.of({**CALL, "at": tomorrow}).deadline == tomorrow + CODE_LIFETIME
    yesterday = tomorrow - timedelta(days=2)
    assert JobRequest.of({**CALL, "at": yesterday}).deadline == CODE_LIFETIME


@pytest.mark.parametrize(
    "code",
    [
        "27698A",
        "276 983",
        "276-983",
        "12",
        "1" * 13,
        "",
        "\uff12\uff17\uff16",
        "\u0662\u0667\u0666",
        "276983\n",
        True,
    ],
)
def test_what_is_no_code_is_refused_and_not_repeated(code: object) -> None:
    why = refusal(code=code)
    assert "3 to 12 digits" in why
    if isinstance(code, str) and len(code) > 2:
        assert code.strip() not in why.replace("3 to 12", "")


def test_a_code_that_is_a_number_may_have_lost_its_zeros() -> None:
    assert "as a text" in refusal(code=276983)
    assert "276983" not in refusal(code=276983)


def test_a_code_is_said_twice_digit_by_digit_after_a_greeting() -> None:
    text = JobRequest.of(CALL)
    assert text.code
    assert spoken(text.code, "en", None) == (
        "Hello. Your code is: 2,,7,,6,,9,,8,,3. Once more, your code is: 2,,7,,6,,9,,8,,3."
    )


@pytest.mark.parametrize("lang", PHRASES)
def test_each_language_greets_and_repeats(lang: str) -> None:
    assert lang in ISO_639_1
    text = spoken(CODE, lang, None)
    assert text.startswith(PHRASES[lang].greeting)
    assert text.count("2,,7,,6,,9,,8,,3.") == 2
    assert not any(character.isdigit() for part in PHRASES[lang] for character in part)


def test_a_producers_own_greeting_stands_before_the_code() -> None:
    assert spoken(CODE, "en", " This is Acme Bank ").startswith("This is Acme Bank. Your code is:")
    assert spoken(CODE, "ja", "銀行です。").startswith("銀行です。 確認コードは、 2,,7")


def test_a_language_without_a_greeting_of_ours_needs_one() -> None:
    assert "give your own as say" in refusal(lang="cy")
    assert JobRequest.of({**CALL, "lang": "cy", "say": "Helo"}).code == CODE
    assert spoken(CODE, "cy", "Helo") == "Helo. 2,,7,,6,,9,,8,,3. 2,,7,,6,,9,,8,,3."


def test_a_greeting_leaves_room_for_the_code() -> None:
    longest = registry.registration().capabilities.longest_text
    assert "with the code it has more than" in refusal(say="x" * longest)


def test_a_code_goes_with_no_recording_and_no_conference() -> None:
    assert "either a text" in refusal(play="http://example.com/a.mp3")
    both = {"recipient": None, "participants": ["+818011234567", "+818023450001"]}
    assert "only participants" in refusal(**both)


def test_another_code_is_another_request() -> None:
    one, other = JobRequest.of(CALL), JobRequest.of({**CALL, "code": "276984"})
    assert one.fingerprint() != other.fingerprint()


def test_the_phrases_are_plain() -> None:
    assert not old_words(" ".join(PHRASES["en"]))
