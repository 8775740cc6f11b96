"""How much of a body the API takes, by the beginning of a route's path."""

from __future__ import annotations

from workers.gateway.middleware import Limit

SMALL = Limit(size=64 << 10)
"""A job, or an action on one."""
MANY = Limit()
"""An action on many jobs, which may be named by their ids."""
ALERTS = Limit(size=4 << 20)
"""A report of monitoring: hundreds of alerts come in one."""
ALERTS_PATH = "/v1/alerts/"
BULK_PATH = "/v1/jobs/bulk"


def stream(size: int) -> Limit:
    """Return the limit of lines of jobs: so many bytes."""
    return Limit(size=size, within=3600, idle=60, unread=None)


STREAM = stream(256 << 20)
"""What a bulk request may have unless a setting says otherwise: what the reference tells."""


def limits(bulk_bytes: int) -> dict[str, Limit]:
    """Return the limits by path; `bulk_bytes` is the most of a bulk request."""
    return {
        "/v1/": SMALL,
        ALERTS_PATH: ALERTS,
        BULK_PATH: stream(bulk_bytes),
        "/v1/chains": MANY,
        "/v1/retry": MANY,
        "/v1/cancel": MANY,
    }
