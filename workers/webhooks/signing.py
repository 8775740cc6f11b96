"""Signatures after the Standard Webhooks specification."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook as Secret


def headers(secrets: Sequence[str], event: str, body: str, at: datetime) -> dict[str, str]:
    """Return the headers that sign a body: a signature for each secret, so that they can rotate."""
    moment = at.astimezone(UTC)
    signatures = (Secret(secret).sign(event, moment, body) for secret in secrets)
    return {
        "webhook-id": event,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
