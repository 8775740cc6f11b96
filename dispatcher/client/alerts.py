"""What `Dispatcher.alert` does: an alert of one's own rings whoever is on call for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict

from dispatcher.tracing import spans

if TYPE_CHECKING:
    from dispatcher.store import Store
    from dispatcher.store.alert_values import Recorded


class AlertOptions(TypedDict, total=False):
    """What may be said of an alert besides its summary; see dispatcher.alerts.sources.direct."""

    severity: str
    labels: Mapping[str, str]
    key: str
    resolved: bool
    description: str
    link: str
    started_at: datetime


def report(store: Store, actor: str, summary: str, options: AlertOptions) -> Recorded:
    """Record an alert; a dialling worker begins its chain within a second.

    Raises InvalidAlert, StoreUnavailable.
    """
    # Not at the top: most producers report no alerts, and what knows chains is slow to load.
    from dispatcher.alerts.recording import record  # noqa: PLC0415
    from dispatcher.alerts.sources import direct  # noqa: PLC0415

    event = replace(direct.event(summary, **options), traceparent=spans().active())
    (recorded,) = record(store, [event], actor=actor)
    return recorded
