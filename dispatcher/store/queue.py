"""The way of a job to its dial: into line, out to the workers, claimed by one of them."""

from __future__ import annotations

import math
from typing import Any

from dispatcher.model.states import Priority, State
from dispatcher.store import codec
from dispatcher.store.connection import Repository, milliseconds
from dispatcher.store.errors import TooFewReplicas
from dispatcher.store.values import Claim, Day, Hours, Pumped, Wait
from dispatcher.values.calling_hours import Window

LOST_AFTER = 15.0
"""Seconds after which a message that no worker took up is sent again: the broker holds about a
second of work, so that nothing honest waits so long."""


class Queue(Repository):
    """The jobs that wait to be dialled."""

    def feed(self, most: int = 100) -> list[tuple[str, Priority]]:
        """Choose the jobs a message goes out for now: `(id, priority)`, most deserving first."""
        flat = self._run("dispatch", most=most, lost_after=milliseconds(LOST_AFTER))
        return [(flat[i].decode(), Priority(flat[i + 1].decode())) for i in range(0, len(flat), 2)]

    def claim(
        self,
        id_: str,
        *,
        token: str,
        lease: float,
        slot: str = "",
        actor: str = "worker",
        provider: str | None = None,
        replicas: int = 0,
    ) -> Claim | Wait | Hours | Day | State | None:
        """Take the right to make one request now, or learn why not.

        A State is one in which there is nothing to do, None means that there is no such job.
        `lease` is in seconds. The same `token` asks again for the same claim, should the first
        answer have been lost; `slot` is what a Wait reserved for it, `provider` who is asked.
        Raises TooFewReplicas where the right is given, but is not on so many replicas.
        """
        reckoning = self._connection.reckoning
        try:
            answer = self._run(
                "claim",
                replicas=replicas,
                id=id_,
                token=token,
                lease=milliseconds(lease),
                actor=actor,
                slot=slot or None,
                provider=provider,
                **reckoning.arguments(),
            )
        except TooFewReplicas as error:
            claimed = _claimed(id_, error.answers[0])
            if isinstance(claimed, Claim):
                error.answers = [claimed]
                raise
            return claimed  # nobody is called on the strength of it
        reckoning.tell(_reading(answer))
        return _claimed(id_, answer)

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

    def waiting_since(self) -> dict[Priority, float | None]:
        """Return since when (ms since the epoch) the longest waiting job is due, by priority.

        It is ready or held; None: none is.
        """
        found = self._run("oldest_waiting")
        return {p: float(at) if at else None for p, at in zip(Priority, found, strict=True)}


def _reading(answer: Any) -> bytes:
    """Return the reading of the limiter's time that came with an answer; b"": it was not asked."""
    if isinstance(answer, bytes) or answer[0] in {b"hours", b"day"}:
        return b""
    reading: bytes = answer[3] if answer[0] == b"wait" else answer[0]
    return reading


def _claimed(id_: str, answer: Any) -> Claim | Wait | Hours | Day | State | None:
    """Return what the operation `claim` answered."""
    if isinstance(answer, bytes):
        return None if answer == b"gone" else State(answer.decode())
    kind, first, second, *_ = answer
    if kind == b"wait":
        return Wait(float(first) / 1000, second.decode())
    if kind == b"day":
        return Day(first.decode())
    job = codec.job(id_, codec.record_of_json(second))
    if kind == b"hours":
        return Hours(job, first.decode())
    return Claim(job, int(first), kind.decode())
