"""Jobs: enqueue them, read them, and what people do to a single one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from dispatcher.model.job import Job
from dispatcher.model.request_limits import FURTHEST
from dispatcher.model.states import TERMINAL, Priority, State
from dispatcher.store import codec
from dispatcher.store.accepting import Accepting
from dispatcher.store.connection import Connection, Repository, milliseconds
from dispatcher.store.errors import plain_errors
from dispatcher.store.following import Following, Reading, Wake, Waking
from dispatcher.store.holds import Holds
from dispatcher.store.replicas import Replicas
from dispatcher.store.schema import Field, callid_place
from dispatcher.store.values import Enqueued, Outcome, Packed, Refused, Room, UnknownJob, job_id

if TYPE_CHECKING:
    from dispatcher.model.request import JobRequest

NAMED_BY_ID = frozenset({"cancelled", "expired"})
"""What a retry of many leaves out unless it is selected by name, and a job's id names."""
_WITHOUT_MOMENT = TERMINAL | {State.QUEUED}
"""Where a job is at rest, or in line: it is told nowhere when that is over."""
_REMEDIES = {
    "do_not_call": "a number of it is on the do-not-call list: `dnc remove` takes it off",
    "reached": "it was reached",
    "alert": "it is a call of an alert, whose chain says who is called, and as how urgent",
    "code": "its code was removed when it ended: enqueue a new call with a new code",
    "uncertain": "it is uncertain: a call may be under way. Wait until it is decided, mark it as"
    " reached, or redial it now with --uncertain",
}


