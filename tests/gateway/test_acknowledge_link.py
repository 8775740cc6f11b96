"""The link to an alert: a page with one button, and only the button acts."""

from __future__ import annotations

import pytest

from dispatcher.model.alert import Acknowledgement, AlertState
from dispatcher.store import Store
from dispatcher.values.alert_links import LIFETIME, AlertLinks, link_secret_from_key
from support.console_client import Reader
from support.gateway_process import KEY, Gateway
from support.seen_alerts import called, event, reported

LINKS = AlertLinks("", [link_secret_from_key(KEY)])


@pytest.fixture
def alert(store: Store) -> str:
    (id_,) = reported(store, event(summary="<b>Disk</b> full on +818011234567"))
    return id_


def link(store: Store, id_: str) -> str:
    return LINKS.of(id_, store.now())


def test_opening_it_shows_the_alert_and_changes_nothing(
    gateway: Gateway, store: Store, alert: str
) -> None:
    """As chats and mail programs do by themselves, by GET and by HEAD."""
    before = store.alerts.get(alert).version
    for method in ("HEAD", "GET"):
        answer = gateway.ask(method, link(store, alert))
        assert answer.status_code == 200
    page = Reader(answer.text)
    assert "Critical: <b>Disk</b> full on +8180****4567" in page.text
    assert "<b>Disk" not in answer.text
    assert "818011234567" not in answer.text
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert store.alerts.get(alert).version == before
    assert store.alerts.get(alert).state is AlertState.RINGING


@pytest.mark.parametrize(("name", "by"), [("Ann  B.", "Ann B."), ("", "somebody with the link")])
def test_the_button_takes_it(
    gateway: Gateway, store: Store, alert: str, name: str, by: str
) -> None:
    job = called(store, alert)
    answer = gateway.ask("POST", link(store, alert), data={"by": name})
    assert answer.status_code == 200
    assert f"{by} has it since" in Reader(answer.text).text
    found = store.alerts.get(alert)
    assert (found.acknowledged_by, found.acknowledged_how) == (by, Acknowledgement.LINK)
    assert store.jobs.get(job).state == "cancelled"
    again = gateway.ask("POST", link(store, alert), data={"by": "Bob"})
    assert (again.status_code, f"{by} has it since" in Reader(again.text).text) == (200, True)
    assert "<button" not in gateway.ask("GET", link(store, alert)).text


def test_what_is_resolved_cannot_be_taken(gateway: Gateway, store: Store, alert: str) -> None:
    reported(store, event(firing=False))
    shown = gateway.ask("GET", link(store, alert))
    assert (shown.status_code, "<button" in shown.text) == (200, False)
    assert "has been resolved since" in shown.text
    answer = gateway.ask("POST", link(store, alert))
    assert (answer.status_code, "nobody had it" in answer.text) in {(409, True), (415, False)}
    answer = gateway.ask("POST", link(store, alert), data={"by": "Ann"})
    assert answer.status_code == 409
    assert "nobody had it" in answer.text


def test_what_we_did_not_make_leads_nowhere(gateway: Gateway, store: Store, alert: str) -> None:
    whole = link(store, alert)
    old = LINKS.of(alert, store.now() - (LIFETIME + 60) * 1000)
    other = AlertLinks("", ["another secret of its own"]).of(alert, store.now())
    for path, status in ((whole[:-1], 404), (other, 404), (old, 410), (f"{whole}/more", 404)):
        for method in ("GET", "POST"):
            assert gateway.ask(method, path, data={"by": "x"}).status_code == status, path
    gone = LINKS.of("nosuchalert", store.now())
    assert gateway.ask("GET", gone).status_code == 404
    assert gateway.ask("DELETE", whole).status_code == 405
    assert store.alerts.get(alert).state is AlertState.RINGING


def test_a_name_that_is_none_is_refused(gateway: Gateway, store: Store, alert: str) -> None:
    for fields in ({"by": "x" * 41}, {"by": ["a"] * 3000}):
        assert gateway.ask("POST", link(store, alert), data=fields).status_code in {400, 413, 422}
    assert store.alerts.get(alert).state is AlertState.RINGING


def test_no_secret_of_a_link_is_logged(gateway: Gateway, store: Store, alert: str) -> None:
    whole = link(store, alert)
    gateway.ask("GET", whole)
    gateway.ask("POST", whole, data={"by": "Ann"})
    assert whole.rpartition("/")[2] not in gateway.log
