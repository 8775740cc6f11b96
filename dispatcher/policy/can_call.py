"""Whether anybody can be called at all, and if not, why: one decision, for all who tell of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from dispatcher.model.credit import BLIND_AFTER, Credit
from dispatcher.model.process import Role
from dispatcher.model.states import Reason
from dispatcher.policy.credit_forecast import shown
from dispatcher.policy.processes import Roll
from dispatcher.values.counts import counted
from dispatcher.values.durations import spoken

REACHED_WITHIN = 15
"""Minutes."""
URGENT_WAITS = 60_000
"""ms for which an urgent job may wait behind a pause before somebody must know."""


class Cause(StrEnum):
    """What keeps everybody from being called; of a hold the reason."""

    REDIS = "redis"
    NO_WORKER = "no_worker"
    WORKERS_STUCK = "workers_stuck"
    NO_BEAT = "no_beat"
    PAUSED = "paused"
    CREDIT = "credit"
    PROVIDER = "provider_unseen"


class Held(Protocol):
    """A hold: its name, why it stands, and since when (ms since the epoch)."""

    @property
    def name(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def since(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Situation:
    """How things stand: `refusal` is why Redis does not do what it is asked, '' where it does.
    `urgent_since` is the due time of the oldest urgent job that waits (ms since the epoch), and
    `ringing` how many alerts are under way. `reached`: calls came about within REACHED_WITHIN.
    """

    roll: Roll
    holds: Sequence[Held] = ()
    refusal: str = ""
    urgent_since: float | None = None
    ringing: int = 0
    credit: Credit | None = None
    reached: bool = False


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps everybody from being called: `cause` in one word, why, and what to do."""

    cause: str
    why: str
    remedy: str


def obstacle(now: Situation) -> Obstacle | None:
    """Return the first thing that keeps everybody from being called; None: people can be called."""
    return next(_obstacles(now), None)


def _obstacles(now: Situation) -> Iterator[Obstacle]:
    if now.refusal:
        yield refused(now.refusal)
    yield from without_processes(now.roll)
    for hold in now.holds:
        yield from _held(now, hold)
    if now.credit:
        yield from of_account(now.credit, reached=now.reached)


def refused(says: str) -> Obstacle:
    """Return the obstacle that Redis is where it does not do what it is asked."""
    why, _, remedy = says.partition(": ")
    return Obstacle(
        Cause.REDIS, why, remedy or "see docs/how-to/troubleshooting.md, What Redis may refuse"
    )


def without_processes(roll: Roll) -> Iterator[Obstacle]:
    """Yield the obstacles that are missing processes, and workers that do nothing."""
    yield from _workers(roll)
    yield from _beat(roll)


def _workers(roll: Roll) -> Iterator[Obstacle]:
    if not roll.of(Role.WORKER):
        why = f"no worker runs{_ago(roll, Role.WORKER)}"
        yield Obstacle(Cause.NO_WORKER, why, "start `voice-dispatcher worker`")
    elif not roll.working:
        names = ", ".join(map(str, roll.stuck))
        still = min(p.still or 0 for p in roll.stuck)
        yield Obstacle(
            Cause.WORKERS_STUCK,
            f"no worker has begun anything for {spoken(still)} ({names})",
            "see whether the broker is up (`voice-dispatcher doctor`), and restart the worker",
        )


def _beat(roll: Roll) -> Iterator[Obstacle]:
    if not roll.of(Role.BEAT):
        why = f"beat does not run{_ago(roll, Role.BEAT)}: nothing that is due is started"
        yield Obstacle(Cause.NO_BEAT, why, "start `voice-dispatcher beat`")


def _ago(roll: Roll, role: Role) -> str:
    """Say when one of a role was heard of last, where it was."""
    heard = roll.last_heard(role)
    if heard is None:
        return ""
    return f" (last heard of {spoken(max(1.0, (roll.now - heard) / 1000))} ago)"


def _held(now: Situation, hold: Held) -> Iterator[Obstacle]:
    """A pause is what somebody wanted, until an urgent call waits for its end."""
    kind, _, scope = hold.name.partition(":")
    if kind == Reason.PAUSED:
        if keeps_urgent(hold) and somebody_waits(now):
            why = f"urgent calls wait: {hold.why}"
            yield Obstacle(Cause.PAUSED, why, "resume when you are ready")
    elif scope in {"", "account"}:
        yield Obstacle(kind, f"all calls are held: {hold.why}", f"see what to do about held/{kind}")


def of_account(credit: Credit, *, reached: bool) -> Iterator[Obstacle]:
    """Yield what nobody has met yet: holds start with a call, and there may have been none for
    days.
    """
    if credit.failed_checks >= BLIND_AFTER and not reached:
        checks = counted(credit.failed_checks, "balance check")
        why = f"the last {checks} failed, and nobody was reached meanwhile"
        yield Obstacle(Cause.PROVIDER, why, "`voice-dispatcher doctor` asks the provider, and says")
    elif not credit.blind and credit.balance is not None and credit.floor is not None:
        left = credit.balance - credit.spent_since
        if left < credit.floor:
            why = f"{shown(left)} credits are left, and the floor is {shown(credit.floor)}"
            yield Obstacle(Cause.CREDIT, why, "top up the account")


def keeps_urgent(hold: Held) -> bool:
    """Whether it is a pause that urgent jobs wait behind, all of them."""
    kind, _, scope = hold.name.partition(":")
    return kind == Reason.PAUSED and scope in {"", "priority:urgent"}


def somebody_waits(now: Situation) -> bool:
    """Whether somebody must be called now: an urgent job has waited, or an alert rings."""
    since = now.urgent_since
    return now.ringing > 0 or (since is not None and now.roll.now - since > URGENT_WAITS)
