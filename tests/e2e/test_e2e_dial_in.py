"""From an alert to somebody who calls back: nobody else is called, by the provider's books."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import requests

from dispatcher.alerts.alerting import Alerting
from dispatcher.model.alert import Acknowledgement, Alert, AlertEvent, AlertState
from dispatcher.model.on_call import Chain, Contact, OnCall, Route, Step
from dispatcher.values.dial_in_urls import dial_in_path
from support.e2e_stack import Stage, number
from support.polling import eventually

TAKES = timedelta(seconds=4)
"""For so long the chain waits for an acknowledgement after an answer."""


def asked_at(stage: Stage) -> None:
    """Have the account's number ask the stack's gateway."""
    key = (stage.up.folder / ".voice-dispatcher" / "secret_key").read_text().strip()
    own, auth = stage.sandbox.url, ("sandbox", stage.sandbox.token)
    (rented,) = requests.get(f"{own}/voice/dins/subscriptions/", auth=auth, timeout=30).json()
    path = f"{own}/voice/dins/subscriptions/{rented['din_uid']}/"
    url = stage.up.announced["gateway_url"] + dial_in_path([key])
    requests.post(path, {"action_url": url}, auth=auth, timeout=30).raise_for_status()


def calls_back(stage: Stage, caller: str) -> str:
    """Have somebody call the account; return what they hear."""
    told = {"caller": caller}
    heard = requests.post(f"{stage.sandbox.url}/_sandbox/dial-in", json=told, timeout=30).json()
    assert heard["problem"] == ""
    return str(heard["text"])


def test_the_third_person_calls_back_and_the_fourth_is_left_alone(stage: Stage) -> None:
    """Neither ann nor bob answers; carol does, and calls back."""
    ann, bob, carol, dave = (number(ending) for ending in ("0002", "0002", "0001", "0001"))
    people = {"ann": ann, "bob": bob, "carol": carol, "dave": dave}
    store = stage.up.dispatcher.store
    on_call = OnCall(
        contacts={name: Contact(numbers=(digits,), lang="en") for name, digits in people.items()},
        chains={
            "all": Chain(
                steps=tuple(Step(call=(name,)) for name in people), acknowledge_within=TAKES
            )
        },
        routes=(Route(chain="all"),),
    )
    store.on_call.publish(on_call, by="test")
    asked_at(stage)
    event = AlertEvent("test", carol, firing=True, summary="Disk full on db1")
    (recorded,) = Alerting(store, lambda: None).receive([event], actor="test")

    def alert() -> Alert:
        return store.alerts.get(recorded.id)

    eventually(lambda: stage.sandbox.books()[carol], "carol is called", 180)
    assert calls_back(stage, carol) == "Disk full on db1: acknowledged."
    taken = alert()
    assert (taken.state, taken.acknowledged_by) == (AlertState.ACKNOWLEDGED, "carol")
    assert taken.acknowledged_how is Acknowledgement.DIAL_IN
    over = datetime.now(UTC) + 2 * TAKES
    while datetime.now(UTC) < over:  # in which dave would be called
        assert stage.sandbox.books()[dave] == 0
        time.sleep(0.2)
    books = stage.sandbox.books()
    assert [books[each] for each in people.values()] == [1, 1, 1, 0]
    assert calls_back(stage, bob) == "Disk full on db1: carol has it."
