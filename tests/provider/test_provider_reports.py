"""What the provider says of a call, in words of our own: by its word, or because it has ended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dispatcher.model.outcome import Outcome
from dispatcher.provider.xoxzo.answers import CallStatus, ConferenceStatus
from dispatcher.provider.xoxzo.reports import of_call, of_whole

ENDED = {"end_time": "2026-01-01 00:00:41"}


def call(status: str, **more: Any) -> CallStatus:
    return CallStatus.read({"callid": "a", "status": status, **more})


@pytest.mark.parametrize(
    ("word", "told", "outcome"),
    [
        ("ANSWERED", {}, Outcome.ANSWERED),
        ("NO ANSWER", {}, Outcome.NO_ANSWER),
        ("FAILED", {}, Outcome.CALL_FAILED),
        ("IN PROGRESS", {}, Outcome.IN_PROGRESS),
        ("BUSY", {}, Outcome.IN_PROGRESS),
        ("answered?", {}, Outcome.IN_PROGRESS),
        ("ANSWERED", ENDED, Outcome.ANSWERED),
        ("FAILED", ENDED, Outcome.CALL_FAILED),
        ("IN PROGRESS", ENDED, Outcome.IN_PROGRESS),
        ("BUSY", ENDED, Outcome.NO_ANSWER),
        ("CANCELLED", ENDED, Outcome.NO_ANSWER),
        ("CANCELLED", {"end_time": "soon"}, Outcome.IN_PROGRESS),
        ("CANCELLED", {"end_time": ""}, Outcome.IN_PROGRESS),
    ],
)
def test_a_word_that_is_not_documented_is_the_end_where_the_call_has_ended(
    word: str, told: dict[str, str], outcome: Outcome
) -> None:
    report = of_call(call(word, **told))
    assert (report.outcome, report.word) == (outcome, word)


def test_a_report_has_the_facts_of_the_call() -> None:
    report = of_call(call("ANSWERED", start_time="2026-01-01 00:00:00", cost="12.5", **ENDED))
    assert report.started_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert report.ended_at == datetime(2026, 1, 1, 0, 0, 41, tzinfo=UTC)
    assert (report.callid, report.lasted, report.cost) == ("a", 42, 12.5)


def whole(*legs: tuple[str, bool], ended: bool = False) -> ConferenceStatus:
    """Return a conference whose participants' calls have these words, and an end time or none."""
    participants = [
        {"callid": f"c{n}", "status": word, **(ENDED if over else {})}
        for n, (word, over) in enumerate(legs)
    ]
    told = {"conferenceid": "x", "participants": participants, **(ENDED if ended else {})}
    return ConferenceStatus.read(told)


@pytest.mark.parametrize(
    ("legs", "outcome", "word"),
    [
        ([("ANSWERED", True), ("ANSWERED", True)], Outcome.ANSWERED, "ANSWERED"),
        ([("ANSWERED", True), ("NO ANSWER", True)], Outcome.NO_ANSWER, "NO ANSWER"),
        ([("ANSWERED", True), ("FAILED", True)], Outcome.CALL_FAILED, "FAILED"),
        ([("ANSWERED", True), ("IN PROGRESS", False)], Outcome.IN_PROGRESS, "IN PROGRESS"),
        ([("ANSWERED", True), ("BUSY", False)], Outcome.IN_PROGRESS, "IN PROGRESS"),
        ([("ANSWERED", True), ("BUSY", True)], Outcome.NO_ANSWER, "NO ANSWER"),
        (
            [("ANSWERED", True), ("ANSWERED", True), ("BUSY", True)],
            Outcome.ANSWERED,
            "ANSWERED",
        ),
        ([], Outcome.IN_PROGRESS, "IN PROGRESS"),
    ],
)
def test_a_conference_ends_with_all_of_its_calls(
    legs: list[tuple[str, bool]], outcome: Outcome, word: str
) -> None:
    report = of_whole(whole(*legs))
    assert (report.outcome, report.word) == (outcome, word)
    assert [leg.status for leg in report.legs] == [leg[0] for leg in legs]


def test_a_conference_that_has_ended_has_no_call_that_goes_on_under_a_word_of_its_own() -> None:
    legs = [("ANSWERED", False), ("CANCELLED", False)]
    assert of_whole(whole(*legs)).outcome is Outcome.IN_PROGRESS
    assert of_whole(whole(*legs, ended=True)).outcome is Outcome.NO_ANSWER


@pytest.mark.parametrize(
    ("told", "number"), [("+818011234567", "+818011234567"), ("818011234567", "+818011234567")]
)
def test_a_participants_number_may_be_told_without_its_plus(told: str, number: str) -> None:
    leg = {"callid": "a", "status": "ANSWERED", "recipient": told}
    conference = ConferenceStatus.read({"conferenceid": "x", "participants": [leg]})
    assert [each.number for each in of_whole(conference).legs] == [number]
