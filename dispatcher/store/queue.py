"""The way of a job to its dial: into line, and claimed by the worker that dials it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from dispatcher.errors import DispatcherError
from dispatcher.model.states import Priority, State
from dispatcher.store import codec
from dispatcher.store.connection import Repository, milliseconds
from dispatcher.store.errors import TooFewReplicas
from dispatcher.store.values import Claim, Hours, Pumped, Taken

if TYPE_CHECKING:  # it loads what is known of all numbers
    from dispatcher.values.calling_hours import Window

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Waits:
    """When the longest waiting job became due, in ms since the epoch; None: there is none.

    `since` is by priority, of those that are ready or held. `late` is of the ready, by priority,
    and under `scheduled` of those that are past their time and not in line yet.
    """

    since: dict[Priority, float | None]
    late: dict[str, float | None]


class Queue(Repository):
    """The jobs that wait to be dialled."""

    def take(
        self,
        most: int,
        *,
        token: str,
        lease: float,
        actor: str = "worker",
        provider: str | None = None,
        replicas: int = 0,
    ) -> Taken:
        """Take the right to make up to so many requests, for the jobs whose turn it is.

        `lease` is in seconds. The same `token` asks again for the same claims, should the first
        answer have been lost; `provider` is who is asked.
        Raises TooFewReplicas where rights are given, but are not on so many replicas; its
        `answers` is what was taken.
        """
        reckoning = self._connection.reckoning
        try:
            answer = self._run(
                "take",
                replicas=replicas,
                most=most,
                token=token,
                lease=milliseconds(lease),
                actor=actor,
                provider=provider,
                **reckoning.arguments(),
            )
        except TooFewReplicas as error:
            taken = _taken(error.answers[0])
            if taken.claims:
                error.answers = [taken]
                raise
            return taken  # nobody is called on the strength of it
        reckoning.tell(answer[0])
        return _taken(answer)

    def wake(self) -> Priority | None:
        """Return the priority whose workers are to be woken, since jobs wait that they were not
        told of yet; who asks does it.
        """
        found = self._run("wake")
        return None if found is None else Priority(found.decode())

    def set_calling_window(
        self, id_: str, window: Window | None, why: str, hours: str
    ) -> State | None:
        """Set the window in which a queued job may be dialled; where none ever opens it fails.

        `hours` is the text it comes from: a window of hours that were changed since does not count.
        """
        opens, closes = (window.opens, window.closes) if window else (None, None)
        # Rounded up, a window that is open now would open a moment later.
        start = math.floor(opens.timestamp() * 1000) if opens else None
        state = self._run(
            "set_calling_window",
            id=id_,
            opens=start,
            closes=codec.moment(closes) or None,
            hours=hours,
            actor="worker",
            why=why,
        )
        return None if state == b"gone" else State(state.decode())

    def pump(self, most: int = 500) -> Pumped:
        """Move due jobs into line, overdue ones to their end, held ones out of ended holds."""
        return Pumped(*self._run("pump", most=most))

    def position(self, id_: str) -> tuple[int, float, float] | None:
        """Return how many go before a queued job, seconds between two, and until the next slot."""
        found = self._run("position", id=id_)
        if found is None:
            return None
        before, spacing, until_slot = found
        return int(before), float(spacing) / 1000, float(until_slot) / 1000

    def waits(self) -> Waits:
        """Return since when jobs wait."""
        waiting, late = self._run("oldest_waiting")
        names = (*map(str, Priority), str(State.SCHEDULED))
        return Waits(
            {p: _moment(at) for p, at in zip(Priority, waiting, strict=True)},
            {name: _moment(at) for name, at in zip(names, late, strict=True)},
        )

    def waiting_since(self) -> dict[Priority, float | None]:
        """Return `since` of `waits`."""
        return self.waits().since

    def scheduled(self, until: float) -> tuple[int, int]:
        """Return how many scheduled jobs are due by a moment (ms since the epoch), and of how many
        in all.
        """
        key = self._key("due", State.SCHEDULED)
        due, all_ = self._read_together(("ZCOUNT", key, "-inf", str(round(until))), ("ZCARD", key))
        return due, all_


def _moment(told: bytes) -> float | None:
    return float(told) if told else None


def _taken(answer: list[Any]) -> Taken:
    """Return what the operation `take` answered."""
    _, again, wake, day, claims, hours = answer
    unreadable: list[str] = []
    return Taken(
        tuple(_read(_claim, claims, 5, unreadable)),
        tuple(_read(_hours, hours, 3, unreadable)),
        day.decode(),
        float(again) / 1000 if again else None,
        Priority(wake.decode()) if wake else None,
        tuple(unreadable),
    )


def _read(make: Callable[..., T], flat: list[Any], size: int, unreadable: list[str]) -> Iterator[T]:
    """Yield what stands in a row, so many values each. A damaged record stops no other."""
    for at in range(0, len(flat), size):
        try:
            yield make(*flat[at : at + size])
        except (ArithmeticError, DispatcherError, LookupError, TypeError, ValueError):
            unreadable.append(flat[at].decode())


def _claim(id_: bytes, attempt: int, after: bytes, booked: bytes, record: bytes) -> Claim:
    job = codec.claimed(id_.decode(), record)
    return Claim(job, attempt, float(after) / 1000, booked.decode())


def _hours(id_: bytes, text: bytes, record: bytes) -> Hours:
    return Hours(codec.claimed(id_.decode(), record), text.decode())
