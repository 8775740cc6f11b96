"""Tell people by phone: once, in time, within the provider's limits.

from dispatcher import Dispatcher

d = Dispatcher.from_url("redis://localhost:6379/0")
job = d.call("+818011234567", say="Disk full on db1", lang="en", key="alert-8812", expires="15m")
print(job.wait(timeout=120).outcome)
"""

from dispatcher.client.dispatcher import Bulk, Dispatcher, JobHandle, NotFinished
from dispatcher.client.watching import Change, Gap
from dispatcher.errors import DispatcherError
from dispatcher.model.filters import Filter
from dispatcher.model.job import Attempt, Event, Job, NextAction
from dispatcher.model.request import InvalidJob, JobRequest, Kind
from dispatcher.model.states import OnUncertain, Priority, Reason, State
from dispatcher.store.redis_url import StoreUnavailable, StoreUnsuitable
from dispatcher.store.values import KeyConflict, Refused, UnknownJob

__version__ = "0.1.0"

__all__ = [
    "Attempt",
    "Bulk",
    "Change",
    "Dispatcher",
    "DispatcherError",
    "Event",
    "Filter",
    "Gap",
    "InvalidJob",
    "Job",
    "JobHandle",
    "JobRequest",
    "KeyConflict",
    "Kind",
    "NextAction",
    "NotFinished",
    "OnUncertain",
    "Priority",
    "Reason",
    "Refused",
    "State",
    "StoreUnavailable",
    "StoreUnsuitable",
    "UnknownJob",
    "__version__",
]
