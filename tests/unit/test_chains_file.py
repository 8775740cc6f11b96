"""The chains file: what it says, and every fault with its line."""

from __future__ import annotations

import re
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from pydantic import BaseModel

from dispatcher.alerts.chains_file import InvalidChainsFile, load, parse
from dispatcher.alerts.chains_warnings import warnings
from dispatcher.model.on_call import Chain, Contact, Drill, OnCall, Rota, Route, Step, Storm
from support.doc_pages import ROOT, blocks

EXAMPLE = """
contacts:
  ann: {number: "+818012340002", lang: en}
  bob: {number: "+818012340001", lang: ja}
chains:
  database:
    steps:
      - {call: [ann], times: 2, every: 1m}
      - {call: [bob]}
    repeat: 3
routes:                       # first match wins; labels of the alert
  - {match: {severity: critical}, chain: database}
  - {chain: database}
"""

LONG_HOLIDAY = """
rotas:
  r: {members: a, start: 2026-01-05, holidays: [{who: a, from: 0001-01-01, to: 2026-01-06}]}
"""


def read(text: str) -> OnCall:
    return parse(text.encode(), "chains.yaml")


def faults(text: str | bytes) -> list[str]:
    with pytest.raises(InvalidChainsFile) as raised:
        parse(text if isinstance(text, bytes) else text.encode(), "chains.yaml")
    return str(raised.value).splitlines()


def test_the_least_that_must_be_understood() -> None:
    on_call = read(EXAMPLE)
    assert on_call.contacts["ann"].numbers == ("+818012340002",)
    first, second = on_call.chains["database"].steps
    assert (first.times, first.every, second.call) == (2, timedelta(minutes=1), ("bob",))
    assert on_call.chains["database"].repeat == 3
    route = on_call.route({"severity": "critical"})
    assert route is not None
    assert (route.chain, route.called) == ("database", True)


def test_all_that_a_file_may_say() -> None:
    on_call = read("""
region: JP
defaults: {repeat_after: 1h, storm: {more_than: 3, within: 10m}}
contacts:
  ann: {number: 080-1234-0002, hours: 08:00-21:00, zone: Asia/Tokyo}
  bob: {numbers: ["+818012340001", 03-1234-5678]}
teams:
  ops: [ann, bob]
rotas:
  primary:
    members: [ann, bob]
    start: 2026-01-05
    turn: 7d
    handover: 10:00
    zone: Asia/Tokyo
    holidays:
      - {who: bob, from: 2026-12-24, to: 2026-12-27, why: leave}
      - {who: nobody, from: 2027-01-01T00:00, to: 2027-01-01T09:00}
chains:
  database:
    steps: [{call: primary, times: 2}, {call_in_turn: ops, wait: 5m}]
    until: answered
    repeat_after: 4h
    tell_resolved: yes
routes:
  - {match: {severity: info}, chain: none}
  - {match: {team: [db, storage], host: ~db\\d+}, chain: database}
drills: [{chain: database, every: mon, at: 10:00, zone: Asia/Tokyo}]
""")
    assert on_call.contacts["ann"].numbers == ("+818012340002",)
    assert on_call.contacts["bob"].numbers == ("+818012340001", "+81312345678")
    rota, chain = on_call.rotas["primary"], on_call.chains["database"]
    assert (rota.start, rota.turn, rota.handover) == (date(2026, 1, 5), timedelta(days=7), "10:00")
    assert (chain.repeat_after, chain.storm.more_than) == (timedelta(hours=4), 3)
    assert (chain.tell_resolved, chain.until) == (True, "answered")
    info, named, none = (
        on_call.route(labels)
        for labels in (
            {"severity": "info"},
            {"team": "storage", "host": "db12"},
            {"team": "storage", "host": "web1"},
        )
    )
    assert info is not None
    assert named is not None
    assert (info.called, named.chain, none) == (False, "database", None)
    assert OnCall.model_validate_json(on_call.model_dump_json()) == on_call


