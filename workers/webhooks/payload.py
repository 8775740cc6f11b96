"""What a receiver is told; the same bytes at every try."""

from __future__ import annotations

import json
from typing import Any

from dispatcher.model.alert import Alert
from dispatcher.model.alert_view import view
from dispatcher.model.job import iso_of
from dispatcher.store.webhooks import Webhook
from dispatcher.values.alert_links import AlertLinks
from dispatcher.values.masking import mask_all

WANTED = frozenset({"alert.ringing", "alert.unreached"})
"""Events that tell of an alert that nobody has."""


def body(webhook: Webhook, *, whole: bool, links: AlertLinks | None = None) -> str:
    """Return the JSON of an event: for a job's, or an alert's, the job or the alert as it was then.

    Numbers are masked, and what was said is left out, unless it is to be `whole`. `links` makes
    those with which somebody says that they have an alert.
    """
    content = {
        "type": webhook.type,
        "timestamp": iso_of(webhook.at),
        "sequence": webhook.sequence,
        "data": _told(webhook, whole=whole, links=links),
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _told(webhook: Webhook, *, whole: bool, links: AlertLinks | None) -> Any:
    if webhook.alert is not None:
        return _alert(webhook, webhook.alert, whole=whole, links=links)
    if webhook.job is not None:
        return webhook.job.to_dict(mask=not whole)
    facts = json.loads(webhook.facts)  # tags and notes may hold numbers
    return facts if whole else mask_all(facts)


def _alert(
    webhook: Webhook, alert: Alert, *, whole: bool, links: AlertLinks | None
) -> dict[str, Any]:
    """Return an alert, and where somebody is to have it, the link that says so."""
    told = view(alert, mask=not whole, whole=False)
    if links and links.base and webhook.type in WANTED:
        told["acknowledge_url"] = links.of(alert.id, webhook.at)
    return told
