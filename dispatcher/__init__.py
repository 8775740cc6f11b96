"""Tell people by phone: once, in time, within the provider's limits.

from dispatcher import Dispatcher

d = Dispatcher.from_url("redis://localhost:6379/0")
job = d.call("+818011234567", say="Disk full on db1", lang="en", key="alert-8812", expires="15m")
print(job.wait(timeout=120).outcome)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dispatcher.client.async_dispatcher import AsyncDispatcher, AsyncJobHandle
    from dispatcher.client.async_many import AsyncResults
    from dispatcher.client.async_watching import Watch
    from dispatcher.client.dispatcher import Dispatcher
    from dispatcher.client.handles import JobHandle
    from dispatcher.client.many import Bulk, Interrupted, RefusedRequest, Results
    from dispatcher.client.waiting import Closed, NotFinished
    from dispatcher.client.watching import Change, Gap
    from dispatcher.errors import DispatcherError
    from dispatcher.model.attempt import Attempt
    from dispatcher.model.campaign import Campaign, InvalidCampaign, UnknownCampaign
    from dispatcher.model.filters import Filter
    from dispatcher.model.invalid_job import DoNotCall, InvalidJob, LanguageRefused, NumberRefused
    from dispatcher.model.job import Event, Job, NextAction
    from dispatcher.model.kinds import Kind
    from dispatcher.model.request import JobRequest
    from dispatcher.model.states import OnUncertain, Priority, Reason, State
    from dispatcher.store.errors import StoreUnavailable, StoreUnsuitable
    from dispatcher.store.values import KeyConflict, NoRoom, Refused, UnknownJob
    from dispatcher.values.durations import InvalidDuration
    from dispatcher.why import Why

__version__ = "0.3.0.dev0"

__all__ = [
    "AsyncDispatcher",
    "AsyncJobHandle",
    "AsyncResults",
    "Attempt",
    "Bulk",
    "Campaign",
    "Change",
    "Closed",
    "Dispatcher",
    "DispatcherError",
    "DoNotCall",
    "Event",
    "Filter",
    "Gap",
    "Interrupted",
    "InvalidCampaign",
    "InvalidDuration",
    "InvalidJob",
    "Job",
    "JobHandle",
    "JobRequest",
    "KeyConflict",
    "Kind",
    "LanguageRefused",
    "NextAction",
    "NoRoom",
    "NotFinished",
    "NumberRefused",
    "OnUncertain",
    "Priority",
    "Reason",
    "Refused",
    "RefusedRequest",
    "Results",
    "State",
    "StoreUnavailable",
    "StoreUnsuitable",
    "UnknownCampaign",
    "UnknownJob",
    "Watch",
    "Why",
    "__version__",
]

_MODULES = {
    "dispatcher.client.async_dispatcher": ("AsyncDispatcher", "AsyncJobHandle"),
    "dispatcher.client.async_many": ("AsyncResults",),
    "dispatcher.client.async_watching": ("Watch",),
    "dispatcher.client.dispatcher": ("Dispatcher",),
    "dispatcher.client.handles": ("JobHandle",),
    "dispatcher.client.many": ("Bulk", "Interrupted", "RefusedRequest", "Results"),
    "dispatcher.client.waiting": ("Closed", "NotFinished"),
    "dispatcher.client.watching": ("Change", "Gap"),
    "dispatcher.errors": ("DispatcherError",),
    "dispatcher.model.filters": ("Filter",),
    "dispatcher.model.attempt": ("Attempt",),
    "dispatcher.model.campaign": ("Campaign", "InvalidCampaign", "UnknownCampaign"),
    "dispatcher.model.invalid_job": (
        "DoNotCall",
        "InvalidJob",
        "LanguageRefused",
        "NumberRefused",
    ),
    "dispatcher.model.job": ("Event", "Job", "NextAction"),
    "dispatcher.model.kinds": ("Kind",),
    "dispatcher.model.request": ("JobRequest",),
    "dispatcher.model.states": ("OnUncertain", "Priority", "Reason", "State"),
    "dispatcher.store.errors": ("StoreUnavailable", "StoreUnsuitable"),
    "dispatcher.store.values": ("KeyConflict", "NoRoom", "Refused", "UnknownJob"),
    "dispatcher.values.durations": ("InvalidDuration",),
    "dispatcher.why": ("Why",),
}
"""Where each name comes from: it is imported when it is first used, so that to import this package
costs next to nothing. The imports above say the same to type checkers and editors."""
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found: object = getattr(import_module(_MODULE_OF[name]), name)
    globals()[name] = found  # the next time it is an attribute like any other
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
