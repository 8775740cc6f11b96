"""How much of a body the API takes, by the beginning of a route's path."""

from __future__ import annotations

from workers.gateway.middleware import Limit

SMALL = Limit(size=64 << 10)
"""A job, or an action on one."""
MANY = Limit()
"""An action on many jobs, which may be named by their ids."""
STREAM = Limit(size=1 << 30, within=3600, idle=60)
"""Lines of jobs."""
BULK_PATH = "/v1/jobs/bulk"
LIMITS = {"/v1/": SMALL, BULK_PATH: STREAM, "/v1/retry": MANY, "/v1/cancel": MANY}
