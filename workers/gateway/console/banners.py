"""The current problems, in words that somebody woken at night understands: pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from dispatcher.model.alert import AlertState
from dispatcher.model.credit import Credit
from dispatcher.model.states import Reason, State
from dispatcher.policy import can_call
from dispatcher.policy.credit_forecast import shown
from dispatcher.policy.processes import Roll
from dispatcher.store.missing_rights import MissingRight
from dispatcher.store.statistics import Backlog, Minute
from dispatcher.store.values import Hold, Pace
from dispatcher.values.counts import counted
from dispatcher.values.durations import spoken

NOBODY_DIALS = 30_000
"""ms that the oldest waits although the limiter has room: workers look four times a second."""
CREDIT_FOR = 4.0
"""Hours of credit below which somebody should know."""
FEW = 5
"""Ends of an hour from which a share of failures says something."""


class Level(StrEnum):
    """How bad it is."""

    BAD = "bad"
    """People are not called."""
    WARN = "warn"
    """It will be, or it is for some."""
    WELL = "well"


@dataclass(frozen=True, slots=True)
class Banner:
    """One problem: what it is, `since` when (ms since the epoch), and what to do.

    `hold` names the pause that a person can end; `link` is a query of the jobs concerned, `alerts`
    one of the alerts.
    """

    level: Level
    what: str
    remedy: str = ""
    since: float | None = None
    waiting: int | None = None
    hold: str = ""
    link: str = ""
    alerts: str = ""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """How everything stands at `now` (ms since the epoch)."""

    now: float
    holds: tuple[Hold, ...]
    jobs: dict[str, dict[str, int]]
    """State -> reason ('' for none) -> how many."""
    pace: Pace
    credit: Credit
    backlog: Backlog
    minutes: list[Minute]
    dead_webhooks: int = 0
    alerts: Mapping[AlertState, int] = field(default_factory=dict)
    """How many alerts are in each state."""
    refusal: str = ""
    """Why Redis takes no writes; '' where it does."""
    missing_rights: tuple[MissingRight, ...] = ()
    """What workers may not do with their users of Redis or the broker."""
    chains: str = ""
    """What is wrong with who is on call; '' where nothing is."""
    roll: Roll | None = None
    """Which processes run; None: that is not asked."""

    def count(self, state: State) -> int:
        """How many jobs are in a state."""
        return sum(self.jobs.get(state, {}).values())

    @property
    def ready(self) -> int:
        """How many stand in line."""
        return sum(self.pace.ready.values())

    @property
    def waiting(self) -> int:
        """How many are held or stand in line."""
        return self.count(State.HELD) + self.ready


def banners(now: Snapshot) -> list[Banner]:
    """Return the current problems, the worst first; one that says all is well if there are none."""
    found = [*_refused(now), *_not_allowed(now), *_alerts(now), *_chains(now)]
    found += [_held(now, hold) for hold in now.holds]
    found += [
        *_missing(now),
        *_stuck(now),
        *_unknown(now),
        *_credit(now),
        *_failing(now),
        *_webhooks(now),
    ]
    order = list(Level)
    return sorted(found, key=lambda each: order.index(each.level)) or [_well(now)]


_REMEDIES = {
    Reason.CREDIT: "Top up the account. Calls continue as soon as the balance is checked.",
    Reason.AUTH: "The provider refuses the account. Check the credentials and its list of allowed"
    " addresses. A balance check every minute finds out when it is over.",
    Reason.PROVIDER_DOWN: "Nothing to do: one call at a time is tried until the provider works.",
    Reason.REPLICAS: "Bring the replica of Redis back: calls continue by themselves as soon as it"
    " takes in writes. Without one for good: DISPATCHER_REDIS_REPLICAS=0.",
    Reason.RESTORED: "Look who may have been called since: `voice-dispatcher restored` tells, and"
    " `voice-dispatcher restored --go` lets calls go on.",
    Reason.UNUSUAL: "A stolen key or a mistake may make these calls. Look at the latest jobs and"
    " their producers, revoke the key if it is one, and cancel its jobs. Then resume.",
    Reason.LIMIT: "Raise the limit with `voice-dispatcher limit set`, or wait for the next day.",
    Reason.PAUSED: "Resume when you are ready. Waiting jobs are dialled in their order.",
}


def _refused(now: Snapshot) -> list[Banner]:
    """Everything waits: jobs are not accepted, and nobody is called."""
    what, _, remedy = now.refusal.partition(": ")
    return (
        [Banner(Level.BAD, what, f"Nobody is called until it is over: {remedy}.")] if what else []
    )


def _not_allowed(now: Snapshot) -> Iterator[Banner]:
    """A worker that lacks a right dials nothing, or stops half-way."""
    for missing in now.missing_rights:
        what, _, remedy = missing.says.partition(": ")
        yield Banner(Level.BAD, f"{missing.process}: {what}", f"What to do: {remedy}.")


def _alerts(now: Snapshot) -> Iterator[Banner]:
    """Incidents that nobody has, or that somebody is called for now."""
    unreached, ringing = (now.alerts.get(each, 0) for each in (_UNREACHED, AlertState.RINGING))
    if unreached:
        yield Banner(
            Level.BAD,
            f"Nobody could be reached for {counted(unreached, 'alert')}",
            "Say that you have it, on its page, or find somebody who does.",
            alerts=f"state={_UNREACHED}",
        )
    if ringing:
        yield Banner(
            Level.WARN,
            f"{counted(ringing, 'alert')} {'rings' if ringing == 1 else 'ring'}, and nobody has"
            f" {'it' if ringing == 1 else 'them'} yet",
            alerts=f"state={AlertState.RINGING}",
        )


_UNREACHED = AlertState.UNREACHED


def _chains(now: Snapshot) -> Iterator[Banner]:
    """People may be called who are not meant, or nobody."""
    if now.chains:
        said = f"{now.chains[0].upper()}{now.chains[1:]}"
        remedy = "Mend the file: it comes into force by itself. `chains check FILE` checks it."
        yield Banner(Level.BAD, said, remedy)


def _held(now: Snapshot, hold: Hold) -> Banner:
    kind, _, scope = hold.name.partition(":")
    whole = scope in {"", "account"}
    held = "One call at a time is tried" if hold.half_open else f"{_whom(scope)} are held"
    why = hold.why
    if kind == Reason.CREDIT and not hold.half_open:
        why = _needs(now.credit, hold) or why
    return Banner(
        Level.BAD if whole and not hold.half_open else Level.WARN,
        f"{held}: {why}",
        _REMEDIES.get(Reason(kind), "") if kind in set(Reason) else "",
        hold.since,
        now.waiting if whole else now.backlog.behind.get(hold.name, 0),
        hold.name if kind in {Reason.PAUSED, Reason.UNUSUAL} else "",
        f"state=held&reason={kind}",
    )


def _whom(scope: str) -> str:
    kind, _, what = scope.partition(":")
    if kind == "tag":
        return f"Calls with the tag {what}"
    if kind == "priority":
        return f"Calls of priority {what}"
    if kind == "tariff":
        return f"Calls of the kind {what}"
    return f"Calls of {what}" if kind == "client" else "Calls"


def _needs(credit: Credit, hold: Hold) -> str:
    if credit.available is None:
        return ""
    needed = max(Decimal(str(hold.required)), credit.floor or Decimal(0))
    return f"credit {shown(credit.available)}, needs {shown(needed)}"


def _missing(now: Snapshot) -> Iterator[Banner]:
    """No worker or no beat runs, or no worker does anything; the rest is told of elsewhere."""
    if now.roll is None:
        return
    for found in can_call.without_processes(now.roll):
        why = found.why[0].upper() + found.why[1:]
        yield Banner(Level.BAD, why, f"What to do: {found.remedy}.", waiting=now.waiting)
    for worker in now.roll.stuck if now.roll.working else ():
        what = f"{worker} has begun nothing for {spoken(worker.still or 0)}"
        yield Banner(Level.WARN, what, "See whether it reaches the broker, and restart it.")


def _stuck(now: Snapshot) -> list[Banner]:
    """Somebody waits, nothing holds them, the limiter has room, and yet nobody dials."""
    oldest, pace = now.backlog.oldest, now.pace
    stopped = any(":" not in hold.name or hold.name == "limit:account" for hold in now.holds)
    late = oldest is not None and now.now - oldest > NOBODY_DIALS
    if stopped or not late or not now.ready or pace.next_slot > 0 or pace.connections:
        return []
    if now.roll and not now.roll.working:  # told already, and what to do
        return []
    return [
        Banner(
            Level.BAD,
            "No worker dials: jobs are ready, and the rate allows it",
            "Start `voice-dispatcher worker` and `voice-dispatcher beat`. `voice-dispatcher doctor`"
            " says what else may be wrong.",
            oldest,
            now.ready,
            link="state=queued",
        )
    ]


def _unknown(now: Snapshot) -> list[Banner]:
    """Calls that may have been placed, and nobody will ever know by themselves."""
    many = now.jobs.get(State.FAILED, {}).get(Reason.OUTCOME_UNKNOWN, 0)
    if not many:
        return []
    return [
        Banner(
            Level.WARN,
            f"{counted(many, 'job')} ended, and nobody knows whether the person was called",
            "Ask the person. Then mark the job as reached, or dial again.",
            link=f"state=failed&reason={Reason.OUTCOME_UNKNOWN}",
        )
    ]


def _credit(now: Snapshot) -> list[Banner]:
    credit, found = now.credit, []
    if credit.balance is not None and credit.blind:
        found.append(
            Banner(
                Level.WARN,
                f"The balance could not be seen {credit.failed_checks} times in a row: calls go"
                " out without a budget",
                "`voice-dispatcher doctor` says why.",
                credit.seen_at,
            )
        )
    left = credit.hours_left
    if left is not None and left < CREDIT_FOR and not any(g.name == "credit" for g in now.holds):
        found.append(
            Banner(
                Level.WARN,
                f"Credit lasts {spoken(left * 3600) if left * 3600 >= 1 else 'no time'}"
                " at this pace",
                "Top up the account before calls are held.",
            )
        )
    return found


def _failing(now: Snapshot) -> list[Banner]:
    """Most calls of the last hour did not get through, for other reasons than nobody at home."""
    total = tried(now.minutes)
    bad = sum(
        many
        for minute in now.minutes
        for kind, many in minute.outcomes.items()
        if kind.startswith(State.FAILED) and not kind.endswith(Reason.NO_ANSWER)
    )
    if total < FEW or bad * 2 <= total:
        return []
    return [
        Banner(
            Level.WARN,
            f"Most calls fail: {bad:,} of {total:,} in the last hour",
            "The jobs' reasons say why.",
            link="state=failed&since=1h",
        )
    ]


def tried(minutes: list[Minute]) -> int:
    """How many jobs ended otherwise than by request."""
    return sum(
        many
        for minute in minutes
        for kind, many in minute.outcomes.items()
        if not kind.startswith(State.CANCELLED)
    )


def answered(minutes: list[Minute]) -> int:
    """How many jobs ended with somebody reached."""
    return sum(
        many
        for minute in minutes
        for kind, many in minute.outcomes.items()
        if kind.startswith(State.COMPLETED)
    )


def _webhooks(now: Snapshot) -> list[Banner]:
    if not now.dead_webhooks:
        return []
    return [
        Banner(
            Level.WARN,
            f"{counted(now.dead_webhooks, 'webhook')} could not be delivered",
            "`voice-dispatcher webhooks list` says why, `voice-dispatcher webhooks retry` sends"
            " them again.",
        )
    ]


def _well(now: Snapshot) -> Banner:
    total, reached = tried(now.minutes), answered(now.minutes)
    ended = f"{counted(total, 'job')} ended in the last hour, {reached:,} answered"
    calls = ended if total else "no calls"
    waiting = f"{counted(now.waiting, 'job')} in line" if now.waiting else "no job waits"
    return Banner(Level.WELL, f"All is well: {calls}; {waiting}")
