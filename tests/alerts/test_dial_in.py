"""Somebody calls back: what is acknowledged, and what they hear."""

from __future__ import annotations

import string
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.alerts.dial_in import DialIns, Turn, picked
from dispatcher.alerts.dial_in_phrases import DIAL_IN_PHRASES
from dispatcher.alerts.phrases import PHRASES
from dispatcher.model.alert import Acknowledgement, Alert, AlertState
from dispatcher.provider import DialIn, DialInAnswer, Say, Transfer
from dispatcher.provider.xoxzo.dial_ins import XoxzoDialIns
from support.alerts import BEGAN, alert
from support.dial_in_records import ANN, ANNS_OTHER, BOB, STRANGER, Remembered


def an_alert(
    id_: str, summary: str, state: AlertState = AlertState.RINGING, **fields: Any
) -> Alert:
    return alert(id=id_, summary=summary, state=state, **fields)


DISK = an_alert("1", "Disk full on db1")
CPU = an_alert("2", "CPU high on web1")
BACKUP = an_alert("3", "Backup failed", AlertState.UNREACHED)


def had_by(who: str, how: Acknowledgement = Acknowledgement.DIAL_IN, **fields: Any) -> Alert:
    known = {"acknowledged_by": who, "acknowledged_how": how, "acknowledged_at": BEGAN, **fields}
    return an_alert("1", "Disk full on db1", AlertState.ACKNOWLEDGED, **known)


def said(answer: DialInAnswer) -> str:
    assert isinstance(answer, Say)
    return answer.text


def hear(dial_ins: DialIns, number: str | None = ANN) -> str:
    return said(dial_ins.answer(DialIn(number)))


def test_calling_back_acknowledges_the_alert_that_called_last() -> None:
    records = Remembered({ANN: [DISK, CPU, BACKUP]})
    heard = hear(records.dial_ins())
    assert heard == (
        "Disk full on db1: acknowledged. 2 more alerts wait. Call again for the next one."
    )
    assert records.acknowledged == [("1", "ann")]


def test_who_is_asked_for_again_hears_the_same_and_nothing_is_done() -> None:
    """The provider asks again where an answer was lost, and anybody may replay a request."""
    records = Remembered({ANN: [DISK, CPU]})
    dial_ins = records.dial_ins()
    first = hear(dial_ins)
    records.now += timedelta(seconds=14)
    assert hear(dial_ins) == first
    assert records.acknowledged == [("1", "ann")]


def test_calling_again_acknowledges_the_next() -> None:
    records = Remembered({ANN: [DISK, CPU, BACKUP]})
    dial_ins = records.dial_ins()
    heard = []
    for _ in range(4):
        heard.append(hear(dial_ins))
        records.now += timedelta(seconds=20)
    assert heard[1:] == [
        "CPU high on web1: acknowledged. One more alert waits. Call again for the next one.",
        "Backup failed: acknowledged.",
        "Disk full on db1: you have it already.",
    ]


def test_what_rings_comes_before_what_came_to_its_end() -> None:
    records = Remembered({ANN: [BACKUP, CPU]})
    assert hear(records.dial_ins()).startswith("CPU high on web1: acknowledged.")


def test_a_person_is_known_by_any_of_their_numbers() -> None:
    earlier = an_alert("4", "Fan failed", rung_at=BEGAN)
    later = an_alert("5", "Link down", rung_at=BEGAN + timedelta(minutes=1))
    records = Remembered({ANN: [earlier], ANNS_OTHER: [later]})
    assert hear(records.dial_ins(), ANN).startswith("Link down: acknowledged. One more")
    assert records.acknowledged == [("5", "ann")]


def test_of_two_who_call_at_once_one_has_it_and_the_other_hears_who() -> None:
    records = Remembered({ANN: [DISK, CPU]}, meanwhile=had_by("bob"))
    heard = hear(records.dial_ins())
    assert heard.startswith("Disk full on db1: bob has it. One more alert waits.")


