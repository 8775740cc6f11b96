"""Alerts in the console: the list, one whole, and the two things to do."""

from __future__ import annotations

import pytest

from dispatcher.model.alert import AlertState
from dispatcher.store import Store
from support.console_client import MASKED, RECIPIENT, Person
from support.seen_alerts import called, event, reported, unreached

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{7*7}}"


def test_alerts_are_listed_and_numbers_in_them_masked(reader: Person, store: Store) -> None:
    assert "Nothing needs anybody" in reader.page("/console/alerts").text
    assert "No alerts yet." in reader.page("/console/alerts?all=1").text
    one, two = (
        reported(store, event(name, summary=f"{name}: {RECIPIENT}"))[0] for name in ("a", "b")
    )
    unreached(store, two)
    answer = reader.get("/console/alerts").text
    assert RECIPIENT not in answer
    assert f"a: {MASKED}" in answer
    assert f'href="/console/alerts/{one}"' in answer
    page = reader.page("/console/alerts?state=unreached").text
    assert "b: " in page
    assert "a: " not in page
    assert "No alert is resolved." in reader.page("/console/alerts?state=resolved").text
    assert reader.get("/console/alerts?state=lost").status_code == 200


def test_a_long_list_has_older_pages(reader: Person, store: Store) -> None:
    for n in range(60):
        reported(store, event(str(n), summary=f"alert {n:03}"))
    first = reader.page("/console/alerts?all=1")
    (older,) = (each for each in first.links if "cursor" in each)
    second = reader.page(older)
    assert "alert 059" in first.text
    assert "alert 000" in second.text
    assert "alert 059" not in second.text


def test_an_alert_is_shown_with_its_calls_and_its_timeline(reader: Person, store: Store) -> None:
    (id_,) = reported(store, event(annotations={"description": f"call {RECIPIENT}"}))
    job = called(store, id_)
    answer = reader.get(f"/console/alerts/{id_}").text
    assert RECIPIENT not in answer
    page = reader.page(f"/console/alerts/{id_}")
    assert "The chain database is under way" in page.text
    assert "+8180****0002" in page.text
    assert f"/console/jobs/{job}" in page.links
    assert "by monitoring" in page.text
    assert not [form for form in page.forms if form.action.startswith("/console/alerts/")]
    assert reader.get("/console/alerts/nothere").status_code == 404


def test_somebody_has_it_and_nobody_else_is_called(operator: Person, store: Store) -> None:
    (id_,) = reported(store)
    job = called(store, id_)
    page = operator.page(f"/console/alerts/{id_}")
    operator.send(page, "/acknowledge", note="restarting it")
    shown = operator.page(f"/console/alerts/{id_}").text
    assert "Console:ops has it since" in shown
    assert "restarting it" in shown
    assert store.jobs.get(job).state == "cancelled"
    assert store.alerts.get(id_).acknowledged_how == "console"
    operator.send(page, "/acknowledge")  # of who has it already nothing is changed
    assert store.alerts.get(id_).acknowledged_by == "console:ops"


def test_calls_are_stopped(operator: Person, store: Store) -> None:
    (id_,) = reported(store)
    operator.send(operator.page(f"/console/alerts/{id_}"), "/cancel")
    assert store.alerts.get(id_).state is AlertState.CANCELLED
    page = operator.page(f"/console/alerts/{id_}")
    assert not [form for form in page.forms if form.action.endswith("/cancel")]


def test_what_has_ended_meanwhile_is_said(operator: Person, store: Store) -> None:
    (id_,) = reported(store)
    page = operator.page(f"/console/alerts/{id_}")
    reported(store, event(firing=False))
    answer = operator.send(page, "/acknowledge")
    assert answer.status_code == 409
    assert "has been resolved since" in answer.text


@pytest.mark.parametrize("act", ["acknowledge", "cancel"])
def test_who_only_looks_may_not_act(reader: Person, store: Store, act: str) -> None:
    (id_,) = reported(store)
    answer = reader.post(f"/console/alerts/{id_}/{act}", {"csrf": reader.token})
    assert answer.status_code == 403
    assert reader.post(f"/console/alerts/{id_}/{act}", {"note": "x"}).status_code == 403
    assert store.alerts.get(id_).state is AlertState.RINGING


def test_what_monitoring_wrote_is_text_alone(reader: Person, store: Store) -> None:
    wrote = {"labels": {"a": HOSTILE}, "annotations": {HOSTILE: HOSTILE}, "source": HOSTILE}
    (id_,) = reported(store, event(summary=HOSTILE, link="javascript:alert(1)", **wrote))
    for path in ("/console/alerts", f"/console/alerts/{id_}"):
        answer = reader.get(path).text
        assert "<script>alert" not in answer
        assert "<img src=x" not in answer
        assert "49" not in answer.replace(id_, "") or "{{7*7}}" in answer
        assert "javascript:" not in answer


def test_a_bundle_shows_what_is_in_it(reader: Person, store: Store) -> None:
    ids = reported(store, *(event(str(n), summary=f"alert {n}") for n in range(3)))
    bundle = store.alerts.get(ids[0]).told_by
    assert bundle
    page = reader.page(f"/console/alerts/{bundle}")
    assert "3, of which 3 fire." in page.text
    assert {f"/console/alerts/{id_}" for id_ in ids} <= set(page.links)
    assert f"/console/alerts/{bundle}" in reader.page(f"/console/alerts/{ids[0]}").links


def test_the_overview_says_that_alerts_ring_or_reached_nobody(reader: Person, store: Store) -> None:
    one, two = (reported(store, event(name))[0] for name in ("1", "2"))
    unreached(store, one)
    page = reader.page("/console")
    assert "Nobody could be reached for 1 alert" in page.text
    assert "1 alert rings, and nobody has it yet" in page.text
    assert "/console/alerts?state=unreached" in page.links
    for each in (one, two):
        store.alerts.acknowledge(each, by="ann", how="cli")  # type: ignore[arg-type]
    shown = reader.page("/console").text
    assert "could be reached" not in shown
    assert "rings" not in shown
