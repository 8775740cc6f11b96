"""The producer's side: enqueue a call, wait for what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Self, Unpack

from dispatcher.client.messages import Messenger, feed
from dispatcher.client.waiting import NotFinished, Waiters
from dispatcher.client.watching import Change, Gap, watch
from dispatcher.errors import DispatcherError
from dispatcher.model.filters import Filter
from dispatcher.model.job import Job
from dispatcher.model.request import InvalidJob, JobOptions, JobRequest, NumberRefused
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.values import KeyConflict, NoRoom, Packed, Room
from dispatcher.values.namespace import DEFAULT_NAMESPACE, namespace_of

__all__ = ["Bulk", "Dispatcher", "Interrupted", "JobHandle", "NotFinished"]

BATCH = 500
"""Requests written in one round trip by call_many."""

Batch = list[tuple[int, Mapping[str, Any] | JobRequest]]


@dataclass(frozen=True, slots=True)
class JobHandle:
    """An accepted job: its id, whether this call made it, and the way to its outcome."""

    id: str
    new: bool
    dispatcher: Dispatcher = field(repr=False, compare=False)

    def refresh(self) -> Job:
        """Return the job as it stands now. Raises UnknownJob past its retention."""
        return self.dispatcher.job(self.id)

    def wait(self, timeout: float | None = None) -> Job:
        """Return the job when it has ended; `timeout` in seconds, None waits for ever.

        Raises NotFinished, StoreUnavailable (where Redis stays away until the timeout).
        """
        return self.dispatcher.wait(self.id, timeout)


@dataclass(frozen=True, slots=True)
class Bulk:
    """What became of many requests: the jobs in order, and the refusals as `(index, error)`."""

    jobs: list[JobHandle] = field(default_factory=list)
    refused: list[tuple[int, DispatcherError]] = field(default_factory=list)


class Interrupted(StoreUnavailable):
    """Redis went away, or refused, in the midst of many requests.

    `why` is what Redis said. `bulk` holds what was accepted and what was refused for good.
    `missing` are the places of those that were read and are neither: send them again, and all from
    the place `read` on, which were not read. With keys all may be sent again: none is doubled.
    """

    def __init__(self, why: StoreUnavailable, bulk: Bulk, missing: list[int], read: int) -> None:
        super().__init__(
            f"{why}; {len(bulk.jobs):,} of {read:,} requests were accepted before: send the others"
            " again",
            why.code,
        )
        self.why, self.bulk, self.missing, self.read = why, bulk, missing, read


class Dispatcher:
    """Enqueues calls and reads jobs. Needs Redis and the broker, no provider credentials.

    `actor` is the producer; idempotency keys mean something within a `scope` only, '' for all who
    use Redis or the broker, so that a request is one job whichever way it comes. `nudge` is
    called when there is something new to dial, instead of sending its wake-ups at once. `room`:
    how much of the actor may wait at once.
    """

    def __init__(
        self,
        store: Store,
        messenger: Messenger,
        *,
        actor: str = "producer",
        scope: str = "",
        nudge: Callable[[], object] | None = None,
        room: Room | None = None,
    ) -> None:
        self.store = store
        self.messenger = messenger
        self._actor, self._scope, self._room = actor, scope, room
        self._nudge = nudge or partial(feed, store, messenger)
        self._waiters = Waiters(store)

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        broker_url: str | None = None,
        namespace: str = DEFAULT_NAMESPACE,
        actor: str = "producer",
    ) -> Self:
        """Return a dispatcher on the Redis at `url`; the broker is the same unless given.

        `namespace` is the DISPATCHER_NAMESPACE of the processes that are to make the calls.
        Raises StoreUnsuitable for what is not a Redis URL, InvalidNamespace. Nothing is sent yet.
        """
        store = Store.from_url(url, namespace=namespace_of(namespace))
        return cls(store, Messenger.to_broker(broker_url or url, namespace), actor=actor)

    def call(
        self,
        recipient: str,
        *,
        say: str | None = None,
        play: str | None = None,
        **options: Unpack[JobOptions],
    ) -> JobHandle:
        """Enqueue one call that says a text or plays a recording (http URL of an MP3).

        Raises InvalidJob (a list of what to mend; NumberRefused where the account does not call
        such a number), KeyConflict, StoreUnavailable.
        """
        return self.submit(
            JobRequest.of({"recipient": recipient, "say": say, "play": play, **options})
        )

    def conference(self, participants: Sequence[str], **options: Unpack[JobOptions]) -> JobHandle:
        """Enqueue a conference of two or three numbers. Raises as `call` does."""
        return self.submit(JobRequest.of({"participants": tuple(participants), **options}))

    def submit(self, request: JobRequest, *, message: str = "") -> JobHandle:
        """Enqueue a request that is validated already.

        Raises KeyConflict, NumberRefused, NoRoom, StoreUnavailable.

        `message` is the id of the message that it came in, where a broker may give that out again:
        if its job was purged meanwhile, the handle is of a job that is gone.
        """
        self.messenger.require_suitable()
        done = self.store.jobs.enqueue(
            request, actor=self._actor, scope=self._scope, message=message, room=self._room
        )
        if done.new:
            self._nudge()
        return JobHandle(done.id, done.new, self)

    def submit_packed(self, rows: Sequence[Packed]) -> list[str]:
        """Enqueue requests that are packed already; return `new`, `same`, `other`, or what
        `number_refused` reads, for each.

        Raises StoreUnavailable; it may be repeated.
        """
        self.messenger.require_suitable()
        answers = self.store.jobs.enqueue_packed(rows, actor=self._actor)
        feed(self.store, self.messenger)
        return answers

    def call_many(self, requests: Iterable[Mapping[str, Any] | JobRequest]) -> Bulk:
        """Enqueue many, read from any iterable as it comes and written in batches.

        Each is a JobRequest or a mapping of its fields. A bad one is refused and stops none of
        the others; with keys the whole may be repeated and doubles nothing.
        Raises Interrupted, a StoreUnavailable that says which were accepted.
        """
        self.messenger.require_suitable()
        bulk = Bulk()
        rows = enumerate(requests)
        while batch := list(islice(rows, BATCH)):
            self._submit_batch(batch, bulk)
            self._nudge()
        return bulk

    def _submit_batch(self, batch: Batch, bulk: Bulk) -> None:
        valid, read = self._valid(batch, bulk), batch[-1][0] + 1
        try:
            outcomes = self.store.jobs.enqueue_many(
                [request for _, request in valid],
                actor=self._actor,
                scope=self._scope,
                room=self._room,
            )
        except StoreUnavailable as error:  # whether any was accepted, nobody knows
            raise Interrupted(error, bulk, [index for index, _ in valid], read) from None
        missing: dict[int, StoreUnavailable] = {}
        for (index, _), outcome in zip(valid, outcomes, strict=True):
            try:
                done = outcome.unwrap()
                bulk.jobs.append(JobHandle(done.id, done.new, self))
            except StoreUnavailable as error:
                missing[index] = error
            except (KeyConflict, NoRoom, NumberRefused) as error:
                bulk.refused.append((index, error))
        if missing:
            raise Interrupted(next(iter(missing.values())), bulk, list(missing), read)

    def _valid(self, batch: Batch, bulk: Bulk) -> list[tuple[int, JobRequest]]:
        """Return the requests that are right; the others are refused."""
        valid: list[tuple[int, JobRequest]] = []
        for index, fields in batch:
            try:
                request = fields if isinstance(fields, JobRequest) else JobRequest.of(dict(fields))
                valid.append((index, request))
            except (InvalidJob, TypeError, ValueError) as error:
                bulk.refused.append((index, _as_refusal(error)))
        return valid

    def job(self, id_: str) -> Job:
        """Return a job as it stands now. Raises UnknownJob, StoreUnavailable."""
        return self.store.jobs.get(id_)

    def wait(self, id_: str, timeout: float | None = None) -> Job:
        """Return the job when it has ended. Raises NotFinished, UnknownJob, StoreUnavailable."""
        return self._waiters.wait(id_, timeout)

    def watch(self, filter_: Filter | None = None) -> Iterator[Change | Gap]:
        """Yield every change of the jobs that are meant (all unless told), as it happens, for ever.

        Starts with the first that comes after the call for it. A Gap says that Redis was out of
        reach, and since when changes may have been missed. Raises StoreUnsuitable.
        """
        for batch in watch(self.store, filter_ or Filter(), idle=60):
            yield from batch


def _as_refusal(error: Exception) -> DispatcherError:
    if isinstance(error, DispatcherError):
        return error
    return InvalidJob([("request", f"it is not a set of named fields ({type(error).__name__})")])
