"""Where jobs stand: Redis, behind operations that are one atomic step each."""

from dispatcher.store.store import DEFAULT_NAMESPACE, Store, namespace_of
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
    "DEFAULT_NAMESPACE",
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
    "namespace_of",
]
