"""An alert that was folded, and rings again by itself."""

from __future__ import annotations

from dispatcher.model.alert import Acknowledgement, AlertState
from dispatcher.store import Store
from support.clock import Clock
from support.store_alerts import chain, firing, record


def test_a_folded_alert_that_somebody_has_rings_again_by_itself(store: Store, clock: Clock) -> None:
    """It leaves its bundle, which goes on with the others."""
    one, _ = record(store, firing("f1"), firing("f2"))
    bundle = store.alerts.get(one.id).told_by
    assert bundle is not None
    store.alerts.acknowledge(bundle, by="ann", how=Acknowledgement.CLI)
    clock.forward(chain().repeat_after.total_seconds() + 1)
    (again,) = record(store, firing("f1"))
    assert (again.what, again.state) == ("again", AlertState.RINGING)
    assert store.alerts.get(one.id).told_by is None
    assert store.alerts.get(bundle).members == 1
