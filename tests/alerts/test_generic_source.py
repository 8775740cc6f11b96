"""The door for any JSON: its own form, mappings, and what a mapping may not do."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.alerts.sources import mapping
from dispatcher.alerts.sources.reading import Asked, Reading
from dispatcher.alerts.sources.registry import SOURCES
from dispatcher.model.alert import InvalidAlert, Severity

NOW = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)
LIBRARY = {
    "items": [
        {
            "guid": 7,
            "title": "Disk full",
            "state": "bad",
            "prio": "p3",
            "node": {"name": "db1"},
            "since": 1795903041,
        },
        {"guid": 8, "title": "Load", "state": "good", "node": {}},
        {"title": None, "state": "bad"},
    ]
}
MAPPED = {
    "alerts": "items",
    "id": "guid",
    "summary": "title",
    "firing": "state == 'bad'",
    "severity": "prio",
    "labels": "{host: node.name, kind: 'library'}",
    "started_at": "since",
}


def read(body: Any, query: dict[str, str] | None = None) -> Reading:
    return SOURCES["generic"](body, Asked(NOW, query or {}))


def test_its_own_form_needs_a_summary_alone() -> None:
    (event,) = read({"summary": "Disk full"}).events
    assert (event.fingerprint, event.firing, event.severity) == (
        "Disk full",
        True,
        Severity.CRITICAL,
    )


def test_its_own_form_may_say_all() -> None:
    alert = {
        "id": "disk-db1",
        "summary": "Disk full",
        "severity": "warning",
        "firing": "resolved",
        "started_at": "2026-11-28T21:00:00+09:00",
        "labels": {"team": "db"},
        "description": "95 percent",
        "link": "https://monitoring.example/7",
    }
    (event,) = read({"alerts": [alert]}).events
    assert not event.firing
    assert event.started_at == datetime(2026, 11, 28, 12, tzinfo=UTC)
    assert event.labels == {"severity": "warning", "team": "db"}
    assert (event.annotations, event.link) == ({"description": "95 percent"}, alert["link"])


def test_a_mapping_says_where_the_parts_stand() -> None:
    found = read(LIBRARY, MAPPED)
    full, load = found.events
    assert (full.fingerprint, full.firing, full.severity) == ("7", True, Severity.WARNING)
    assert full.labels == {"host": "db1", "kind": "library", "severity": "warning"}
    assert full.started_at == datetime.fromtimestamp(1795903041, UTC)
    assert (load.fingerprint, load.firing) == ("8", False)
    assert [each.alert for each in found.refused] == [2]


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"id": "a["}, "the expression for id is not JMESPath"),
        ({"id": ""}, "must have 1 to 300 characters"),
        ({"id": "x" * 301}, "must have 1 to 300 characters"),
        ({"id": "(" * 299}, "is not JMESPath"),
        ({"id": "sort_by(a, &b)"}, "uses sort_by(); it may use contains"),
        ({"id": "[a, b] | [@, @]"}, "one list or object"),
        ({"id": "to_string(to_string(to_string(to_string(@))))"}, "more than 3 functions"),
        ({"id": "length(a)"}, "does not fit the body"),
        ({"summary": "title", "firing": "title"}, "firing is 'disk'"),
        ({"summary": "title", "started_at": "title"}, "started_at is 'Disk'"),
        ({"alerts": "title"}, "alerts must be a list of alerts, and is a text"),
    ],
)
def test_a_mapping_that_is_wrong_says_so(query: dict[str, str], says: str) -> None:
    with pytest.raises(InvalidAlert) as caught:
        read({"title": "Disk", "a": 1}, query)
    assert says in str(caught.value)


WORDS = ("@", "a", "*", "[]", "[*]", "[0]", "[?a]", "|", "||", "&&", "!", "(", ")", "[", "]", "{a:")
WORDS += ("}", ",", "to_string(", "join('', ", "length(", "==", ".", "'x'", "`[1]`", "[::-1]", "&")
BODY = {"a": [["x" * 100] * 100] * 50}


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=60).map("".join))
def test_no_expression_takes_long(expression: str) -> None:
    began = time.process_time()
    with suppress(InvalidAlert):
        mapping.find("id", expression, BODY)
    assert time.process_time() - began < 2
