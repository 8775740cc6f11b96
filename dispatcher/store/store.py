"""The store: each public operation is one atomic step in Redis, by Redis' own clock."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import redis
from redis.commands.core import Script

from dispatcher.errors import DispatcherError
from dispatcher.job import Job
from dispatcher.masking import mask_text
from dispatcher.policy import Decision
from dispatcher.redis_url import connect, plain_errors
from dispatcher.request import JobRequest
from dispatcher.states import Priority, State
from dispatcher.store import codec, scripts

DEFAULT_NAMESPACE = "vd"
LOST_AFTER = 15.0
"""Seconds after which a message that no worker took up is sent again: the broker holds about a
second of work, so that nothing honest waits so long."""


class KeyConflict(DispatcherError, ValueError):
    """The idempotency key belongs to another request; use a new key, or send the same request."""


class UnknownJob(DispatcherError, LookupError):
    """There is no such job: check the id, or it is past its retention."""

    def __init__(self, id_: str) -> None:
        super().__init__(
            f"there is no job {id_[:40]!r}: check the id; it may be past its retention"
        )


class Refused(DispatcherError):
    """What was asked for cannot be done to a job in this state."""


@dataclass(frozen=True, slots=True)
class Enqueued:
    """An accepted request: the job's id, and whether the job is new or stood already."""

    id: str
    new: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to make one request: the attempt's number fences everything that follows."""

    job: Job
    attempt: int


@dataclass(frozen=True, slots=True)
class Gate:
    """A closed gate of the account: since when (ms since the epoch), why, credits required."""

    name: str
    since: float
    why: str
    required: float


@dataclass(frozen=True, slots=True)
class Pumped:
    """How many jobs time moved on."""

    due: int
    expired: int
    lost: int
    released: int

    @property
    def most(self) -> int:
        """The largest of them: where it meets the batch size there may be more to do."""
        return max(self.due, self.expired, self.lost, self.released)