def test_two_requests_for_one_call_both_say_that_it_is_acknowledged() -> None:
    records = Remembered({ANN: [DISK]}, meanwhile=had_by("ann"))
    assert hear(records.dial_ins()) == "Disk full on db1: acknowledged."


@pytest.mark.parametrize(
    ("found", "heard"),
    [
        (had_by("bob"), "Disk full on db1: bob has it."),
        (had_by("console:sam"), "Disk full on db1: sam has it."),
        (had_by("+8180****0004"), "Disk full on db1: 0, 0, 0, 4 has it."),
        (had_by("ann", Acknowledgement.CONSOLE), "Disk full on db1: you have it already."),
        (
            an_alert("1", "Disk full on db1", AlertState.RESOLVED),
            "Disk full on db1: resolved. There is nothing to do.",
        ),
        (
            an_alert("1", "Disk full on db1", AlertState.CANCELLED),
            "Disk full on db1: somebody cancelled its calls.",
        ),
    ],
)
def test_who_calls_for_what_needs_nobody_hears_how_it_stands(found: Alert, heard: str) -> None:
    records = Remembered({ANN: [found]})
    assert hear(records.dial_ins()) == heard
    assert records.acknowledged == []


def test_an_alert_that_ends_before_it_is_acknowledged_is_told_as_ended() -> None:
    ended = an_alert("1", "Disk full on db1", AlertState.RESOLVED)
    records = Remembered({ANN: [DISK]}, meanwhile=ended)
    assert hear(records.dial_ins()) == "Disk full on db1: resolved. There is nothing to do."


def test_a_folded_alert_is_its_bundles_matter() -> None:
    folded = an_alert("7", "Ping lost", AlertState.FOLDED)
    records = Remembered({ANN: [folded]})
    assert hear(records.dial_ins()).startswith("No alert has called you.")


def test_a_bundle_is_acknowledged_as_one() -> None:
    bundle = an_alert("8", "Disk full on db1", members=3, firing_members=3)
    heard = hear(Remembered({ANN: [bundle]}).dial_ins())
    assert heard == "3 alerts acknowledged. The worst is Disk full on db1."


def test_somebody_without_an_alert_hears_that_there_is_none() -> None:
    assert hear(Remembered().dial_ins()).startswith("No alert has called you.")


def test_a_hidden_number_hears_how_else_to_acknowledge() -> None:
    records = Remembered({ANN: [DISK]})
    heard = hear(records.dial_ins(unknown=STRANGER), None)
    assert "hidden" in heard
    assert "console" in heard
    assert records.acknowledged == []


def test_a_stranger_hears_nothing_of_any_alert() -> None:
    records = Remembered({ANN: [DISK]})
    assert hear(records.dial_ins(), STRANGER) == "Your number is not known here. Goodbye."


def test_a_stranger_is_transferred_where_somebody_chose_that() -> None:
    answer = Remembered().dial_ins(unknown=BOB).answer(DialIn(STRANGER))
    assert answer == Transfer(BOB)


@pytest.mark.parametrize("on_call", [None, Remembered().on_call])
def test_a_number_that_an_alert_called_is_known_without_a_contact(on_call: Any) -> None:
    records = Remembered({STRANGER: [DISK]}, on_call=on_call)
    assert hear(records.dial_ins(), STRANGER) == "Disk full on db1: acknowledged."
    assert records.acknowledged == [("1", "+8180****0004")]


def test_without_redis_nothing_is_said_to_be_acknowledged() -> None:
    records = Remembered({ANN: [DISK]}, away=True)
    assert "was not acknowledged" in hear(records.dial_ins())


def test_where_an_answer_was_lost_nobody_is_told_that_it_is_not_theirs() -> None:
    """They would not do anything about an alert for which nobody else is called."""
    records = Remembered({ANN: [DISK]}, answer_lost=True)
    dial_ins = records.dial_ins()
    assert hear(dial_ins).startswith("We cannot say whether the alert was acknowledged.")
    records.now += timedelta(minutes=1)
    assert hear(dial_ins) == "Disk full on db1: you have it already."


