"""What a chain's decision is made from, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dispatcher.model.alert import AlertReason
from dispatcher.policy.chain_position import Position


class Stage(StrEnum):
    """Where a call of a chain stands."""

    WAITING = "waiting"
    """Its job is not dialled yet."""
    CALLING = "calling"
    """It is dialled, rings, or is spoken."""
    ANSWERED = "answered"
    OVER = "over"
    """It reached nobody."""
    SKIPPED = "skipped"
    """There was no call: the number may not be called."""


@dataclass(frozen=True, slots=True)
class Made:
    """A call that was decided, as it stands now. `at`: when it was over; `why`: how it went.

    `in_line`: it waits for nothing but a worker that takes it.
    """

    number: int
    contact: str
    stage: Stage
    at: datetime | None = None
    why: str = ""
    in_line: bool = False


@dataclass(frozen=True, slots=True)
class Ring:
    """A call that is to be made, or is not, and why it is not (`skipped`)."""

    contact: str
    round: int
    step: int
    to: str | None = None
    lang: str | None = None
    skipped: str | None = None

    def __repr__(self) -> str:
        return f"Ring({self.contact!r}, round {self.round}, step {self.step}, {self.skipped})"


@dataclass(frozen=True, slots=True)
class End:
    """How a chain ends by itself: acknowledged `by` who answered, or unreached, with the reason."""

    by: str | None = None
    reason: AlertReason | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """What a chain does now.

    `calls` have the numbers that follow those of the calls so far. `cancel` are the numbers of
    calls whose job is cancelled if it still waits. `lines` belong in the timeline. `next_at` is
    when to look again without news; None where it has come to its `end`.
    """

    position: Position
    calls: tuple[Ring, ...] = ()
    cancel: tuple[int, ...] = ()
    lines: tuple[str, ...] = ()
    next_at: datetime | None = None
    end: End | None = None
