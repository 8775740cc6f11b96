"""What receivers are told of alerts."""

from __future__ import annotations

import json

from dispatcher.model.alert import Acknowledgement
from dispatcher.store import Store
from dispatcher.store.webhooks import Webhooks
from dispatcher.values.alert_links import PREFIX, AlertLinks
from support.clock import Clock
from support.seen_alerts import called, event, reported, unreached
from support.webhook_jobs import deliver, run, targets
from support.webhook_receiver import Receiver, account_secret

NUMBER = "+818011234567"
LINKS = AlertLinks("https://voice.example.com", ["a secret of links for tests"])


def told(webhooks: Webhooks, receiver: Receiver, *, whole: bool = False) -> list[dict]:  # type: ignore[type-arg]
    """Deliver what is due; return what the receiver got."""
    run(webhooks, deliver(webhooks, receiver.url, whole=whole, links=LINKS))
    secret = account_secret(receiver.url)
    found = [each.verified(secret) for each in receiver.got]
    receiver.got.clear()
    return sorted(found, key=lambda each: each["sequence"])


def test_each_change_of_an_alert_is_told_with_the_alert(
    store: Store, webhooks: Webhooks, receiver: Receiver, clock: Clock
) -> None:
    targets(store)
    (id_,) = reported(store, event(summary=f"{NUMBER} is down"))
    (ringing,) = told(webhooks, receiver)
    assert ringing["type"] == "alert.ringing"
    data = ringing["data"]
    assert (data["id"], data["state"], data["summary"]) == (id_, "ringing", "+8180****4567 is down")
    alert, expires, mac = data["acknowledge_url"].removeprefix(LINKS.base + PREFIX + "/").split("/")
    assert alert == id_
    LINKS.verify(alert, expires, mac, clock.ms)
    called(store, id_)
    unreached(store, id_)
    (left,) = [each for each in told(webhooks, receiver) if each["type"].startswith("alert.")]
    assert (left["type"], left["data"]["reason"]) == ("alert.unreached", "nobody_answered")
    assert "acknowledge_url" in left["data"]
    store.alerts.acknowledge(id_, by="ann", how=Acknowledgement.CLI)
    (taken,) = told(webhooks, receiver)
    assert (taken["type"], taken["data"]["acknowledged_by"]) == ("alert.acknowledged", "ann")
    assert "acknowledge_url" not in taken["data"]
    reported(store, event(firing=False))
    assert [each["type"] for each in told(webhooks, receiver)] == ["alert.resolved"]


def test_numbers_are_whole_where_that_was_asked_for(
    store: Store, webhooks: Webhooks, receiver: Receiver
) -> None:
    targets(store)
    reported(store, event(summary=f"{NUMBER} is down"))
    (ringing,) = told(webhooks, receiver, whole=True)
    assert ringing["data"]["summary"] == f"{NUMBER} is down"


def test_without_an_address_of_ours_there_is_no_link(
    store: Store, webhooks: Webhooks, receiver: Receiver
) -> None:
    targets(store)
    reported(store)
    run(webhooks, deliver(webhooks, receiver.url, links=AlertLinks("", LINKS.keys)))
    assert "acknowledge_url" not in json.loads(receiver.got[0].body)["data"]


def test_the_body_is_the_same_at_every_try(
    store: Store, webhooks: Webhooks, receiver: Receiver, clock: Clock
) -> None:
    targets(store)
    reported(store)
    receiver.answers["/"] = 500
    send = deliver(webhooks, receiver.url, links=LINKS)
    run(webhooks, send)
    clock.forward(60)
    run(webhooks, send)
    bodies = [each.body for each in receiver.got]
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]


def test_a_webhook_that_holds_a_number_is_found_by_it(store: Store, webhooks: Webhooks) -> None:
    targets(store)
    reported(store, event("1", summary=f"call {NUMBER}"))
    reported(store, event("2"))
    assert len([*webhooks.about(NUMBER)]) == 1
