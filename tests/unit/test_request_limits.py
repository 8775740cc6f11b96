"""The times, durations and attempts of a request, and their limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dispatcher.model.request import JobRequest
from support.asked import CALL, CONFERENCE, ago, ahead, one_refusal


@pytest.mark.parametrize(
    "moment", [ago(minutes=5), ago(days=900), "0"], ids=["minutes", "years", "epoch"]
)
def test_a_moment_that_has_passed_means_now(moment: str) -> None:
    assert JobRequest.of(CALL | {"at": moment}).at is not None


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


def test_redials_need_as_many_attempts_and_one() -> None:
    assert one_refusal(CALL | {"redial": 3, "max_attempts": 3}) == (
        "redial",
        "3 redials need max_attempts of at least 4, not 3",
    )
    assert JobRequest.of(CALL | {"redial": 3, "max_attempts": 4}).redial == 3
    assert JobRequest.of(CALL | {"redial": 3}).max_attempts is None
    assert JobRequest.of(CALL | {"redial": 0, "max_attempts": 1}).redial == 0
