"""What the requests of a key may ask for: a right of the key, and not of the request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dispatcher.model.key_rights import EVERYTHING, KeyRights, MissingRight
from dispatcher.model.number_type import NumberType
from dispatcher.model.request import JobRequest
from dispatcher.model.rights_in_words import beyond_safe
from dispatcher.model.states import Priority

CALL = {"recipient": "+818011234567", "say": "Disk full"}
SAFE = KeyRights()
RISKY = [
    pytest.param({"recipient": "+979123456789"}, "recipient", "--number-type premium", id="+979"),
    pytest.param({"recipient": "+81990504123"}, "recipient", "--number-type premium", id="0990"),
    pytest.param({"recipient": "+449098790000"}, "recipient", "--number-type premium", id="GB 090"),
    pytest.param(
        {"recipient": "+447012345678"}, "recipient", "--number-type personal", id="+44 70"
    ),
    pytest.param({"recipient": "+447640123456"}, "recipient", "--number-type pager", id="pager"),
    pytest.param({"recipient": "+881612345678"}, "recipient", "--number-type satellite", id="+881"),
    pytest.param({"caller": "+819011112222"}, "caller", "--caller NUMBER", id="caller"),
    pytest.param({"priority": "urgent"}, "priority", "--priority urgent", id="urgent"),
    pytest.param({"hours": "any"}, "hours", "--hours", id="hours: any"),
    pytest.param({"hours": "00:00-24:00"}, "hours", "--hours", id="hours that are any"),
    pytest.param({"redial": 49}, "redial", "--redials 49", id="redial: 49"),
    pytest.param({"max_attempts": 50}, "max_attempts", "--redials 49", id="max_attempts: 50"),
    pytest.param({"webhook": "https://example.com/"}, "webhook", "--webhooks", id="webhook"),
    pytest.param({"params": {"jp_line": "1"}}, "params", "--params", id="params"),
]


def missing(rights: KeyRights, fields: dict[str, Any]) -> list[MissingRight]:
    return rights.missing_for(JobRequest.of(CALL | fields))


@pytest.mark.parametrize(("fields", "field", "option"), RISKY)
def test_what_is_risky_needs_a_right_that_a_safe_key_has_not(
    fields: dict[str, Any], field: str, option: str
) -> None:
    assert missing(SAFE, fields) == [(field, option)]
    assert missing(EVERYTHING, fields) == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"priority": "bulk", "redial": 3, "redial_after": "10m"},
        {"max_attempts": 4, "at": "2h", "expires": "3h"},
        {"on_uncertain": "hold", "tags": ["a"], "key": "k"},
    ],
)
def test_what_is_usual_needs_none(fields: dict[str, Any]) -> None:
    assert missing(SAFE, fields) == []


@pytest.mark.parametrize(("number", "code"), [("+18765551234", "JM"), ("+252612345678", "SO")])
def test_a_key_may_be_for_some_countries_only(number: str, code: str) -> None:
    rights = KeyRights(countries=frozenset({"JP"}))
    assert missing(rights, {}) == []
    assert missing(rights, {"recipient": number}) == [("recipient", f"--country {code}")]


def test_no_key_calls_who_is_on_the_do_not_call_list_unless_it_was_given_that_right() -> None:
    for rights in (SAFE, EVERYTHING):
        assert missing(rights, {"dnc": "exempt"}) == [("dnc", "--dnc-exempt")]
        assert missing(rights, {"dnc": "obey"}) == []
    assert missing(KeyRights(dnc_exempt=True), {"dnc": "exempt"}) == []


def test_each_number_of_a_conference_counts() -> None:
    asked = JobRequest.of({"participants": ["+818011234567", "+252612345678"]})
    rights = KeyRights(countries=frozenset({"JP"}))
    assert rights.missing_for(asked) == [("participants", "--country SO")]


def test_a_caller_is_the_same_with_and_without_a_plus() -> None:
    rights = KeyRights(callers=frozenset({"819011112222"}))
    assert missing(rights, {"caller": "+819011112222"}) == []
    assert missing(rights, {"caller": "819011112222"}) == []
    assert missing(rights, {"caller": "819011113333"}) == [("caller", "--caller NUMBER")]


def test_all_that_is_missing_is_told_at_once() -> None:
    fields = {"priority": "urgent", "hours": "any", "caller": "81450000000"}
    assert {right.field for right in missing(SAFE, fields)} == set(fields)


@pytest.mark.parametrize(
    "rights",
    [
        SAFE,
        EVERYTHING,
        KeyRights(
            countries=frozenset({"JP", "US"}),
            number_types=frozenset({NumberType.PAGER}),
            callers=frozenset({"81450000000"}),
            priorities=frozenset({Priority.URGENT}),
            redials=0,
            hours=True,
        ),
    ],
)
def test_rights_are_read_back_as_they_were_written(rights: KeyRights) -> None:
    assert KeyRights.from_json(json.loads(json.dumps(rights.to_json()))) == rights


def test_a_right_that_this_release_does_not_know_is_left_out() -> None:
    assert KeyRights.from_json({**SAFE.to_json(), "later": True}) == SAFE


def test_what_is_beyond_the_safe_rights_is_told_in_words() -> None:
    safe = KeyRights().to_json()
    assert beyond_safe(safe) == beyond_safe(safe | {"callers": 0}) == ""
    given = {"countries": ["JP", "US"], "callers": 2, "redials": 5, "webhooks": True}
    assert beyond_safe(safe | given) == "countries JP US; callers 2; redials 5; webhooks"
    assert beyond_safe(safe | {"callers": None, "number_types": None}) == (
        "number types any; callers any"
    )
