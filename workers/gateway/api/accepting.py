"""Enqueues calls that clients ask for one by one: those of the same moment together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dispatcher.client.dispatcher import Dispatcher
from dispatcher.errors import DispatcherError
from dispatcher.model.request import JobRequest
from dispatcher.store.values import Accepted


class Asked(NamedTuple):
    """A request that is checked, and what enqueues in the client's name."""

    dispatcher: Dispatcher
    request: JobRequest


def accept(asked: Sequence[Asked]) -> list[Accepted | Exception]:
    """Enqueue; return the job of each, or why there is none. What Redis does not take of one client
    stops none of the others.
    """
    clients: dict[Dispatcher, list[int]] = {}
    for place, each in enumerate(asked):
        clients.setdefault(each.dispatcher, []).append(place)
    told: dict[int, Accepted | Exception] = {}
    for dispatcher, places in clients.items():
        found = _accept(dispatcher, [asked[place].request for place in places])
        told.update(zip(places, found, strict=True))
    return [told[place] for place in range(len(asked))]


def _accept(
    dispatcher: Dispatcher, requests: Sequence[JobRequest]
) -> Sequence[Accepted | DispatcherError]:
    try:
        return dispatcher.accept_all(requests)
    except DispatcherError as error:
        return [error] * len(requests)
