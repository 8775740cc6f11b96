"""Many requests: written in batches as they are read, with a result for each as it is known.

However many there are, no more than one batch is kept.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, TypeVar

from dispatcher.errors import DispatcherError
from dispatcher.model.invalid_job import InvalidJob
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.values import Enqueued, Outcome

if TYPE_CHECKING:
    from dispatcher.client.handles import JobHandle
    from dispatcher.model.request import JobRequest

BATCH = 500
"""Requests written in one round trip."""
Row: TypeAlias = "Mapping[str, Any] | JobRequest"
Rows = Sequence[tuple[int, Row]]
Handle = TypeVar("Handle")
Enqueue: TypeAlias = "Callable[[Iterable[JobRequest]], list[Outcome]]"
"""Writes requests as they come; returns what became of each. Raises StoreUnavailable where nobody
knows.
"""


@dataclass(frozen=True, slots=True)
class RefusedRequest:
    """A request that was refused for good: its place among those that were read, from 0, and why.

    `error` is InvalidJob, NumberRefused, KeyConflict or NoRoom.
    """

    index: int
    error: DispatcherError


@dataclass(slots=True)
class Bulk(Generic[Handle]):
    """What became of many requests: the jobs in order, and the refusals as `(index, error)`."""

    jobs: list[Handle] = field(default_factory=list)
    refused: list[tuple[int, DispatcherError]] = field(default_factory=list)

    def add(self, result: Handle | RefusedRequest) -> None:
        """Sort in one result."""
        if isinstance(result, RefusedRequest):
            self.refused.append((result.index, result.error))
        else:
            self.jobs.append(result)


class Interrupted(StoreUnavailable):
    """Redis went away, or refused, in the midst of many requests.

    All that is known was given out before: `accepted` jobs, and refusals. `why` is what Redis said.
    `missing` are the places of those that were read and are neither: send them again, and all from
    the place `read` on, which were not read. With keys all may be sent again: none is doubled.
    `bulk` is what `collect` had collected.
    """

    def __init__(self, why: StoreUnavailable, accepted: int, missing: list[int], read: int) -> None:
        super().__init__(
            f"{why}; {accepted:,} of {read:,} requests were accepted before: send the others again",
            why.code,
        )
        self.why, self.accepted, self.missing, self.read = why, accepted, missing, read
        self.bulk: Bulk[Any] = Bulk()


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one batch: what was made or refused, by place, and what nobody knows of.

    `fault` is what reading a request raised that has nothing to do with calls: no later one of the
    batch was looked at.
    """

    known: list[tuple[int, Enqueued | DispatcherError]]
    missing: list[int]
    why: StoreUnavailable | None
    fault: Exception | None = None


class _Checked(Iterator["JobRequest"]):
    """The right ones of a batch, each checked when it is asked for; so Redis has something to do
    meanwhile. An error of one stops none of the others.
    """

    def __init__(self, rows: Rows, asked: Callable[[Row], JobRequest]) -> None:
        self._rows, self._asked = iter(rows), asked
        self.places: list[int] = []
        self.refused: dict[int, DispatcherError] = {}
        self.fault: Exception | None = None

    def __next__(self) -> JobRequest:
        for index, fields in self._rows:
            try:
                request = self._asked(fields)
            except (InvalidJob, TypeError, ValueError) as error:
                self.refused[index] = _as_refusal(error)
            except Exception as error:  # noqa: BLE001 - of somebody's own mapping; what was sent counts
                self.fault, self._rows = error, iter(())
                break
            else:
                self.places.append(index)
                return request
        raise StopIteration


