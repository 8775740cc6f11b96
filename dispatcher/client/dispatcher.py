"""The producer's side: enqueue a call, wait for what became of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Self, Unpack

from dispatcher.client.alerts import AlertOptions, report
from dispatcher.client.handles import JobHandle
from dispatcher.client.many import (
    Bulk,
    Interrupted,
    RefusedRequest,
    Results,
    Row,
    Rows,
    Written,
    write,
)
from dispatcher.client.messages import Messenger, wake
from dispatcher.client.waiting import Closed, NotFinished, Waiters
from dispatcher.client.watching import Change, Gap, watch
from dispatcher.errors import DispatcherError
from dispatcher.model.campaign import Campaign, campaign_name
from dispatcher.model.filters import Filter
from dispatcher.model.job import Job
from dispatcher.store import Store
from dispatcher.store.following import Wake
from dispatcher.store.values import Accepted, Enqueued, Outcome, Packed, Room, UnknownJob
from dispatcher.tracing import spans
from dispatcher.values.durations import DurationLike, seconds
from dispatcher.values.namespace import DEFAULT_NAMESPACE, namespace_of
from dispatcher.why import Why
from dispatcher.why import why as explain

if TYPE_CHECKING:
    from dispatcher.client.do_not_call import DoNotCalls
    from dispatcher.model.request import JobOptions, JobRequest
    from dispatcher.store.alert_values import Recorded

__all__ = [
    "Bulk",
    "Dispatcher",
    "Interrupted",
    "JobHandle",
    "NotFinished",
    "RefusedRequest",
    "Results",
]


class Dispatcher:
    """Enqueues calls and reads jobs. Needs Redis and the broker, no provider credentials.

    `actor` is the producer; idempotency keys mean something within a `scope` only, '' for all who
    use Redis or the broker, so that a request is one job whichever way it comes. `wake` is told
    the priority whose workers are to be woken, instead of sending them a message at once. `room`:
    how much of the actor may wait at once. `region` is that of requests which name none.
    """

    def __init__(
        self,
        store: Store,
        messenger: Messenger,
        *,
        actor: str = "producer",
        scope: str = "",
        wake: Wake | None = None,
        room: Room | None = None,
        region: str | None = None,
    ) -> None:
        self.store = store
        self.messenger = messenger
        self._actor, self._scope, self._room = actor, scope, room
        self._region = None if region is None else _region(region)
        self._wake = wake or messenger.wake
        self._waiters = Waiters(store)

    @classmethod
    def from_url(
        cls,
        url: str,
        *,
        broker_url: str | None = None,
        namespace: str = DEFAULT_NAMESPACE,
        actor: str = "producer",
        region: str | None = None,
    ) -> Self:
        """Return a dispatcher on the Redis at `url`; the broker is the same unless given.

        `namespace` is the DISPATCHER_NAMESPACE of the processes that are to make the calls.
        Raises StoreUnsuitable for what is not a Redis URL, InvalidNamespace, UnknownRegion. Nothing
        is sent yet.
        """
        store = Store.from_url(url, namespace=namespace_of(namespace))
        return cls(
            store, Messenger.to_broker(broker_url or url, namespace), actor=actor, region=region
        )

    @cached_property
    def dnc(self) -> DoNotCalls:
        """The do-not-call list."""
        # Not at the top: what reads jobs needs nothing of what is known of all numbers.
        from dispatcher.client.do_not_call import DoNotCalls  # noqa: PLC0415

        return DoNotCalls(self.store.do_not_call, self._actor, self._region)

    def close(self) -> None:
        """Close the connections to Redis; those who wait in other threads are given Closed.

        Those to the broker are kombu's: the process shares them, and they end with it.
        """
        self._waiters.end(Closed())
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
        such a number, DoNotCall where it is on the do-not-call list), KeyConflict,
        StoreUnavailable.
        """
        fields = {"recipient": recipient, "say": say, "play": play, **options}
        return self.submit(self.request(fields))

    def conference(self, participants: Sequence[str], **options: Unpack[JobOptions]) -> JobHandle:
        """Enqueue a conference of two or three numbers. Raises as `call` does."""
        return self.submit(self.request({"participants": tuple(participants), **options}))

    def request(self, fields: Row) -> JobRequest:
        """Return what the fields ask for, in this dispatcher's region if they name none; what is a
        request already, as it is.

        Raises InvalidJob; TypeError or ValueError for what are no fields.
        """
        requests = _requests()
        if isinstance(fields, requests):
            return fields
        given = dict(fields)
        if self._region and given.get("region") is None:
            given["region"] = self._region
        return requests.of(given)

    def submit(self, request: JobRequest, *, message: str = "") -> JobHandle:
        """Enqueue a request that is validated already.

        Raises KeyConflict, NumberRefused, NoRoom, StoreUnavailable.

        `message` is the id of the message that it came in, where a broker may give that out again:
        if its job was purged meanwhile, the handle is of a job that is gone.
        """
        self.messenger.require_suitable()
        with spans().enqueueing([request]) as traced:
            (request,) = traced
            done = self.store.jobs.enqueue(
                request,
                actor=self._actor,
                scope=self._scope,
                message=message,
                room=self._room,
                wake=self._wake,
            )
        return self.handle(done)

    def submit_all(self, requests: Iterable[JobRequest]) -> list[Enqueued | DispatcherError]:
        """Enqueue requests that are validated, as they come, in one round trip; return what became
        of each: what is enqueued, or the error that `submit` raises.

        Raises StoreUnavailable where Redis did not answer: then nobody knows.
        """
        self.messenger.require_suitable()
        return [outcome.result() for outcome in self._enqueue_many(requests)]

    def accept_all(self, requests: Iterable[JobRequest]) -> list[Accepted | DispatcherError]:
        """Do as `submit_all`; return the job of each."""
        self.messenger.require_suitable()
        with spans().enqueueing(requests) as traced:
            outcomes, jobs = self.store.jobs.enqueue_and_read(
                traced, actor=self._actor, scope=self._scope, room=self._room, wake=self._wake
            )
        return [_accepted(outcome.result(), jobs) for outcome in outcomes]

    def submit_packed(self, rows: Sequence[Packed]) -> list[str]:
        """Enqueue requests that are packed already; return `new`, `same`, `other`, or what
        `request_refused` reads, for each.

        Raises StoreUnavailable; it may be repeated.
        """
        self.messenger.require_suitable()
        return self.store.jobs.enqueue_packed(rows, actor=self._actor, wake=self._wake)

    def call_many(self, requests: Iterable[Row]) -> Results:
        """Enqueue many, read from any iterable as it comes and written in batches.

        Each is a JobRequest or a mapping of its fields. Loop over what comes back: a JobHandle or a
        RefusedRequest for each, in order, as batches are written; what is not asked for is not
        read. Or `collect()` all. A bad one stops none of the others; with keys the whole may be
        repeated and doubles nothing.
        Raises StoreUnsuitable; the loop raises Interrupted, a StoreUnavailable that says which were
        accepted.
        """
        self.messenger.require_suitable()
        return Results(requests, self.write, self.handle)

    def write(self, rows: Rows) -> Written:
        """Write a batch of `call_many`."""
        return write(rows, self.request, self._enqueue_many)

    def _enqueue_many(self, requests: Iterable[JobRequest]) -> list[Outcome]:
        with spans().enqueueing(requests) as traced:
            return self.store.jobs.enqueue_many(
                traced, actor=self._actor, scope=self._scope, room=self._room, wake=self._wake
            )

    def handle(self, done: Enqueued, index: int = 0) -> JobHandle:
        """Return the handle of what was enqueued."""
        return JobHandle(done.id, done.new, self, index)

    def alert(self, summary: str, **options: Unpack[AlertOptions]) -> Recorded:
        """Report that something is wrong: whoever is on call for it is called, as the chains say.

        `key` is what it is known by, the same in each report (its summary unless given):
        reported again while it lasts, it rings nobody. `resolved=True`: it is over. `severity` is
        critical, error, warning or info; `labels` are what routes choose the chain by.
        Raises InvalidAlert, StoreUnavailable; it may be repeated.
        """
        return report(self.store, self._actor, summary, options)

    # -- what became of it -----------------------------------------------------------------

    def find(self, *, key: str) -> JobHandle | None:
        """Return the job that was enqueued with an idempotency key, None where there is none (any
        more). Raises StoreUnavailable.
        """
        found = self.store.jobs.find(key, [self._scope])
        return JobHandle(found[0].id, new=False, dispatcher=self) if found else None

    def job(self, id_: str) -> Job:
        """Return a job as it stands now. Raises UnknownJob, StoreUnavailable."""
        return self.store.jobs.get(id_)

    def wait(self, id_: str, timeout: float | None = None) -> Job:
        """Return the job when it has ended. Raises NotFinished, UnknownJob, StoreUnavailable."""
        return self._waiters.wait(id_, timeout)

    def why(self, id_: str) -> Why:
        """Say why a job has not been called yet, and what happens next.

        Raises UnknownJob, StoreUnavailable.
        """
        return explain(self.store, self.store.jobs.get(id_))

    def campaign(self, name: str) -> Campaign:
        """Return what became of a campaign so far, by its name or its tag `campaign:NAME`.

        Raises UnknownCampaign, InvalidCampaign.
        """
        return self.store.campaigns.get(campaign_name(name))

    def watch(self, filter_: Filter | None = None) -> Iterator[Change | Gap]:
        """Yield every change of the jobs that are meant (all unless told), as it happens, for ever.

        Starts with the first that comes after the call for it. A Gap says that Redis was out of
        reach, and since when changes may have been missed. Raises StoreUnsuitable.
        """
        for batch in watch(self.store, filter_ or Filter(), idle=60):
            yield from batch

    # -- what its producer does to it ------------------------------------------------------

    def cancel(self, id_: str, *, note: str = "") -> Job:
        """Cancel a job that is not dialled yet; return it. The `note`, why, is in its timeline.

        Raises Refused (where it is dialled, or has ended: its `state` says so), UnknownJob,
        StoreUnavailable.
        """
        self.store.jobs.cancel(id_, actor=self._actor, note=note)
        return self.store.jobs.get(id_)

    def retry(
        self,
        id_: str,
        *,
        note: str = "",
        expires: DurationLike | None = None,
        uncertain: bool = False,
    ) -> Job:
        """Have a job called again that ended without reaching anybody; return it.

        `expires` is the new deadline, a duration from now; left out, the first one's length.
        `uncertain`: also where a call may be under way, which nobody waits for any more.
        Raises Refused, UnknownJob, InvalidDuration, StoreUnavailable.
        """
        lifetime = None if expires is None else seconds(expires)
        self.store.jobs.retry(
            id_, actor=self._actor, note=note, expires=lifetime, uncertain=uncertain
        )
        wake(self.store, self.messenger)
        return self.store.jobs.get(id_)


@cache
def _requests() -> type[JobRequest]:
    """Return what checks requests: slow as it loads, it is of no use to whoever only reads."""
    from dispatcher.model.request import JobRequest  # noqa: PLC0415

    return JobRequest


def _accepted(
    done: Enqueued | DispatcherError, jobs: Mapping[str, Job]
) -> Accepted | DispatcherError:
    if not isinstance(done, Enqueued):
        return done
    job = jobs.get(done.id)
    return UnknownJob(done.id) if job is None else Accepted(job, done.new)


def _region(text: str) -> str:
    from dispatcher.values.regions import parse_region  # noqa: PLC0415 - as in `dnc`

    return parse_region(text)
