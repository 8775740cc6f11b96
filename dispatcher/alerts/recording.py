"""Recording what monitoring reported: which chain each alert takes, and that it begins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dispatcher.model.alert import AlertEvent
from dispatcher.store import Store
from dispatcher.store.alert_values import AlertRow, Recorded

if TYPE_CHECKING:
    from dispatcher.model.on_call import OnCall


def record(
    store: Store, events: Sequence[AlertEvent], *, actor: str, chain: str | None = None
) -> list[Recorded]:
    """Record what monitoring reported; return what became of each, in order.

    A worker, which looks twice a second, makes the calls: it knows what they say of how to
    acknowledge. `chain` is rung whatever the routes say. It may be repeated: what is known already
    rings nobody. Raises StoreUnavailable.
    """
    on_call = store.on_call.in_force()
    rows = [_row(event, on_call, chain) for event in events]
    return store.alerts.record(rows, actor=actor)


def _row(event: AlertEvent, on_call: OnCall | None, chain: str | None) -> AlertRow:
    """Return a report with the chain that its labels lead to.

    A route may go by `source` and `severity` as well, also where the source has no such labels.
    """
    if on_call is None:
        return AlertRow(event)
    if chain is None:
        ours = {"source": event.source, "severity": str(event.severity)}
        route = on_call.route({**ours, **event.labels})
        if route is not None and not route.called:
            return AlertRow(event, called=False)
        chain = route.chain if route else None
    rules = on_call.chains.get(chain or "")
    return AlertRow(event, chain if rules else None, rules)
