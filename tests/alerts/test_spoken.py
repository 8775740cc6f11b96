"""The text of an alert's call."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dispatcher.alerts.phrases import PHRASES
from dispatcher.alerts.spoken import LONGEST_SPOKEN, MOST_CHARACTERS, HowTo, spoken, voice
from dispatcher.model.alert import AlertState, Severity
from dispatcher.model.alert_texts import Texts
from dispatcher.model.request_limits import LONGEST_TEXT
from dispatcher.values import speech
from support.alerts import BEGAN, alert

JAPAN, ABROAD = "+818012340001", "+447700900123"
CALL_BACK = HowTo("+81312345678")
SPELLED = re.compile(r"\d(?:,,\d)+")
NEVER_SAID = re.compile(r"://|[0-9a-f]{8}-[0-9a-f]{4}-|\d{7}|\{|\}", re.IGNORECASE)


def test_it_says_what_is_wrong_and_how_to_take_it_twice() -> None:
    once = "Critical alert: Disk full on db1. To take it over, call 0,,3,,1,,2,,3,,4,,5,,6,,7,,8."
    said = spoken(alert(), lang="en", how_to=CALL_BACK, to=JAPAN)
    assert said == f"{once} Once more. {once}"


def test_from_abroad_the_number_is_said_with_its_country() -> None:
    said = spoken(alert(), lang="en", how_to=CALL_BACK, to=ABROAD)
    assert "call +8,,1,,3,,1,,2,,3,,4,,5,,6,,7,,8." in said


def test_without_a_number_it_names_the_console() -> None:
    assert "open the console" in spoken(alert(), lang="en")


def test_who_has_it_by_answering_is_told_so() -> None:
    assert "You have it now" in spoken(alert(), lang="en", how_to=HowTo(answered=True))


def test_japanese() -> None:
    said = spoken(alert(summary="ディスク容量不足 95%"), lang="ja")
    assert said.startswith("緊急アラートです。ディスク容量不足 95パーセント。対応する方は、")
    assert "。繰り返します。緊急アラートです。" in said


def test_a_summary_that_ends_a_sentence_does_not_end_two() -> None:
    assert "db1. To" in spoken(alert(summary="Disk full on db1."), lang="en")


def test_a_bundle_says_how_many_fire_and_the_worst() -> None:
    members = [
        alert(id="1", severity=Severity.WARNING, summary="Slow"),
        alert(id="2", summary="Down", started_at=BEGAN + timedelta(minutes=1)),
        alert(id="3", summary="Disk full on db1"),
        alert(
            id="4", summary="Over", started_at=BEGAN - timedelta(days=1), state=AlertState.RESOLVED
        ),
    ]
    bundle = alert(source="bundle", summary="", members=4, firing_members=3)
    said = spoken(bundle, members, lang="en")
    assert said.startswith(
        "3 alerts at once. The worst is this. Critical alert: Disk full on db1. "
    )
    assert "Slow" not in said


def test_a_bundle_of_one_that_fires_is_told_of_as_that_one() -> None:
    members = [alert(id="1", state=AlertState.RESOLVED), alert(id="2", summary="Down")]
    said = spoken(alert(members=2, firing_members=1, summary=""), members, lang="en")
    assert said.startswith("Critical alert: Down. ")


def test_a_storm_whose_members_are_not_all_known_is_counted_whole() -> None:
    bundle = alert(source="bundle", members=500, firing_members=480)
    assert spoken(bundle, [alert()], lang="en").startswith("480 alerts at once.")


def test_what_is_resolved_asks_for_nothing() -> None:
    said = spoken(alert(state=AlertState.RESOLVED), lang="en", how_to=CALL_BACK)
    assert said.startswith("Resolved: Disk full on db1. There is nothing to do.")
    assert "call" not in said


def test_a_drill_says_so_first() -> None:
    assert spoken(alert(source="drill"), lang="en").startswith("This is a drill. Critical")


@pytest.mark.parametrize(
    ("labels", "named"),
    [
        ({"alertname": "HighErrorRate", "instance": "db1:9100"}, "High Error Rate db1"),
        ({"instance": "db1"}, "db1"),
        ({}, "an alert without a name that can be read"),
    ],
)
def test_without_a_summary_that_can_be_said_it_is_named_by_its_labels(
    labels: dict[str, str], named: str
) -> None:
    said = spoken(alert(summary="ディスク容量不足", labels=labels), lang="en")
    assert said.startswith(f"Critical alert: {named}. ")


def test_who_speaks_a_language_that_we_do_not_is_spoken_to_in_english() -> None:
    assert voice("th") == voice(None) == "en"
    assert voice("ja") == "ja"
    assert spoken(alert(), lang="th") == spoken(alert(), lang="en")


def test_users_say_it_in_words_of_their_own() -> None:
    own = {"en": Texts(alert="{severity} at ACME: {what}, team {label.team}", again="Again")}
    said = spoken(alert(labels={"team": "blue_team"}), lang="en", templates=own)
    assert said.startswith("Critical alert at ACME: Disk full on db1, team blue team. To take it")
    assert ". Again. " in said


def test_users_teach_it_a_language() -> None:
    own = {"pl": Texts(alert="Alarm: {what}", bundle="{many} alarmów: {what}")}
    assert voice("pl", own) == "pl"
    assert spoken(alert(), lang="pl", templates=own) == (
        "Alarm: Disk full on db1. Alarm: Disk full on db1."
    )
    assert not own["pl"].lacks
    assert Texts(alert="Alarm: {what}").lacks == ["bundle"]


def test_what_cannot_be_a_text_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match=r"\{waht\} is no gap of a text: \{severity\}"):
        Texts(alert="{waht}")
    with pytest.raises(ValidationError, match="at most 300 printable"):
        Texts(bundle="x" * 301)


labels = st.dictionaries(
    st.sampled_from(["alertname", "instance", "job", "team"]), st.text(max_size=60), max_size=4
)
alerts = st.builds(
    alert,
    summary=st.text(max_size=300),
    labels=labels,
    severity=st.sampled_from(Severity),
    state=st.sampled_from(AlertState),
    source=st.sampled_from(["alertmanager", "drill", "bundle"]),
    firing_members=st.integers(0, 500),
)


@given(
    told=alerts,
    members=st.lists(alerts, max_size=4),
    lang=st.sampled_from([*PHRASES, "pl"]),
    how_to=st.sampled_from([HowTo(), CALL_BACK, HowTo(answered=True), HowTo("+862112345678901")]),
)
def test_every_text_is_bounded_and_says_something(told, members, lang, how_to) -> None:  # type: ignore[no-untyped-def]
    said = spoken(told, members, lang=lang, how_to=how_to)
    assert not NEVER_SAID.search(SPELLED.sub("", said))
    assert said.isprintable()
    assert any(map(str.isalpha, said))
    assert len(said) <= MOST_CHARACTERS <= LONGEST_TEXT
    assert speech.seconds(said, voice(lang)) <= LONGEST_SPOKEN


@pytest.mark.parametrize("lang", PHRASES)
def test_the_longest_text_of_ours_is_said_twice_in_time(lang: str) -> None:
    """Where it were longer it would be said once only."""
    longest = alert(summary="the replication lag of the standby " * 30, source="drill")
    said = spoken(longest, [longest] * 100, lang=lang, how_to=HowTo("+862112345678901"))
    assert said.count(PHRASES[lang].again) == 1
    assert 40 < speech.seconds(said, lang) <= LONGEST_SPOKEN
