"""What a producer may ask for, and how a wrong request is refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.model.invalid_job import InvalidJob
from dispatcher.model.kinds import Kind
from dispatcher.model.request import JobRequest
from dispatcher.model.request_limits import LONGEST_KEY, LONGEST_TEXT, MOST_ATTEMPTS
from dispatcher.model.states import OnUncertain, Priority
from dispatcher.model.tags import LONGEST_TAG, MOST_TAGS
from dispatcher.values.languages import ISO_639_1

SOMEBODY, SOMEBODY_ELSE, A_THIRD, A_FOURTH = (f"+81801234567{n}" for n in range(4))
CALL = {"recipient": SOMEBODY, "say": "Disk full"}
RECORDING = {"recipient": SOMEBODY, "play": "http://example.com/a.mp3"}
CONFERENCE = {"participants": [SOMEBODY, SOMEBODY_ELSE]}
JARGON = re.compile(r"Input should|valid (string|integer|tuple|dict)|Value error|validat|pydantic")


def refusal(fields: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidJob) as caught:
        JobRequest.of(fields)
    assert not JARGON.search(str(caught.value))
    return caught.value.problems


def problems_of(fields: dict[str, Any]) -> list[tuple[str, str]]:
    try:
        JobRequest.of(fields)
    except InvalidJob as error:
        return error.problems
    return []


def one_refusal(fields: Any) -> tuple[str, str]:
    [problem] = refusal(fields)
    return problem


def ago(**length: float) -> str:
    return (datetime.now(UTC) - timedelta(**length)).isoformat()


def ahead(**length: float) -> str:
    return (datetime.now(UTC) + timedelta(**length)).isoformat()


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


def test_a_job_belongs_to_one_campaign_and_that_has_a_name() -> None:
    request = JobRequest.of(CALL | {"tags": ["campaign:a", "b", "campaign:a"]})
    assert request.tags == ("campaign:a", "b")
    field, message = one_refusal(CALL | {"tags": ["campaign:a", "b", "campaign:c"]})
    assert field == "tags"
    assert "'campaign:a' and 'campaign:c': a job belongs to one campaign" in message
    _, message = one_refusal(CALL | {"tags": ["campaign: "]})
    assert "the campaign has no name: write campaign:NAME" in message


def test_no_request_allows_a_number_by_itself() -> None:
    field, message = one_refusal(CALL | {"premium": True})
    assert (field, message) == ("premium", "there is no such option")


@pytest.mark.parametrize(
    "moment", [ago(minutes=5), ago(days=900), "0"], ids=["minutes", "years", "epoch"]
)
def test_a_moment_that_has_passed_means_now(moment: str) -> None:
    assert JobRequest.of(CALL | {"at": moment}).at is not None


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


# -- tags and keys --------------------------------------------------------------------------


@pytest.mark.parametrize("collection", [list, tuple, lambda tags: dict.fromkeys(tags).keys()])
def test_tags_are_trimmed_and_each_is_kept_once_in_order(collection: Any) -> None:
    request = JobRequest.of(CALL | {"tags": collection([" db1 ", "東京", "db1", "disk full"])})
    assert request.tags == ("db1", "東京", "disk full")


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        pytest.param(["a,b"], "has a comma", id="comma"),
        pytest.param([""], "a tag is empty", id="empty"),
        pytest.param(["  "], "a tag is empty", id="blank"),
        pytest.param(["a\nb"], "printable", id="line end"),
        pytest.param(["x" * (LONGEST_TAG + 1)], f"1 to {LONGEST_TAG}", id="endless"),
        pytest.param([str(n) for n in range(MOST_TAGS + 1)], f"at most {MOST_TAGS}", id="too many"),
        pytest.param("db1", "'db1' is not a list", id="text"),
        pytest.param([1], "1 is not a text", id="number"),
        pytest.param([None], "None is not a text", id="None"),
        pytest.param([["a"]], "['a'] is not a text", id="list in a list"),
        pytest.param([{"a": {"b": 1}}], "is not a text", id="nested dicts"),
        pytest.param({"a": 1}, "is not a list", id="dict"),
    ],
)
def test_a_wrong_tag_is_refused(tags: Any, message: str) -> None:
    where, why = one_refusal(CALL | {"tags": tags})
    assert where == "tags"
    assert message in why


def test_many_equal_tags_are_one() -> None:
    assert JobRequest.of(CALL | {"tags": ["a"] * 100}).tags == ("a",)


@pytest.mark.parametrize(
    "key", ["", " ", "a\nb", "x" * (LONGEST_KEY + 1)], ids=lambda k: repr(k[:9])
)
def test_a_wrong_key_is_refused(key: str) -> None:
    assert one_refusal(CALL | {"key": key}) == (
        "key",
        f"a key has 1 to {LONGEST_KEY} printable characters",
    )


# -- times ----------------------------------------------------------------------------------


def test_a_due_time_that_has_passed_means_now() -> None:
    at = JobRequest.of(CALL | {"at": ago(days=400)}).at
    assert isinstance(at, datetime)
    assert at < datetime.now(UTC)


def test_a_time_of_another_zone_is_kept_in_utc() -> None:
    local = (datetime.now(UTC) + timedelta(hours=1)).isoformat().replace("+00:00", "+09:00")
    at = JobRequest.of(CALL | {"at": local}).at
    assert isinstance(at, datetime)
    assert at.tzinfo is UTC


@pytest.mark.parametrize(
    ("times", "field", "message"),
    [
        pytest.param({"at": ahead(days=800)}, "at", "more than 366 days ahead", id="at, years"),
        pytest.param({"at": "9999d"}, "at", "more than 366 days ahead", id="at, a long delay"),
        pytest.param({"at": "9999-12-31T00:00:00Z"}, "at", "days ahead", id="at, the last year"),
        pytest.param({"at": 1e11}, "at", "days ahead", id="at, beyond the calendar"),
        pytest.param({"expires": ahead(days=800)}, "expires", "days ahead", id="expires, years"),
        pytest.param({"expires": ago(seconds=1)}, "expires", "has passed", id="expires, past"),
        pytest.param({"expires": 0}, "expires", "has passed", id="expires, at once"),
        pytest.param(
            {"at": "2h", "expires": "1h"}, "expires", "before the time to call", id="too early"
        ),
        pytest.param(
            {"at": "1h", "expires": "1h"}, "expires", "before the time to call", id="equal"
        ),
        pytest.param(
            {"at": ahead(hours=2), "expires": "1h"},
            "expires",
            "before the time to call",
            id="mixed",
        ),
        pytest.param({"at": "2030-01-31T09:00:00"}, "at", "has no zone", id="naive text"),
        pytest.param({"at": datetime(2030, 1, 31)}, "at", "has no zone", id="naive"),  # noqa: DTZ001
        pytest.param({"expires": "2030-01-31"}, "expires", "has no zone", id="a mere date"),
        pytest.param({"at": "tomorrow"}, "at", "'tomorrow' is not a time", id="words"),
        pytest.param({"expires": "-3"}, "expires", "'-3' is not a time", id="negative"),
    ],
)
def test_impossible_times_are_refused_with_field_and_message(
    times: dict[str, Any], field: str, message: str
) -> None:
    where, why = one_refusal(CALL | times)
    assert where == field
    assert message in why


def test_a_conference_has_possible_times_too() -> None:
    assert one_refusal(CONFERENCE | {"at": "2h", "expires": "1h"})[0] == "expires"


@pytest.mark.parametrize("field", ["redial_after", "evidence_window", "call_deadline"])
@pytest.mark.parametrize(
    ("length", "message"),
    [
        ("5x", "'5x' is not a duration"),
        ("-3", "'-3' is not a duration"),
        ("", "'' is not a duration"),
        (float("inf"), "inf is not a duration"),
        (float("nan"), "nan is not a duration"),
        ("1e9999", "'1e9999' is not a duration"),
        (True, "True is not a duration"),
        ([], "[] is not a duration"),
        (1e300, "more than 366 days"),
        ("367d", "more than 366 days"),
    ],
    ids=str,
)
def test_a_wrong_duration_is_refused(field: str, length: Any, message: str) -> None:
    where, why = one_refusal(CALL | {field: length})
    assert where == field
    assert message in why


# -- attempts and redials -------------------------------------------------------------------


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


def test_redials_need_as_many_attempts_and_one() -> None:
    assert one_refusal(CALL | {"redial": 3, "max_attempts": 3}) == (
        "redial",
        "3 redials need max_attempts of at least 4, not 3",
    )
    assert JobRequest.of(CALL | {"redial": 3, "max_attempts": 4}).redial == 3
    assert JobRequest.of(CALL | {"redial": 3}).max_attempts is None
    assert JobRequest.of(CALL | {"redial": 0, "max_attempts": 1}).redial == 0


# -- the shape of a request -----------------------------------------------------------------


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


# -- equal and different requests -----------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"key": "a"}, {"key": "b"}, id="key"),
        pytest.param({}, {"lang": "en"}, id="the language it has anyway"),
        pytest.param({"expires": "15m"}, {"expires": 900}, id="a duration in another form"),
        pytest.param({"tags": ["a", "a "]}, {"tags": ("a",)}, id="tags in another form"),
        pytest.param(
            {"at": "2000-01-31T09:00:00+09:00"}, {"at": "2000-01-31T00:00:00Z"}, id="zone"
        ),
        pytest.param({"priority": "bulk"}, {"priority": Priority.BULK}, id="word"),
    ],
)
def test_equal_requests_have_one_fingerprint(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert JobRequest.of(CALL | one).fingerprint() == JobRequest.of(CALL | other).fingerprint()


def test_a_relative_time_repeats_equal_later_on() -> None:
    requests = [JobRequest.of(CALL | {"at": "1m", "expires": "15m"}) for _ in range(2)]
    assert requests[0].fingerprint() == requests[1].fingerprint()


def test_different_requests_have_different_fingerprints() -> None:
    requests = [
        CALL,
        CALL | {"recipient": SOMEBODY_ELSE},
        CALL | {"say": "Disk empty"},
        CALL | {"lang": "ja"},
        CALL | {"caller": "81450000000"},
        CALL | {"tags": ["a"]},
        CALL | {"tags": ["a", "b"]},
        CALL | {"priority": "urgent"},
        CALL | {"at": "1m"},
        CALL | {"expires": "1m"},
        CALL | {"max_attempts": 1},
        CALL | {"redial": 1},
        CALL | {"redial": 0},
        CALL | {"redial_after": 60},
        CALL | {"on_uncertain": "hold"},
        CALL | {"evidence_window": 60},
        CALL | {"call_deadline": 60},
        CALL | {"params": {"a": "1"}},
        CALL | {"params": {"a": "2"}},
        CALL | {"params": {"b": "1"}},
        RECORDING,
        CONFERENCE,
        {"participants": [SOMEBODY_ELSE, SOMEBODY]},
    ]
    fingerprints = {JobRequest.of(fields).fingerprint() for fields in requests}
    assert len(fingerprints) == len(requests)


def test_the_order_of_params_does_not_matter() -> None:
    one, other = {"a": "1", "b": "2"}, {"b": "2", "a": "1"}
    fingerprints = {JobRequest.of(CALL | {"params": each}).fingerprint() for each in (one, other)}
    assert len(fingerprints) == 1


def test_a_fingerprint_stays_the_same_from_release_to_release() -> None:
    assert JobRequest.of(CALL).fingerprint() == "6fc17f2c6b7144a5"


# -- regions -------------------------------------------------------------------------------


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
