"""What a receiver is told; the same bytes at every try."""

from __future__ import annotations

import json
from typing import Any

from dispatcher.model.job import iso_of
from dispatcher.store.webhooks import Webhook
from dispatcher.values.masking import mask_all


def body(webhook: Webhook, *, whole: bool) -> str:
    """Return the JSON of an event: for a job's, the job as it was then.

    Numbers are masked, and what was said is left out, unless it is to be `whole`.
    """
    job = webhook.job
    if job is not None:
        told: Any = job.to_dict(mask=not whole)
    else:  # tags and notes may hold numbers
        facts = json.loads(webhook.facts)
        told = facts if whole else mask_all(facts)
    content = {
        "type": webhook.type,
        "timestamp": iso_of(webhook.at),
        "sequence": webhook.sequence,
        "data": told,
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
