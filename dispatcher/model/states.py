"""The states of a job, and the one table that says which may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NoReturn

from dispatcher.errors import DispatcherError


class UnknownWord(DispatcherError, ValueError):
    """There is no such state or priority; the message says which there are."""


class _Word(StrEnum):
    """A closed set of words. To ask for another one raises UnknownWord."""

    @classmethod
    def _missing_(cls, value: object) -> NoReturn:
        raise UnknownWord(
            f"{str(value)[:40]!r} is not a {cls.__name__.lower()}: choose one of {', '.join(cls)}"
        )


class State(_Word):
    """Where a job stands; each member says how it is left."""

    SCHEDULED = "scheduled"
    """Not before its due time; left when that comes."""
    QUEUED = "queued"
    """Ready; left when a worker claims it."""
    HELD = "held"
    """Parked without spending an attempt; left when its hold ends."""
    DIALING = "dialing"
    """Leased by one worker that asks the provider; left by the answer or by its loss."""
    UNCERTAIN = "uncertain"
    """The provider may have placed a call nobody knows of; left by evidence or by policy."""
    IN_PROGRESS = "in_progress"
    """The call is known and not over; left by the provider's report."""
    COMPLETED = "completed"
    """Answered, or marked as reached by a person."""
    FAILED = "failed"
    """Not reached, with the reason; left only by a retrigger, or by a person who knows better."""
    EXPIRED = "expired"
    """Its deadline passed first; left only by a retrigger."""
    CANCELLED = "cancelled"
    """By request; left only by a retrigger."""


class Reason(StrEnum):
    """Why a job is held or ended as it did, in one word that filters and counters use."""

    CREDIT = "credit"
    AUTH = "auth"
    PAUSED = "paused"
    PROVIDER_DOWN = "provider_down"
    LIMIT = "limit"
    REPLICAS = "replicas"
    RESTORED = "restored"
    UNUSUAL = "unusual"
    NO_ANSWER = "no_answer"
    CALL_FAILED = "call_failed"
    INVALID_REQUEST = "invalid_request"
    NOT_ALLOWED = "not_allowed"
    DO_NOT_CALL = "do_not_call"
    ATTEMPTS_EXHAUSTED = "attempts_exhausted"
    OUTCOME_UNKNOWN = "outcome_unknown"
    MARKED_REACHED = "marked_reached"


class Priority(_Word):
    """How soon a ready job is fed; also the name of its Celery queue."""

    URGENT = "urgent"
    NORMAL = "normal"
    BULK = "bulk"


class OnUncertain(StrEnum):
    """What follows when nobody can know whether a call was placed and the window is over."""

    REDIAL = "redial"
    HOLD = "hold"


class Dnc(StrEnum):
    """Whether the do-not-call list is looked at."""

    OBEY = "obey"
    EXEMPT = "exempt"


TERMINAL = frozenset({State.COMPLETED, State.FAILED, State.EXPIRED, State.CANCELLED})
WAITING = frozenset({State.SCHEDULED, State.QUEUED, State.HELD})
LIVE = frozenset(State) - TERMINAL
CALLING = frozenset({State.DIALING, State.UNCERTAIN, State.IN_PROGRESS})
"""A call may be under way."""

END_REASONS: Mapping[State, tuple[str, ...]] = {
    State.COMPLETED: ("", Reason.MARKED_REACHED),
    State.FAILED: (
        Reason.NO_ANSWER,
        Reason.CALL_FAILED,
        Reason.INVALID_REQUEST,
        Reason.NOT_ALLOWED,
        Reason.DO_NOT_CALL,
        Reason.ATTEMPTS_EXHAUSTED,
        Reason.OUTCOME_UNKNOWN,
    ),
    State.EXPIRED: ("",),
    State.CANCELLED: ("",),
}
"""The reasons that a job may end for; '' where the state says it all."""

_ENDS = frozenset({State.FAILED, State.EXPIRED})
_FOUND = frozenset({State.IN_PROGRESS, State.COMPLETED, State.FAILED})
"""Where evidence of a call leads that comes when its redial was decided, but not dialled yet."""
TRANSITIONS: dict[State, frozenset[State]] = {
    State.SCHEDULED: frozenset({State.QUEUED, State.EXPIRED, State.CANCELLED, *_FOUND}),
    State.QUEUED: frozenset(
        {State.DIALING, State.SCHEDULED, State.HELD, State.EXPIRED, State.CANCELLED, *_FOUND}
    ),
    State.HELD: frozenset({State.QUEUED, State.EXPIRED, State.CANCELLED, *_FOUND}),
    State.DIALING: frozenset(
        {
            State.IN_PROGRESS,
            State.UNCERTAIN,
            State.COMPLETED,  # a report can be here before the answer to the request is
            State.SCHEDULED,
            State.HELD,
            *_ENDS,
        }
    ),
    State.UNCERTAIN: frozenset(
        {
            State.IN_PROGRESS,
            State.COMPLETED,
            State.SCHEDULED,
            State.HELD,
            State.QUEUED,
            State.CANCELLED,
            *_ENDS,
        }
    ),
    State.IN_PROGRESS: frozenset({State.COMPLETED, State.SCHEDULED, *_ENDS}),
    State.COMPLETED: frozenset(),
    State.FAILED: frozenset({State.QUEUED, State.COMPLETED}),
    State.EXPIRED: frozenset({State.QUEUED}),
    State.CANCELLED: frozenset({State.QUEUED}),
}
"""What may follow each state. The Lua library is loaded with this very table."""
