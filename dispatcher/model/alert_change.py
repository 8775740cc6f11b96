"""What is decided of an alert's chain: the store writes it in one step, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from dispatcher.model.alert import Acknowledgement, AlertReason, AlertState

if TYPE_CHECKING:
    from dispatcher.model.request import JobRequest


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """A call to one person, or why there is none.

    `number` goes on from the alert's calls: the first one of a change has `last_call + 1`. The
    call's job is named by the alert and this number, so that no step makes it twice. Just one of
    `request` and `skipped` (why nobody is called, in words) is given.
    """

    number: int
    contact: str
    request: JobRequest | None = None
    skipped: str | None = None
    round: int | None = None
    step: int | None = None
    """Where it belongs; None: to the round and step that the change comes to."""


@dataclass(frozen=True, slots=True)
class AlertChange:
    """Where the chain goes, who is called now, and when it is looked at next.

    A call that the store refuses (a number on the do-not-call list, a country that is not called)
    is kept as skipped with the reason; where none of several is made, the alert is due at once.
    """

    round: int
    step: int
    turn: int = 0
    position: str = ""
    """What else the chain's next step must know."""
    calls: tuple[PlannedCall, ...] = ()
    cancel: tuple[str, ...] = ()
    """Ids of its jobs that wait and are not to be dialled any more; others go to their end."""
    next_at: datetime | None = None
    """When to look again without news, aware; of a ringing alert within a minute in any case."""
    state: AlertState | None = None
    """What the alert comes to: None for as it is, else acknowledged or unreached."""
    reason: AlertReason | None = None
    """Why it is unreached."""
    acknowledged_by: str | None = None
    acknowledged_how: Acknowledgement | None = None
    lines: tuple[str, ...] = ()
    """What the timeline says of it."""
