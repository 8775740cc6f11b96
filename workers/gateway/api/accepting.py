"""Enqueues calls that clients ask for one by one: those of the same moment together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dispatcher.client.dispatcher import Dispatcher
from dispatcher.errors import DispatcherError
from dispatcher.model.job import Job
from dispatcher.model.request import JobRequest
from dispatcher.store import Store
from dispatcher.store.values import Enqueued, UnknownJob


class Asked(NamedTuple):
    """A request that is checked, and what enqueues in the client's name."""

    dispatcher: Dispatcher
    request: JobRequest


class Accepted(NamedTuple):
    """The job of a request, and whether it is new."""

    job: Job
    new: bool


def accept(store: Store, asked: Sequence[Asked]) -> list[Accepted | Exception]:
    """Enqueue; return the job of each, or why there is none. What Redis does not take of one client
    stops none of the others.
    """
    done: dict[int, Enqueued | DispatcherError] = {}
    clients: dict[Dispatcher, list[int]] = {}
    for place, each in enumerate(asked):
        clients.setdefault(each.dispatcher, []).append(place)
    for dispatcher, places in clients.items():
        found = _submit(dispatcher, [asked[place].request for place in places])
        done.update(zip(places, found, strict=True))
    jobs = _jobs(store, done.values())
    return [_told(done[place], jobs) for place in range(len(asked))]


def _submit(
    dispatcher: Dispatcher, requests: list[JobRequest]
) -> Sequence[Enqueued | DispatcherError]:
    try:
        return dispatcher.submit_all(requests)
    except DispatcherError as error:
        return [error] * len(requests)


def _jobs(store: Store, done: Iterable[Enqueued | DispatcherError]) -> dict[str, Job | None]:
    ids = list(dict.fromkeys(each.id for each in done if isinstance(each, Enqueued)))
    return dict(zip(ids, store.jobs.get_many(ids), strict=True)) if ids else {}


def _told(done: Enqueued | DispatcherError, jobs: Mapping[str, Job | None]) -> Accepted | Exception:
    if not isinstance(done, Enqueued):
        return done
    job = jobs[done.id]
    return UnknownJob(done.id) if job is None else Accepted(job, done.new)
