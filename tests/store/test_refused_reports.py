"""Reports of monitoring that were refused are kept for people, and a flood tells of itself once."""

from __future__ import annotations

from dispatcher.store import Store
from support.clock import Clock


def told(store: Store) -> list[tuple[str, int]]:
    events = [event for event in store.events.after() if event.kind == "alert.refused"]
    return [(event.facts["by"], event.facts["many"]) for event in events]


def test_what_was_refused_is_kept_by_sender_with_the_latest_reason(store: Store) -> None:
    store.refused_reports.note("alertmanager", "no list", sender="prom")
    store.refused_reports.note("alertmanager", "of +818012340001", sender="prom", many=3)
    store.refused_reports.note("grafana", "the API key is missing")
    found = {(each.source, each.sender): each for each in store.refused_reports.all()}
    assert found["alertmanager", "prom"].many == 4
    assert str(found["alertmanager", "prom"]) == "alertmanager with the key prom: of +8180****0001"
    assert str(found["grafana", ""]) == "grafana: the API key is missing"
    assert store.statistics.counters()["alert.refused"] == 5


def test_one_sender_is_told_of_once_in_ten_minutes(store: Store, clock: Clock) -> None:
    for _ in range(50):
        store.refused_reports.note("alertmanager", "no list", sender="prom")
    store.refused_reports.note("alertmanager", "no list", sender="other")
    assert told(store) == [("prom", 1), ("other", 1)]
    clock.forward(601)
    store.refused_reports.note("alertmanager", "no list", sender="prom")
    assert told(store)[2:] == [("prom", 1)]


def test_a_clock_that_went_back_keeps_nothing_from_being_told(store: Store, clock: Clock) -> None:
    clock.forward(86_400)
    store.refused_reports.note("zabbix", "x", sender="z")
    clock.forward(-86_400)
    store.refused_reports.note("zabbix", "x", sender="z")
    assert len(told(store)) == 2