class Store:
    """Jobs in Redis.

    `clock` returns ms since the epoch and is for tests; without it every operation goes by
    Redis' own clock, so that the clocks of producers and workers do not matter.
    Operations raise StoreUnavailable where Redis cannot be asked; all of them may be repeated.
    """

    def __init__(
        self,
        client: redis.Redis,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        clock: Callable[[], int] | None = None,
    ) -> None:
        self.redis = client
        self.root = f"{{{namespace}}}"
        self._clock = clock
        self._scripts: dict[str, Script] = {}

    @classmethod
    def from_url(cls, url: str, *, namespace: str = DEFAULT_NAMESPACE) -> Store:
        """Return a store on the Redis at `url` (see redis_url.connect)."""
        return cls(connect(url), namespace=namespace)

    # -- producers -------------------------------------------------------------------------

    def enqueue(self, request: JobRequest, *, actor: str = "producer", scope: str = "") -> Enqueued:
        """Write a job, once for its key. Raises KeyConflict where the key has another request."""
        return self.enqueue_many([request], actor=actor, scope=scope)[0].unwrap()

    def enqueue_many(
        self, requests: Sequence[JobRequest], *, actor: str = "producer", scope: str = ""
    ) -> list[_Outcome]:
        """Write jobs in one round trip; the outcomes are in the order of the requests."""
        ids = [job_id(request.key, scope) for request in requests]
        script = self._script("enqueue")
        with plain_errors():
            pipe = self.redis.pipeline(transaction=False)
            for id_, request in zip(ids, requests, strict=True):
                script([self.root], self._arguments(_enqueue_arguments(id_, request, actor)), pipe)
            answers = pipe.execute()
        return [
            _Outcome(*row) for row in zip(ids, requests, (a.decode() for a in answers), strict=True)
        ]

    # -- the way of a job ------------------------------------------------------------------

    def feed(self, most: int = 100) -> list[tuple[str, Priority]]:
        """Choose the jobs a message goes out for now: `(id, priority)`, most deserving first."""
        flat = self._run("feed", most, _ms(LOST_AFTER))
        return [(flat[i].decode(), Priority(flat[i + 1].decode())) for i in range(0, len(flat), 2)]

    def claim(
        self, id_: str, *, token: str, lease: float, actor: str = "worker"
    ) -> Claim | State | None:
        """Take the right to make one request, or learn the state in which there is nothing to do.

        None means that there is no such job. `lease` is in seconds. The same `token` asks again
        for the same claim, should the first answer have been lost.
        """
        answer = self._run("claim", id_, token, _ms(lease), actor)
        if isinstance(answer, bytes):
            return None if answer == b"gone" else State(answer.decode())
        _, attempt, raw = answer
        return Claim(Job.from_record(id_, codec.record(raw)), int(attempt))

    def settle(
        self, id_: str, attempt: int, decision: Decision, *, actor: str = "worker"
    ) -> State | None:
        """Write what became of an attempt; return the job's state, or None where it is gone.

        What comes too late to change the job is kept with the attempt, and changes nothing else.
        """
        if decision.gate:
            self.close_gate(decision.gate, decision.why, float(decision.required or 0))
        kept = [f"{attempt}.result", decision.result]
        for name, value in decision.fields.items():
            kept += [f"{attempt}.{name}" if name in _OF_ATTEMPT else name, value]
        if decision.to not in {State.IN_PROGRESS, State.COMPLETED}:
            kept += [f"{attempt}.error", decision.why]
        _, state = self._run(
            "settle",
            id_,
            attempt,
            decision.to,
            decision.reason,
            "" if decision.delay is None else _ms(decision.delay),
            int(decision.spent),
            actor,
            decision.why,
            *kept,
        )
        return State(state.decode()) if state else None

    def put_off(self, id_: str, attempt: int, delay: float, status: str = "") -> bool:
        """Set when a call in progress is looked at next, in seconds; False where it is over."""
        return bool(self._run("put_off", id_, attempt, _ms(delay), status))

    # -- what time moves on ----------------------------------------------------------------

    def pump(self, most: int = 500) -> Pumped:
        """Move due jobs into line, overdue ones to their end, held ones out of opened gates."""
        return Pumped(*self._run("pump", most))

    def rescue(self, window: float, most: int = 200) -> int:
        """Recover jobs whose worker's lease ran out; `window` is the evidence window in seconds."""
        return int(self._run("rescue", most, _ms(window)))

    def take_due(self, state: State, *, most: int = 100, lease: float = 60) -> list[str]:
        """Take jobs in `in_progress` or `uncertain` whose next moment has come."""
        return [id_.decode() for id_ in self._run("take_due", state, most, _ms(lease))]

    def purge(self, id_: str, before: float) -> bool:
        """Remove a job that ended before a moment (ms since the epoch), and what points to it."""
        return bool(self._run("purge", id_, round(before)))

    # -- people ----------------------------------------------------------------------------

    def cancel(self, id_: str, *, actor: str, why: str = "") -> None:
        """End a job that is not dialled yet. Raises UnknownJob, Refused."""
        answer, before = self._run("cancel", id_, actor, why)
        self._complain(answer, id_, f"job {id_} cannot be cancelled: it is {before.decode()}")

    def retry(self, id_: str, *, actor: str, why: str = "", expires: float | None = None) -> None:
        """Reopen a job that ended without reaching anybody. Raises UnknownJob, Refused.

        `expires` is the new deadline in seconds from now; left out, the first one's length.
        """
        span = "" if expires is None else _ms(expires)
        answer, before = self._run("retry", id_, actor, why, span)
        state = before.decode()
        remedy = "it was reached" if state == State.COMPLETED else f"it is {state}, not ended"
        self._complain(answer, id_, f"job {id_} cannot be retried: {remedy}")

    def _complain(self, answer: bytes, id_: str, refusal: str) -> None:
        if answer == b"gone":
            raise UnknownJob(id_)
        if answer == b"refused":
            raise Refused(refusal)

    # -- gates -----------------------------------------------------------------------------

    def close_gate(self, name: str, why: str, required: float = 0) -> bool:
        """Close a gate for the whole account; True where it was open."""
        return bool(self._run("close_gate", name, why, required))

    def open_gate(self, name: str) -> bool:
        """Open a gate; what it held is released by the next pump. True where it was closed."""
        with plain_errors():
            return bool(self.redis.hdel(self.key("gates"), name))

    def look_at_gate(self, name: str, *, first: float = 2, longest: float = 60) -> Gate | None:
        """Take the right to look whether a gate may open: None where it is open or not time yet."""
        text = self._run("look_at_gate", name, _ms(first), _ms(longest))
        return _gate(name, text) if text else None

    def gates(self) -> list[Gate]:
        """The closed gates."""
        with plain_errors():
            found: dict[bytes, bytes] = self.redis.hgetall(self.key("gates"))  # type: ignore[assignment]
        return sorted(
            (_gate(name.decode(), text) for name, text in found.items()), key=lambda g: g.name
        )

    # -- looking ---------------------------------------------------------------------------

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
            pipe = self.redis.pipeline(transaction=False)
            for id_ in wanted:
                pipe.hgetall(self.key("job", id_))
            records = [codec.record(raw) for raw in pipe.execute()]
            for id_, record in zip(wanted, records, strict=True):
                pipe.zscore(self.key("next", record.get("state", "")), id_)
            moments = pipe.execute()
        return [
            Job.from_record(id_, record, at) if "state" in record else None
            for id_, record, at in zip(wanted, records, moments, strict=True)
        ]

    def job_of_call(self, callid: str) -> str | None:
        """Return the id of the job that a call belongs to."""
        bucket = hashlib.sha1(callid.encode(), usedforsecurity=False).hexdigest()[:4]
        with plain_errors():
            found: bytes | None = self.redis.hget(self.key("calls", bucket), callid)  # type: ignore[assignment]
        return found.decode() if found else None

    def limits(self, **values: int | str) -> None:
        """Publish what the workers run with, for feeds and for people: `window`, and others."""
        with plain_errors():
            self.redis.hset(self.key("limits"), mapping=dict(values.items()))

    def now(self) -> float:
        """Return Redis' clock (or the injected one) in ms since the epoch."""
        if self._clock:
            return self._clock()
        with plain_errors():
            second, microsecond = self.redis.time()
        return float(second * 1000 + microsecond / 1000)

    # -- below -----------------------------------------------------------------------------

    def key(self, *parts: str) -> str:
        """Return the name of a key; `store/lua/_job.lua` lists them."""
        return ":".join((self.root, *parts))

    def _script(self, operation: str) -> Script:
        script = self._scripts.get(operation)
        if script is None:
            script = self._scripts[operation] = self.redis.register_script(
                scripts.source(operation)
            )
        return script

    def _arguments(self, arguments: Iterable[Any]) -> list[Any]:
        return [self._clock() if self._clock else "", *arguments]

    def _run(self, operation: str, *arguments: Any) -> Any:
        with plain_errors():
            return self._script(operation)([self.root], self._arguments(arguments))