class Jobs(Repository):
    """The jobs of the account, by their ids."""

    def __init__(self, connection: Connection, replicas: Replicas | None = None) -> None:
        super().__init__(connection)
        replicas = replicas or Replicas(connection, Holds(connection))
        self._accepting = Accepting(connection, replicas)

    def enqueue(
        self,
        request: JobRequest,
        *,
        actor: str = "producer",
        scope: str = "",
        message: str = "",
        room: Room | None = None,
        wake: Wake | None = None,
    ) -> Enqueued:
        """Write a job, once for its key. Raises KeyConflict where the key has another request,
        NumberRefused where the account does not call such a number (DoNotCall where it is on the
        do-not-call list), and NoRoom where as much of the
        actor waits as `room` (None: any) has place for.

        `message` is the id of the message that the request came in, where a broker may give that
        out again: if the job that it made was purged meanwhile, no other is made. `wake` is called
        with the priority whose workers are to be woken, if any are.
        """
        from dispatcher.store import packing  # noqa: PLC0415 - who only reads has no use for it

        row = packing.packed(request, scope, message)
        (answer,) = self._accepting.write([row], actor, room, _waking(wake))
        return Outcome(row.id, request, answer).unwrap()

    def enqueue_many(
        self,
        requests: Iterable[JobRequest],
        *,
        actor: str = "producer",
        scope: str = "",
        room: Room | None = None,
        wake: Wake | None = None,
    ) -> list[Outcome]:
        """Write jobs in one round trip, as they come; the outcomes are in the order of requests,
        also where Redis refused some of them, or there was no room. Raises StoreUnavailable where
        it did not answer. `wake` is as of `enqueue`.
        """
        return self._enqueue(requests, actor, scope, room, _waking(wake))

    def enqueue_and_read(
        self,
        requests: Iterable[JobRequest],
        *,
        actor: str,
        scope: str,
        room: Room | None,
        wake: Wake,
    ) -> tuple[list[Outcome], dict[str, Job]]:
        """Do as `enqueue_many`; return the jobs, by id, in the same round trip."""
        reading = Reading(self._connection)
        outcomes = self._enqueue(requests, actor, scope, room, (*_waking(wake), reading))
        ids = {each.id for each in outcomes if each.stands}
        if ids <= reading.records.keys():
            found = self._read([(id_, codec.record(reading.records[id_])) for id_ in ids])
        else:
            found = self.get_many(ids)
        return outcomes, {job.id: job for job in found if job}

    def _enqueue(
        self,
        requests: Iterable[JobRequest],
        actor: str,
        scope: str,
        room: Room | None,
        following: Sequence[Following],
    ) -> list[Outcome]:
        from dispatcher.store import packing  # noqa: PLC0415 - who only reads has no use for it

        asked: list[tuple[str, JobRequest]] = []

        def rows() -> Iterator[Packed]:
            for request in requests:
                row = packing.packed(request, scope)
                asked.append((row.id, request))
                yield row

        answers = self._accepting.write(rows(), actor, room, following)
        return [
            Outcome(id_, request, answer)
            for (id_, request), answer in zip(asked, answers, strict=True)
        ]

    def enqueue_packed(
        self, rows: Sequence[Packed], *, actor: str = "producer", wake: Wake | None = None
    ) -> list[str]:
        """Write packed requests in one round trip; return `new`, `same` or `other` for each,
        `purged` where a message came again whose job is purged, or what `request_refused` reads.

        Raises StoreUnavailable where some were not written; the same may be asked again.
        """
        answers = self._accepting.write(rows, actor, following=_waking(wake))
        return [_raised(answer) for answer in answers]

    def find_existing(self, rows: Iterable[Packed]) -> list[str]:
        """Return what enqueue_packed would answer for each now; nothing is written.

        Redis looks for those that have come while others are made. Raises StoreUnavailable.
        """
        return [_raised(answer) for answer in self._accepting.look(rows)]

    # -- reading ---------------------------------------------------------------------------

    def get(self, id_: str) -> Job:
        """Return a job. Raises UnknownJob."""
        job = self.get_many([id_])[0]
        if job is None:
            raise UnknownJob(id_)
        return job

    def get_many(self, ids: Iterable[str]) -> list[Job | None]:
        """Return jobs in the order of their ids, None for those that are gone."""
        wanted = list(ids)
        with plain_errors():
            pipe = self._pipeline()
            for id_ in wanted:
                pipe.hgetall(self._key("job", id_))
            records = [codec.record(raw) for raw in pipe.execute()]
        return self._read(list(zip(wanted, records, strict=True)))

    def _read(self, records: Sequence[tuple[str, codec.Record]]) -> list[Job | None]:
        """Return the jobs of records, with the moments at which something happens next."""
        moments = self._moments(
            [(id_, record[Field.STATE]) for id_, record in records if Field.STATE in record]
        )
        return [
            codec.job(id_, record, moments.get(id_)) if Field.STATE in record else None
            for id_, record in records
        ]

    def _moments(self, states: Iterable[tuple[str, str]]) -> dict[str, float | None]:
        """Return when something happens next to jobs, by id, in ms since the epoch."""
        waiting = [(id_, state) for id_, state in states if state not in _WITHOUT_MOMENT]
        if not waiting:
            return {}
        with plain_errors():
            pipe = self._pipeline()
            for id_, state in waiting:
                pipe.zscore(self._key("due", state), id_)
            return dict(zip([id_ for id_, _ in waiting], pipe.execute(), strict=True))

    def find(self, key: str, scopes: Iterable[str] = ("",)) -> list[Job]:
        """Return the jobs of an idempotency key, of each scope one at most; the newest first."""
        found = self.get_many(dict.fromkeys(job_id(key, scope) for scope in scopes))
        jobs = [job for job in found if job is not None]
        return sorted(jobs, key=lambda job: (job.created_at, job.id), reverse=True)

    def id_of_call(self, callid: str) -> str | None:
        """Return the id of the job that a call belongs to."""
        bucket, rest = callid_place(callid)
        with plain_errors():
            found: bytes | None = self._redis.hget(self._key("by_call", bucket), rest)  # type: ignore[assignment]
        return found.decode() if found else None

    # -- what people do --------------------------------------------------------------------

    def cancel(self, id_: str, *, actor: str, note: str = "") -> None:
        """Cancel a job that is not dialled yet. Raises UnknownJob, Refused."""
        self._act("cancel", id_, actor, note, "job {id} cannot be cancelled: it is {state}")

    def retry(
        self,
        id_: str,
        *,
        actor: str,
        note: str = "",
        expires: float | None = None,
        uncertain: bool = False,
    ) -> None:
        """Reopen a job that ended without reaching anybody. Raises UnknownJob, Refused.

        `expires` is the new deadline in seconds from now; left out, the first one's length.
        `uncertain`: also where a call may be under way, which nobody waits for any more.
        """
        options: dict[str, Any] = {} if expires is None else {"lifetime": deadline(expires)}
        self._act(
            "retry",
            id_,
            actor,
            note,
            "job {id} cannot be retried: {remedy}",
            named=NAMED_BY_ID | ({"uncertain"} if uncertain else set()),
            **options,
        )

    def mark_reached(self, id_: str, *, actor: str, note: str = "") -> None:
        """End a job of unknown outcome as a person knows. Raises UnknownJob, Refused."""
        refusal = (
            "job {id} cannot be marked as reached: it is {stands}, and only one whose outcome"
            " is unknown can"
        )
        self._act("reached", id_, actor, note, refusal)

    def prioritise(self, id_: str, priority: Priority, *, actor: str, note: str = "") -> None:
        """Give a job that is not dialled yet another priority. Raises UnknownJob, Refused."""
        refusal = "job {id} is {state}: its priority cannot be changed after dialling"
        self._act("prioritise", id_, actor, note, refusal, priority=priority)

    def purge(self, id_: str, before: float) -> bool:
        """Remove a job that ended before a moment (ms since the epoch), with all its traces."""
        return bool(self._run("purge_job", id=id_, before=round(before)))

    def _act(
        self,
        kind: str,
        id_: str,
        actor: str,
        note: str,
        refusal: str,
        *,
        named: Iterable[str] = (),
        **options: Any,
    ) -> None:
        how = {"named": dict.fromkeys(named, True), **options}
        answer = self._run("apply_action", action=kind, id=id_, actor=actor, note=note, options=how)
        code, state, reason = (text.decode() for text in answer)
        if code == "gone":
            raise UnknownJob(id_)
        if code:
            if code == "alert":
                refusal = "job {id} stays as it is: {remedy}"
            remedy = _REMEDIES.get(code, f"it is {state}, not ended")
            stands = f"{state}/{reason}" if reason else state
            told = refusal.format(id=id_, state=state, stands=stands, remedy=remedy)
            raise Refused(told, State(state), reason or None)


def deadline(seconds: float) -> int:
    """Return a new deadline, in seconds from now, as the operations take it. Raises Refused."""
    if not 0 < seconds <= FURTHEST.total_seconds():
        raise Refused(
            f"a deadline {seconds:g} s from now is not between now and {FURTHEST.days} days ahead"
        )
    return milliseconds(seconds)


def _waking(wake: Wake | None) -> tuple[Following, ...]:
    return (Waking(wake),) if wake else ()


def _raised(answer: str | Exception) -> str:
    if isinstance(answer, Exception):
        raise answer
    return answer
