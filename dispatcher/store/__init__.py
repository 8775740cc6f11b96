"""Where jobs stand: Redis, behind operations that are one atomic step each."""

from dispatcher.store.store import Store
from dispatcher.store.values import (
    Claim,
    Day,
    Enqueued,
    Gate,
    Hours,
    KeyConflict,
    Pace,
    Pumped,
    Refused,
    UnknownJob,
    Wait,
    job_id,
)

__all__ = [
    "Claim",
    "Day",
    "Enqueued",
    "Gate",
    "Hours",
    "KeyConflict",
    "Pace",
    "Pumped",
    "Refused",
    "Store",
    "UnknownJob",
    "Wait",
    "job_id",
]