def test_nothing_is_acknowledged_for_somebody_who_was_answered_already() -> None:
    records, turn = Remembered({ANN: [DISK]}), Turn()
    turn.give_up()
    answer = records.dial_ins().answer(DialIn(ANN), turn)
    assert "was not acknowledged" in said(answer)
    assert records.acknowledged == []


def test_each_call_is_logged_without_numbers_and_texts(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    dial_ins = Remembered({ANN: [DISK]}).dial_ins()
    for caller in (ANN, BOB, STRANGER, None):
        dial_ins.answer(DialIn(caller))
    assert [record.message for record in caplog.records] == [
        "ann called back: alert 1: acknowledged",
        "bob called back: no alert has called them",
        "a number that is not known called: +8180****0004",
        "somebody with a hidden number called: nothing was acknowledged",
    ]


def test_each_hears_their_own_language() -> None:
    records = Remembered({BOB: [an_alert("1", "ディスク不足")]})
    answer = records.dial_ins().answer(DialIn(BOB))
    assert answer == Say("ディスク不足。確認しました。", "ja")


def test_a_language_without_sentences_is_answered_in_english() -> None:
    answer = Remembered().dial_ins(lang="fi").answer(DialIn(STRANGER))
    assert answer == Say("Your number is not known here. Goodbye.", "en")


def test_every_language_of_an_alert_has_an_answer_with_the_same_gaps() -> None:
    assert DIAL_IN_PHRASES.keys() == PHRASES.keys()
    english = DIAL_IN_PHRASES["en"]
    for lang, phrases in DIAL_IN_PHRASES.items():
        for name, text, wanted in zip(phrases._fields, phrases, english, strict=True):
            assert text.strip(), (lang, name)
            assert gaps(text) == gaps(wanted), (lang, name)


def gaps(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


ALERTS = st.builds(
    lambda n, state, who, how, ago: an_alert(
        str(n),
        f"Alert {n}",
        state,
        acknowledged_by=who,
        acknowledged_how=how,
        acknowledged_at=BEGAN - timedelta(seconds=ago),
    ),
    st.integers(1, 9),
    st.sampled_from(AlertState),
    st.sampled_from(["ann", "bob"]),
    st.sampled_from(Acknowledgement),
    st.integers(0, 30),
)


@given(st.lists(ALERTS, max_size=6, unique_by=lambda each: each.id))
def test_one_call_acknowledges_one_alert_at_most_and_only_what_waits(rung: list[Alert]) -> None:
    pick = picked(rung, "ann", BEGAN)
    waiting = [each for each in rung if each.state in {AlertState.RINGING, AlertState.UNREACHED}]
    assert pick.waits == max(0, len(waiting) - pick.acknowledge)
    assert pick.acknowledge == (bool(waiting) and not pick.new)
    if pick.acknowledge:
        assert pick.alert in waiting
        rings = any(each.state is AlertState.RINGING for each in waiting)
        assert (pick.alert.state is AlertState.RINGING) == rings
    if pick.new and pick.alert:
        assert (pick.alert.acknowledged_by, pick.alert.state) == ("ann", AlertState.ACKNOWLEDGED)


HOSTILE = ['" transfer +81', '\nsay en "x"', "{who.__class__}", "{0}", "💥", "", "\x00", "a" * 5000]


@pytest.mark.parametrize("summary", HOSTILE)
@pytest.mark.parametrize("lang", DIAL_IN_PHRASES)
def test_whatever_monitoring_wrote_one_sentence_is_said(summary: str, lang: str) -> None:
    records = Remembered({STRANGER: [an_alert("1", summary)]})
    answer = records.dial_ins(lang=lang).answer(DialIn(STRANGER))
    body, _ = XoxzoDialIns().dial_in_answer(answer)
    assert body.decode().startswith(f'say {lang} "')
    assert body.count(b'"') == 2
    assert len(said(answer)) < 500
