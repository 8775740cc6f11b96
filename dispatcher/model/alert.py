"""An alert: one incident that monitoring reported, who was called because of it, and who has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from dispatcher.errors import DispatcherError, UsageError
from dispatcher.values.masking import mask_text

if TYPE_CHECKING:
    from dispatcher.model.on_call import Chain

BUNDLE = "bundle"
"""The source of an alert that is a bundle of others."""
DRILL = "drill"
"""The source of an alert that only tries whether its chain rings."""


class InvalidAlert(UsageError, ValueError):
    """What was reported is no alert; the message says what is wrong, and with which value."""


class UnknownAlert(DispatcherError, LookupError):
    """There is no such alert, or its retention is over."""

    def __init__(self, id_: str) -> None:
        super().__init__(
            f"there is no alert {mask_text(id_)[:60]!r}: `voice-dispatcher alerts list` shows them"
        )


class AlertState(StrEnum):
    """Where an alert stands; each member says how it is left."""

    RINGING = "ringing"
    """Its chain is under way; left by an acknowledgement, its resolution, or the chain's end."""
    FOLDED = "folded"
    """The calls of another alert, its bundle, tell of it; goes where that goes, or is resolved."""
    NOT_CALLED = "not_called"
    """A route says that nobody is called for such an alert; left when it is resolved."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody has it; left when it is resolved, or reported again after `repeat_after`."""
    UNREACHED = "unreached"
    """Its chain came to its end and nobody has it, with the reason."""
    RESOLVED = "resolved"
    """Monitoring says that it is over."""
    CANCELLED = "cancelled"
    """A person stopped its calls; left when it is resolved."""


class AlertReason(StrEnum):
    """Why an alert is unreached, in one word."""

    NOBODY_ANSWERED = "nobody_answered"
    NOBODY_ACKNOWLEDGED = "nobody_acknowledged"
    """Somebody answered, and nobody said that they have it."""
    NOBODY_TO_CALL = "nobody_to_call"
    """No step of its chain had anybody who may be called."""
    NO_CHAIN = "no_chain"
    """No route fits its labels, or there is no chains file."""


ALERT_TRANSITIONS: Mapping[AlertState, frozenset[AlertState]] = {
    AlertState.RINGING: frozenset(
        {
            AlertState.ACKNOWLEDGED,
            AlertState.UNREACHED,
            AlertState.RESOLVED,
            AlertState.CANCELLED,
        }
    ),
    AlertState.FOLDED: frozenset(
        {
            AlertState.ACKNOWLEDGED,
            AlertState.UNREACHED,
            AlertState.RESOLVED,
            AlertState.CANCELLED,
        }
    ),
    AlertState.NOT_CALLED: frozenset(
        {AlertState.RINGING, AlertState.FOLDED, AlertState.ACKNOWLEDGED, AlertState.RESOLVED}
    ),
    AlertState.ACKNOWLEDGED: frozenset(
        {AlertState.RINGING, AlertState.FOLDED, AlertState.RESOLVED}
    ),
    AlertState.UNREACHED: frozenset(
        {
            AlertState.RINGING,
            AlertState.FOLDED,
            AlertState.ACKNOWLEDGED,
            AlertState.RESOLVED,
            AlertState.CANCELLED,
        }
    ),
    AlertState.CANCELLED: frozenset({AlertState.ACKNOWLEDGED, AlertState.RESOLVED}),
    AlertState.RESOLVED: frozenset({AlertState.RINGING, AlertState.FOLDED}),
}
"""What may follow each state. The Lua library is loaded with this very table."""

OPEN = frozenset(AlertState) - {AlertState.RESOLVED, AlertState.CANCELLED}


class Severity(StrEnum):
    """How bad an alert is, the worst first."""

    CRITICAL = "critical"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Severity).index(self)


class Acknowledgement(StrEnum):
    """How somebody said that they have an alert."""

    DIAL_IN = "dial_in"
    ANSWERED = "answered"
    """By answering the call, where their chain is content with that."""
    CONSOLE = "console"
    CLI = "cli"
    HTTP = "http"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """What monitoring said of one alert, whichever door it came through.

    `fingerprint` is what that monitoring knows the alert by, the same for each report of it and for
    each new incident of the same rule. `started_at` is an aware datetime; with it the fingerprint
    names one incident. None: the source does not say when it began, so it is the open alert
    of that fingerprint, or a new one. `summary` is one line for ears, `severity` as the source
    wrote it, read by `Severity`. `link` leads to the monitoring's own page.
    """

    source: str
    fingerprint: str
    firing: bool
    summary: str
    severity: Severity = Severity.CRITICAL
    started_at: datetime | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    link: str | None = None
    repeats: bool = True
    """Whether the source reports it again while it lasts (most do)."""
    traceparent: str | None = None
    """Which trace the report belongs to, in the W3C's form."""


@dataclass(frozen=True, slots=True)
class AlertCall:
    """One call to one person of an alert's chain.

    `job_id` is the job that makes it; None where there was no call, and `skipped` says why not, in
    words, such as 'ann is on the do-not-call list'. Moments are aware and UTC.
    """

    number: int  # from 1, in the order in which they were decided
    contact: str
    round: int
    step: int
    at: datetime
    job_id: str | None
    skipped: str | None = None
    turn: int = 0
    """Which time of the step's `times` it was made at, from 0."""


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One line of what happened to an alert."""

    at: datetime
    what: str
    by: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert as it stands. Moments are aware and UTC."""

    id: str
    version: int
    """Grows with each change: who decides writes only on what they have seen."""
    source: str
    fingerprint: str
    state: AlertState
    reason: AlertReason | None
    severity: Severity
    summary: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    link: str | None
    chain: str | None
    """The name of its chain; None where nobody is called."""
    started_at: datetime
    """When the incident began, as monitoring says; else when it was first reported."""
    received_at: datetime
    heard_at: datetime
    """When it was reported last."""
    reports: int
    """How often it was reported as firing."""
    rung_at: datetime | None = None
    """When its first call was sent to the provider."""
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_how: Acknowledgement | None = None
    ended_at: datetime | None = None
    """When it was resolved, cancelled, or its chain came to its end."""
    told_by: str | None = None
    """Of a folded alert: the id of the bundle whose calls tell of it."""
    members: int = 0
    """Of a bundle: how many alerts were folded into it."""
    firing_members: int = 0
    """How many of these are not resolved."""
    round: int = 0
    """How often its chain was begun from the top; 0: it is to be begun."""
    step: int = 0
    turn: int = 0
    """Where it stands in the step: which of its `times`, or who of those called in turn."""
    began_at: datetime | None = None
    """When its chain was begun; calls before then are those of an earlier time."""
    since: datetime | None = None
    """Since when it has stood at this round, step and turn."""
    position: str = field(default="", repr=False)
    """What else the chain's next step must know; '' where it is to be begun."""
    rules: Chain | None = field(default=None, repr=False)
    """Its chain as it was when it began."""
    telling: bool = False
    """It is over, and those who were called are to be told."""
    next_at: datetime | None = None
    """When something happens next, without news."""
    last_call: int = 0
    """The number of the latest call; only the latest ones are kept in `calls`."""
    calls: tuple[AlertCall, ...] = ()
    timeline: tuple[TimelineLine, ...] = ()
    traceparent: str | None = None
    """Which trace it and its calls belong to, in the W3C's form."""

    @property
    def is_bundle(self) -> bool:
        """Whether its calls tell of several alerts."""
        return self.source == BUNDLE
