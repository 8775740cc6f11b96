"""What the store answers with: frozen values, and errors that say what to do."""

from __future__ import annotations

import hashlib
import math
import secrets
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dispatcher.errors import DispatcherError
from dispatcher.model.invalid_job import DoNotCall, LanguageRefused, NumberRefused
from dispatcher.model.job import Job
from dispatcher.model.states import Priority, State
from dispatcher.values.masking import mask_number, mask_text
from dispatcher.values.rate import Rate

if TYPE_CHECKING:
    from dispatcher.model.request import JobRequest


class KeyConflict(DispatcherError, ValueError):
    """The idempotency key belongs to another request; use a new key, or send the same request."""


class UnknownJob(DispatcherError, LookupError):
    """There is no such job: check the id, or it is past its retention."""

    def __init__(self, id_: str) -> None:
        super().__init__(f"there is no job {id_[:40]!r}: check the id; its retention may be over")


class Refused(DispatcherError):
    """What was asked for cannot be done to a job as it stands.

    `state` and `reason` are the job's; None where something else was wrong.
    """

    def __init__(self, message: str, state: State | None = None, reason: str | None = None) -> None:
        super().__init__(message)
        self.state, self.reason = state, reason


class NoRoom(DispatcherError):
    """As much of the client waits as may: try again when some of its jobs have been dialled."""

    def __init__(self, what: str) -> None:
        super().__init__(
            {
                "jobs": "as many jobs of this client wait as may"
                " (DISPATCHER_JOBS_PER_CLIENT, or --waiting of its key)",
                "bytes": "the waiting jobs of this client take as many bytes as they may"
                " (DISPATCHER_JOB_BYTES_PER_CLIENT)",
            }[what]
        )


NO_ROOM = ("jobs", "bytes")
"""What enqueue answers where there is no room."""


@dataclass(frozen=True, slots=True)
class Room:
    """How much of one client may wait at once: jobs, and the bytes that they take, about."""

    jobs: int
    bytes: int


class Enqueued(NamedTuple):
    """An accepted request: the job's id, and whether the job is new or was there already."""

    id: str
    new: bool


class Accepted(NamedTuple):
    """The job of a request, and whether the request made it."""

    job: Job
    new: bool


class Packed(NamedTuple):
    """A request as `enqueue` takes it (`text`, JSON), and what tells about its job beforehand."""

    id: str
    fingerprint: str
    tariff: str
    text: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to make one request: the attempt's number fences everything that follows.

    The request goes out in `after` seconds. `booked` names the moment that it counts from, to
    `rebook` it by; '' without a limit.
    """

    job: Job
    attempt: int
    after: float = 0
    booked: str = ""


@dataclass(frozen=True, slots=True)
class Hours:
    """The job goes by calling hours, and the window that it knows is over: set the next one."""

    job: Job
    text: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What a worker is to do next: make the requests of these claims, and set the calling windows
    that are missing.

    `day` names a time zone where the day that spending limits count is over: set the next one, by
    its clock. `again` is in how many seconds it is worth asking again, None: when something new
    comes. `wake`: there is more than this worker can dial, and others are to be woken.
    `unreadable` are jobs whose records cannot be read: nobody is called, and their leases end.
    """

    claims: tuple[Claim, ...] = ()
    hours: tuple[Hours, ...] = ()
    day: str = ""
    again: float | None = None
    wake: Priority | None = None
    unreadable: tuple[str, ...] = ()


class Holdable(Protocol):
    """What a hold goes by: that of a job, or of one that is to be made."""

    @property
    def tags(self) -> tuple[str, ...]: ...
    @property
    def producer(self) -> str: ...
    @property
    def priority(self) -> Priority: ...


@dataclass(frozen=True, slots=True)
class Hold:
    """What keeps jobs from being dialled: since when (ms since the epoch), why, credits required.

    One that is `half_open` lets a single job through, which tries whether calls work again.
    """

    name: str
    since: float
    why: str
    required: float
    half_open: bool = False

    def stops(self, job: Holdable) -> bool:
        """Whether it holds a job back; as lua/lib/holds.lua decides."""
        _, _, scope = self.name.partition(":")
        kind, _, what = scope.partition(":")
        if kind == "tag":
            return what in job.tags
        if kind == "client":
            return what == job.producer
        return kind != "priority" or what == job.priority


