"""What goes into the store of alerts, and what it answers with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dispatcher.model.alert import Alert, AlertEvent, AlertState

if TYPE_CHECKING:
    from dispatcher.model.on_call import Chain

What = Literal["new", "repeat", "again", "folded", "resolved", "not_called", "unknown"]


@dataclass(frozen=True, slots=True)
class AlertRow:
    """What monitoring reported, and the chain that its labels lead to.

    `called` False: a route says that nobody is called. `chain` None with `called`: no route leads
    anywhere, so that nobody can be.
    """

    event: AlertEvent
    chain: str | None = None
    rules: Chain | None = None
    called: bool = True


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a report.

    `new`, `again` and `folded` are to ring: `folded` by the calls of the bundle `told_by`.
    `repeat` rings nobody, nor does `not_called`. `unknown`: monitoring says that something is over
    which nobody reported, and not when it began; there is no `id` then.
    """

    id: str
    what: What
    state: AlertState
    told_by: str | None = None


@dataclass(frozen=True, slots=True)
class AlertPage:
    """Some alerts, newest first; `cursor` leads on, None where that is all."""

    alerts: list[Alert]
    cursor: str | None


@dataclass(frozen=True, slots=True)
class AlertActed:
    """Whether an action changed the alert, which state it found, and the alert as it stands."""

    done: bool
    before: AlertState
    alert: Alert
