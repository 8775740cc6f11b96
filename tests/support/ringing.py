"""Alerts that ring at two people who are on call."""

from __future__ import annotations

from dispatcher.model.alert import Alert
from dispatcher.model.on_call import Chain, Contact, OnCall, Route, Step
from dispatcher.store import Store
from support import store_alerts

ANN, BOB, STRANGER = "+818012340001", "+818012340002", "+818012340009"
ON_CALL = OnCall(
    contacts={
        "ann": Contact(numbers=(ANN,), lang="en"),
        "bob": Contact(numbers=(BOB,), lang="ja"),
    },
    chains={"both": Chain(steps=(Step(call=("ann", "bob")),))},
    routes=(Route(chain="both"),),
)


def ring(store: Store, summary: str) -> Alert:
    """Have an alert ring, and call both; return it."""
    store.on_call.publish(ON_CALL, by="test")
    alert = store_alerts.ring(store, summary, summary=summary)
    store_alerts.call(store, alert.id, ANN, BOB)
    return store.alerts.get(alert.id)
