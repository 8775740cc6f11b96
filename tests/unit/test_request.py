"""What a producer may ask for, and how a wrong request is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.model.invalid_job import InvalidJob
from dispatcher.model.kinds import Kind
from dispatcher.model.request import JobRequest
from dispatcher.model.states import OnUncertain, Priority
from support.asked import (
    A_FOURTH,
    A_THIRD,
    CALL,
    CONFERENCE,
    JARGON,
    RECORDING,
    SOMEBODY,
    SOMEBODY_ELSE,
    one_refusal,
    problems_of,
    refusal,
)


@pytest.mark.parametrize(
    ("fields", "kind"),
    [(CALL, Kind.TTS), (RECORDING, Kind.PLAYBACK), (CONFERENCE, Kind.CONFERENCE)],
    ids=["text", "recording", "conference"],
)
def test_there_are_three_kinds_of_requests(fields: dict[str, Any], kind: Kind) -> None:
    assert JobRequest.of(fields).kind is kind


def test_what_is_left_out_is_left_to_the_dispatcher() -> None:
    request = JobRequest.of(CALL)
    assert request.priority is Priority.NORMAL
    assert request.tags == ()
    assert request.model_dump(exclude_unset=True).keys() == {"recipient", "say"}


def test_every_option_is_taken_as_it_may_be_written() -> None:
    request = JobRequest.of(
        CALL
        | {
            "lang": "ja",
            "caller": "+819011112222",
            "tags": ["db1"],
            "key": "alert-8812",
            "priority": "urgent",
            "at": "15m",
            "expires": "2h",
            "max_attempts": "5",
            "redial": 2,
            "redial_after": "3m",
            "on_uncertain": "redial",
            "evidence_window": 60,
            "call_deadline": "1h",
            "hours": " mon-fri 08:00-21:00 Asia/Tokyo",
        }
    )
    assert request.lang == "ja"
    assert request.priority is Priority.URGENT
    assert (request.at, request.expires) == (timedelta(minutes=15), timedelta(hours=2))
    assert (request.max_attempts, request.redial, request.redial_after) == (5, 2, 180)
    assert request.on_uncertain is OnUncertain.REDIAL
    assert (request.evidence_window, request.call_deadline) == (60, 3600)
    assert request.hours == "mon-fri 08:00-21:00 Asia/Tokyo"


def test_no_request_allows_a_number_by_itself() -> None:
    field, message = one_refusal(CALL | {"premium": True})
    assert (field, message) == ("premium", "there is no such option")


@pytest.mark.parametrize("participants", [2, 3])
@pytest.mark.parametrize("lang", [None, "en", "ja"])
def test_a_conference_has_two_or_three_participants_in_english_or_japanese(
    participants: int, lang: str | None
) -> None:
    several = [SOMEBODY, SOMEBODY_ELSE, A_THIRD][:participants]
    request = JobRequest.of({"participants": several, "lang": lang})
    assert request.participants == tuple(several)
    assert request.lang == lang


@pytest.mark.parametrize(
    ("fields", "field", "message"),
    [
        pytest.param({"participants": [SOMEBODY]}, "participants", "2 or 3, not 1", id="one"),
        pytest.param(
            {"participants": [SOMEBODY, SOMEBODY_ELSE, A_THIRD, A_FOURTH]},
            "participants",
            "2 or 3, not 4",
            id="four",
        ),
        pytest.param(
            {"participants": [SOMEBODY, SOMEBODY]}, "participants", "must be different", id="twice"
        ),
        pytest.param(
            {"participants": [SOMEBODY, "123"]}, "participants", "no country code", id="invalid"
        ),
        pytest.param(
            {"participants": f"{SOMEBODY},{SOMEBODY_ELSE}"}, "participants", "not a list", id="text"
        ),
        pytest.param(CONFERENCE | {"lang": "fr"}, "lang", "en or ja", id="language"),
        pytest.param(
            CONFERENCE | {"recipient": SOMEBODY}, "request", "only participants", id="recipient"
        ),
        pytest.param(CONFERENCE | {"say": "x"}, "request", "only participants", id="text to say"),
        pytest.param(
            CONFERENCE | {"play": RECORDING["play"]}, "request", "only participants", id="recording"
        ),
    ],
)
def test_a_conference_that_cannot_be_held_is_refused_with_field_and_message(
    fields: dict[str, Any], field: str, message: str
) -> None:
    where, why = one_refusal(fields)
    assert where == field
    assert message in why


def test_every_problem_is_named_at_once() -> None:
    wrong = {"recipient": "123", "lang": "xx", "at": "9999d", "expires": 0, "max_attempts": 0}
    problems = refusal(CALL | wrong | {"nope": 1})
    assert {field for field, _ in problems} == {*wrong, "nope"}


def test_every_problem_of_fields_together_is_named_at_once() -> None:
    late = {"at": "2h", "expires": "1h", "redial": 3, "max_attempts": 2}
    problems = refusal({"recipient": SOMEBODY} | late)
    assert [field for field, _ in problems] == ["request", "expires", "redial"]


def test_the_error_reads_as_field_and_message() -> None:
    assert str(InvalidJob([("say", "too long"), ("at", "too late")])) == (
        "say: too long; at: too late"
    )


anything = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(st.characters(), max_size=8),
        st.binary(max_size=8),
        st.datetimes(),
        st.timedeltas(),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(st.dictionaries(st.sampled_from(sorted(JobRequest.model_fields)), anything, max_size=3))
def test_whatever_is_asked_for_is_a_request_or_an_invalid_job(fields: dict[str, Any]) -> None:
    for request in (fields, CALL | fields):
        problems = problems_of(request)
        assert all(message for _, message in problems)
        assert not JARGON.search(str(problems))


def test_numbers_are_read_by_their_region_and_are_the_same_request() -> None:
    written = JobRequest.of(CALL | {"recipient": "080-1234-5670", "region": "jp"})
    assert written.recipient == SOMEBODY
    assert written.fingerprint() == JobRequest.of(CALL).fingerprint()
    several = ["080-1234-5670", SOMEBODY_ELSE]
    together = JobRequest.of({"participants": several, "region": "JP"})
    assert together.participants == (SOMEBODY, SOMEBODY_ELSE)


def test_a_wrong_region_is_the_one_thing_that_is_told() -> None:
    field, why = one_refusal(CALL | {"recipient": "080-1234-5670", "region": "Japan"})
    assert (field, why) == ("region", "'Japan' is not a country code: write JP")


def test_a_number_without_its_country_is_told_of_regions() -> None:
    field, why = one_refusal(CALL | {"recipient": "080-1234-5670"})
    assert field == "recipient"
    assert "has no country code" in why
    assert "region, such as JP" in why