def write(rows: Rows, asked: Callable[[Row], JobRequest], enqueue: Enqueue) -> Written:
    """Check a batch and write what is right; an error of one stops none of the others."""
    checked = _Checked(rows, asked)
    found: dict[int, Enqueued | DispatcherError] = {}
    whys: dict[int, StoreUnavailable] = {}
    try:
        outcomes = enqueue(checked)
    except StoreUnavailable as error:  # whether any was accepted, nobody knows
        deque(checked, maxlen=0)
        whys = dict.fromkeys(checked.places, error)
        outcomes = []
    for index, outcome in zip(checked.places, outcomes, strict=not whys):
        try:
            found[index] = outcome.unwrap()
        except StoreUnavailable as error:
            whys[index] = error
        except DispatcherError as error:
            found[index] = error
    found |= checked.refused
    known = sorted(found.items(), key=itemgetter(0))
    return Written(known, list(whys), next(iter(whys.values()), None), checked.fault)


def _as_refusal(error: Exception) -> DispatcherError:
    if isinstance(error, DispatcherError):
        return error
    return InvalidJob([("request", f"it is not a set of named fields ({type(error).__name__})")])


class Given(Generic[Handle]):
    """How far many requests have come: what is still to be given out, and what was."""

    _begun = True  # so far it is not even made

    def __init__(self, handle: Callable[[Enqueued, int], Handle]) -> None:
        self._handle = handle
        self._ready: deque[Handle | RefusedRequest] = deque()
        self._fault: Exception | None = None
        self._read = self._accepted = 0
        self._begun = False

    def _take(self, rows: Rows, written: Written) -> None:
        """Note what became of a batch."""
        self._read = rows[-1][0] + 1
        for index, found in written.known:
            if isinstance(found, Enqueued):
                self._accepted += 1
                self._ready.append(self._handle(found, index))
            else:
                self._ready.append(RefusedRequest(index, found))
        self._fault = written.fault
        if written.why:
            self._fault = Interrupted(written.why, self._accepted, written.missing, self._read)

    def _raise_fault(self) -> None:
        """Raise Interrupted, or what reading a request raised, once: when all that is known was
        given out.
        """
        fault, self._fault = self._fault, None
        if fault:
            raise fault

    def __del__(self) -> None:
        """Say what would be silent otherwise: calls that nobody makes."""
        if not self._begun:
            with suppress(AttributeError, ImportError):  # the interpreter is ending
                warnings.warn(_UNREAD, RuntimeWarning, stacklevel=2, source=self)


_UNREAD = (
    "call_many was not read, so nothing was enqueued: loop over it (`for result in"
    " d.call_many(…)`), or call its collect()"
)


class Results(Given["JobHandle"], Iterator["JobHandle | RefusedRequest"]):
    """The results of many requests, one for each, in order: a JobHandle or a RefusedRequest.

    Requests are read and written as results are asked for, a batch at a time. Raises Interrupted.
    """

    def __init__(
        self,
        requests: Iterable[Row],
        write_batch: Callable[[Rows], Written],
        handle: Callable[[Enqueued, int], JobHandle],
    ) -> None:
        self._rows, self._write = enumerate(requests), write_batch
        self._all: Bulk[JobHandle] | None = None
        super().__init__(handle)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> JobHandle | RefusedRequest:
        self._begun = True
        while not self._ready:
            self._raise_fault()
            rows = list(islice(self._rows, BATCH))
            if not rows:
                raise StopIteration
            self._take(rows, self._write(rows))
        return self._ready.popleft()

    def collect(self) -> Bulk[JobHandle]:
        """Return what became of all that are left: this keeps every result. Raises Interrupted."""
        bulk: Bulk[JobHandle] = Bulk()
        try:
            for result in self:
                bulk.add(result)
        except Interrupted as error:
            error.bulk = bulk
            raise
        return bulk

    @property
    def jobs(self) -> list[JobHandle]:
        """The jobs of all requests: it reads them to the end. Raises Interrupted."""
        return self._collected.jobs

    @property
    def refused(self) -> list[tuple[int, DispatcherError]]:
        """The refusals of all requests, `(index, error)`: it reads them to the end."""
        return self._collected.refused

    @property
    def _collected(self) -> Bulk[JobHandle]:
        if self._all is None:
            self._all = self.collect()
        return self._all