def test_the_only_chain_takes_all_alerts() -> None:
    on_call = read(
        "contacts: {ann: {number: '+818012340002'}}\nchains: {all: {steps: [{call: ann}]}}"
    )
    route = on_call.route({"anything": "at all"})
    assert route is not None
    assert route.chain == "all"


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("contacts:\n  ann: {number: 080-1234-0002}", 2, "has no country code"),
        ("contacts:\n  ann: {}", 2, "contacts.ann.numbers: it is missing"),
        ("contacts:\n  a b: {number: '+818012340002'}", 2, "is no name"),
        ("contacts:\n  ann: {number: '+818012340002', hours: 9-5}", 2, "08:00-21:00"),
        ("contacts:\n  ann: {number: '+818012340002', zone: Tokyo}", 2, "is not a time zone"),
        ("contacts:\n  ann: {number: '+818012340002', lang: xx}", 2, "is not a language"),
        ("contacts: {}\ncontacts: {}", 2, "stands here a second time"),
        ("chains:\n  x:\n    steps: []", 3, "it is empty"),
        ("chains:\n  x:\n    steps:\n      - {times: 2}", 4, "give either `call`"),
        ("chains:\n  x:\n    steps:\n      - {call: ann}", 4, "there is no contact, team or rota"),
        ("chains:\n  x:\n    steps:\n      - {call: ann, every: soon}", 4, "is not a duration"),
        ("chains:\n\tx: 1", 2, "indent with spaces"),
        ("chain: {}", 1, "there is no such option"),
        ("- 1", 1, "is not a set of named fields"),
        ("a: &a [1]\nb: *c", 2, "it is not YAML"),
        ("routes:\n  - {chain: nothing}", 2, "there is no chain 'nothing'"),
        ("routes:\n  - {match: {a: '~('}, chain: none}", 2, "is no pattern"),
        ("teams:\n  ops: []", 2, "it has nobody"),
        ("region: XX", 1, "is not a country code"),
        ("rotas:\n  r: {members: [ann], start: 2026-02-30}", 2, "is not a day: write 2026-01-31"),
        ("rotas:\n  r: {members: [ann], start: 2026-02-03, turn: 36h}", 2, "whole days"),
        ("rotas:\n  r: {members: [ann], start: 86400}", 2, "is not a day: write 2026-01-31"),
        ("rotas:\n  r: {members: [ann], start: 9999-12-31}", 2, "the year 9999 is not one"),
        ("rotas:\n  r: {members: [ann], start: 2026-01-05, handover: 9}", 2, "write 09:00"),
        ("rotas:\n  r: {members: [a], start: 2026-01-05, handover: 09:00+09:00}", 2, "write 09:00"),
        (LONG_HOLIDAY, 3, "holidays[1]: the year 1 is not one"),
        ("", 1, "chains: there is none: nobody would be called"),
        ("contacts:\nchains: # none left\n", 2, "chains: there is none"),
        ("contacts:\n  ann:\n", 2, "contacts.ann: it is empty"),
        ("routes:\n  - {match: {a: '~(a+)+b'}, chain: none}", 2, "could take for very long"),
        ("drills:\n  - {chain: x, every: month}", 2, "drills[1].every"),
        (b"a: \xff", 1, "it is not UTF-8"),
        ("a: \x07", 1, "a character that YAML does not allow"),
        ("chains: " + "[" * 200, 1, ""),
        (
            "a: &a [1,1,1,1,1,1]\n"
            + "".join(f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in pairwise("abcdef")),
            1,
            "too many values",
        ),
    ],
)
def test_each_fault_is_told_with_its_line(text: str | bytes, line: int, told: str) -> None:
    found = faults(text)
    assert any(told in each for each in found), found
    assert any(each.startswith(f"chains.yaml:{line}:") for each in found), found


def test_a_likely_name_is_told_and_all_faults_at_once() -> None:
    found = faults(
        EXAMPLE.replace("[bob]", "[bobb]").replace("chain: database}\n  -", "chain: databse}\n  -")
    )
    assert [each.partition(": ")[2] for each in found] == [
        (
            "chains.database.steps[2].call: there is no contact, team or rota 'bobb':"
            " do you mean 'bob'?"
        ),
        "routes[1].chain: there is no chain 'databse': do you mean 'database'?",
    ]
    assert [each.split(":")[1] for each in found] == ["9", "12"]


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidChainsFile, match="cannot be read: No such file"):
        load(tmp_path / "chains.yaml")


def test_a_number_is_not_repeated_whole(tmp_path: Path) -> None:
    (found,) = faults("contacts: {ann: {number: '+8108012340002'}}")
    assert "8012340002" not in found


def test_texts_are_of_a_language_and_have_gaps_that_there_are() -> None:
    texts = (
        'texts:\n  en: {alert: "{severity} at ACME: {what}", severities: {critical: Emergency}}\n'
    )
    assert read(EXAMPLE + texts).texts["en"].alert == "{severity} at ACME: {what}"
    again = OnCall.model_validate_json(read(EXAMPLE + texts).model_dump_json())
    assert again.texts["en"].severities == {"critical": "Emergency"}
    wrong = """texts:
  en: {alert: "{waht}"}
  xx: {alert: "{what}"}
  pl: {alert: "{what}"}
"""
    told = faults(EXAMPLE + wrong)
    assert any("{waht} is no gap of a text" in line for line in told)
    assert any("'xx' is not a language" in line for line in told)
    lacking = faults(EXAMPLE + 'texts:\n  pl: {alert: "{what}"}\n')
    assert lacking == ["chains.yaml:15: texts.pl: we have no words in it: give bundle as well"]


def documented() -> list[str]:
    text = (Path(__file__).parents[2] / "docs/how-to/chains.md").read_text()
    return re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)


def test_the_examples_of_the_documentation_are_right() -> None:
    least, longer = documented()
    assert least.strip() == EXAMPLE.strip()
    on_call = read(longer)
    assert on_call.contacts["bob"].numbers == ("+818012340001", "+81312345678")
    chosen = [
        on_call.route(labels)
        for labels in (
            {"severity": "info", "job": "mysql"},
            {"severity": "critical", "job": "mysqld-exporter"},
            {"team": "office", "severity": "warning"},
            {},
        )
    ]
    assert [route and route.chain for route in chosen] == ["none", "database", "office", "database"]
    assert list(warnings(on_call)) == []


def test_the_example_of_the_page_about_being_on_call_is_right() -> None:
    (example,) = blocks((ROOT / "docs/how-to/on-call.md").read_text(), "yaml")
    assert list(warnings(read(example))) == []


@pytest.mark.parametrize("part", [Contact, Rota, Chain, Step, Route, Drill, Storm, OnCall])
def test_the_documentation_has_every_field(part: type[BaseModel]) -> None:
    text = (Path(__file__).parents[2] / "docs/how-to/chains.md").read_text()
    missing = [name for name in part.model_fields if not re.search(rf"`{name}`|\b{name}:", text)]
    assert missing == []