_OF_ATTEMPT = frozenset({"callid", "conf"})


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of one request of a batch."""

    id: str
    request: JobRequest
    answer: str

    def unwrap(self) -> Enqueued:
        """Return what was enqueued, or raise KeyConflict."""
        if self.answer == "other":
            raise KeyConflict(
                f"key {mask_text(self.request.key or '')!r} belongs to another request"
                f" (job {self.id}): use a new key, or send the same request"
            )
        return Enqueued(self.id, new=self.answer == "new")


def job_id(key: str | None, scope: str = "") -> str:
    """Return the id of a job: random, or for a key always the same (16 letters and digits).

    That is the whole index of idempotency keys: it costs no memory and cannot go astray.
    """
    if key is None:
        raw = secrets.token_bytes(10)
    else:
        raw = hashlib.blake2b(f"{scope}\0{key}".encode(), digest_size=10).digest()
    return base64.b32encode(raw).decode().lower()


def _enqueue_arguments(id_: str, request: JobRequest, actor: str) -> list[str]:
    return [
        id_,
        request.fingerprint(),
        request.priority,
        codec.moment(request.at) or "+0",
        codec.moment(request.expires),
        actor,
        *codec.request_fields(request),
    ]


def _gate(name: str, text: bytes) -> Gate:
    facts = json.loads(text)
    return Gate(name, facts["since"], facts["why"], facts.get("required", 0))


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