@dataclass(frozen=True, slots=True)
class Pace:
    """Where the limiter and the lines stand.

    Rates in requests per second (None: no limit), `next_slot` in seconds from now. `ready` and
    `lines` count the jobs that wait and the campaigns or producers they belong to, by priority.
    `margin` is by how many seconds requests keep further apart than the limit asks for; `found`
    are the limits that the provider was found to have beside the configured one, which counts in
    windows of about `period` seconds.
    """

    rate: float | None
    working_rate: float | None
    next_slot: float
    connections: int
    margin: float | None
    found: tuple[Rate, ...]
    ready: dict[Priority, int]
    lines: dict[Priority, int]
    period: int = 1
    idle: float = math.inf
    """Seconds since the latest request, status checks included."""


@dataclass(frozen=True, slots=True)
class Pumped:
    """How many jobs time moved on; `aside`: a worker did not set their calling windows."""

    due: int
    expired: int
    aside: int
    released: int

    @property
    def most(self) -> int:
        """The largest of them: where it meets the batch size there may be more to do."""
        return max(self.due, self.expired, self.aside, self.released)


class Outcome(NamedTuple):
    """What became of one request of a batch: what Redis answered, or why it did not do it."""

    id: str
    request: JobRequest
    answer: str | Exception

    @property
    def stands(self) -> bool:
        """Whether the request has a job."""
        return self.answer in {"new", "same"}

    def unwrap(self) -> Enqueued:
        """Return what was enqueued.

        Raises KeyConflict, NumberRefused, LanguageRefused, NoRoom, and what Redis refused it with.
        """
        if self.stands:
            return Enqueued(self.id, new=self.answer == "new")
        if isinstance(self.answer, Exception):
            raise self.answer
        field = "participants" if self.request.participants else "recipient"
        if refused := request_refused(self.answer, field):
            raise refused
        if self.answer in NO_ROOM:
            raise NoRoom(self.answer)
        if self.answer == "other":
            raise KeyConflict(
                f"key {mask_text(self.request.key or '')!r} belongs to another request"
                f" (job {self.id}): use a new key, or send the same request"
            )
        return Enqueued(self.id, new=False)

    def result(self) -> Enqueued | DispatcherError:
        """Return what `unwrap` does, or the error that it raises."""
        try:
            return self.unwrap()
        except DispatcherError as error:
            return error


_REFUSED = {
    "country": "the account does not call numbers of {}: DISPATCHER_ALLOWED_COUNTRIES and"
    " DISPATCHER_BLOCKED_COUNTRIES say which it calls",
    "type": "the account does not call {} numbers: DISPATCHER_ALLOWED_NUMBER_TYPES allows them",
    "language": "the provider refused to speak {!r} of late: use another language, or a recording;"
    " `voice-dispatcher languages` shows and forgets such refusals",
}


LISTED = "'{}' is on the do-not-call list: `voice-dispatcher dnc check` says since when and why"
"""What is wrong with a request for such a number."""


def request_refused(
    answer: str, field: str = "recipient"
) -> NumberRefused | LanguageRefused | None:
    """Return the error of a request whose number the account does not call, or whose language the
    provider refuses; None for others.

    `answer` is what the store said of it, such as `country:JM`, `type:premium`,
    `listed:818012345678` or `language:cy`; `field` is the one of the request that has the number.
    """
    kind, _, what = answer.partition(":")
    if kind == "listed":
        return DoNotCall([(field, LISTED.format(mask_number(f"+{what}")))])
    if kind not in _REFUSED:
        return None
    why = _REFUSED[kind].format(what)
    return LanguageRefused([("lang", why)]) if kind == "language" else NumberRefused([(field, why)])


_PAIRS = tuple(map("".join, product("abcdefghijklmnopqrstuvwxyz234567", repeat=2)))
"""Ten bits in base32: the standard library has it in Python, a digit at a time."""


def job_id(key: str | None, scope: str = "") -> str:
    """Return the id of a job: random, or for a key always the same (16 letters and digits).

    That is the whole index of idempotency keys: it costs no memory and cannot go astray.
    """
    if key is None:
        raw = secrets.token_bytes(10)
    else:
        raw = hashlib.blake2b(f"{scope}\0{key}".encode(), digest_size=10).digest()
    bits = int.from_bytes(raw)
    return "".join([_PAIRS[bits >> place & 1023] for place in range(70, -1, -10)])
