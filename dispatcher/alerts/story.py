"""An alert with what became of its calls, and with its members: what its page and `why` tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatcher.alerts.facts import Facts
from dispatcher.alerts.foresight import next_planned
from dispatcher.alerts.standing import has_it, since
from dispatcher.model.alert import Alert, AlertCall, AlertReason, AlertState
from dispatcher.model.alert_view import masked, view
from dispatcher.model.job import Job, iso
from dispatcher.model.states import WAITING, State
from dispatcher.policy.chain_values import Move
from dispatcher.store import Store
from dispatcher.values.durations import spoken
from dispatcher.values.masking import mask_number, mask_text
from dispatcher.why import why

_UNDER_WAY = {
    State.SCHEDULED: "waits",
    State.QUEUED: "waits",
    State.HELD: "is held",
    State.DIALING: "is dialled now",
    State.UNCERTAIN: "may have been placed",
    State.IN_PROGRESS: "rings, or is talked on",
}
REASONS = {
    AlertReason.NOBODY_ANSWERED: "nobody answered",
    AlertReason.NOBODY_ACKNOWLEDGED: "somebody answered, and nobody said that they have it",
    AlertReason.NOBODY_TO_CALL: "its chain had nobody who may be called",
    AlertReason.NO_CHAIN: "no chain fits it",
}


@dataclass(frozen=True, slots=True)
class CallStory:
    """One call of an alert: whom, and what became of it. `job` is None where its record is gone,
    or none was made.
    """

    call: AlertCall
    job: Job | None
    waits_for: str = ""
    """Of a call that waits: why it was not dialled yet, in words."""

    @property
    def became(self) -> str:
        """What became of it, in words."""
        if self.call.job_id is None:
            return f"not called: {self.call.skipped or 'no reason is known'}"
        if self.job is None:
            return "its record was removed"
        if self.job.state is State.COMPLETED:
            return "answered"
        if self.job.state is State.FAILED:
            return (self.job.reason or "failed").replace("_", " ")
        return _UNDER_WAY.get(self.job.state, str(self.job.state))

    @property
    def under_way(self) -> bool:
        """Whether it is not over."""
        return self.job is not None and not self.job.terminal

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it, its number masked."""
        numbers = [mask_number(number) for number in self.job.numbers] if self.job else []
        return {
            "became": self.became,
            "state": self.job.state if self.job else None,
            "recipient": numbers[0] if numbers else None,
            "finished_at": iso(self.job.finished_at) if self.job else None,
        }


@dataclass(frozen=True, slots=True)
class Story:
    """All that is known of an alert at `now`."""

    alert: Alert
    calls: tuple[CallStory, ...]
    members: tuple[Alert, ...]
    hold: str
    """Why nobody can be called for an alert, '' where they can."""
    now: datetime
    then: Move | None = None
    """What its chain does next, if nothing else happens."""

    @property
    def calling(self) -> list[CallStory]:
        """The calls that are not over."""
        return [each for each in self.calls if each.under_way]

    @property
    def next_called(self) -> list[str]:
        """Who is called next, if nothing else happens."""
        return (
            [ring.contact for ring in self.then.calls if ring.to is not None] if self.then else []
        )

    @property
    def because(self) -> str:
        """Why it stands where it stands, and what happens next, in words."""
        return _because(self)

    def why(self) -> dict[str, Any]:
        """Return where the alert stands and why, as JSON knows it."""
        alert = self.alert
        told = {"id": alert.id, "state": alert.state, "reason": alert.reason}
        return {**told, "why": mask_text(self.because), "next_at": iso(alert.next_at)}

    def to_dict(self, *, mask: bool = True) -> dict[str, Any]:
        """Return it as JSON knows it."""
        found = view(self.alert, mask=mask)
        told = [each.to_dict() for each in self.calls]
        found["calls"] = [{**a, **b} for a, b in zip(found["calls"], told, strict=True)]
        found["why"] = self.because
        found["alerts"] = [view(each, mask=mask, whole=False) for each in self.members]
        return masked(found) if mask else found


def story(store: Store, id_: str, *, members: int = 200) -> Story:
    """Return an alert's story, with so many members at most. Raises UnknownAlert."""
    return _story(store, Facts(store), store.alerts.get(id_), members)


def stories(store: Store, alerts: Iterable[Alert]) -> list[Story]:
    """Return the stories of some alerts as they were read, without members."""
    facts = Facts(store)
    return [_story(store, facts, alert, 0) for alert in alerts]


def _story(store: Store, facts: Facts, alert: Alert, members: int) -> Story:
    made = [call.job_id for call in alert.calls if call.job_id]
    jobs = dict(zip(made, store.jobs.get_many(made), strict=True))
    calls = tuple(_told(store, each, jobs.get(each.job_id or "")) for each in alert.calls)
    told = store.alerts.members(alert.id, members) if alert.is_bundle and members else ()
    then = next_planned(store, facts, alert)
    return Story(alert, calls, tuple(told), facts.hold, store.moment(), then)


def _told(store: Store, call: AlertCall, job: Job | None) -> CallStory:
    waits = job is not None and job.state in WAITING
    return CallStory(call, job, why(store, job).because if waits and job else "")


def _because(told: Story) -> str:
    alert = told.alert
    if alert.state is AlertState.RINGING:
        return _ringing(told)
    if alert.state is AlertState.UNREACHED:
        why = REASONS.get(alert.reason, "its chain ended") if alert.reason else "its chain ended"
        return f"nobody has it: {why}"
    return {
        AlertState.FOLDED: f"the calls of alert {alert.told_by} tell of it",
        AlertState.NOT_CALLED: "a route says that nobody is called for it",
        AlertState.ACKNOWLEDGED: f"{has_it(alert)}; nobody else is called",
        AlertState.CANCELLED: f"its calls have been stopped{since(alert.ended_at)}",
        AlertState.RESOLVED: f"it has been resolved{since(alert.ended_at)}: nobody is called",
    }[alert.state]


def _ringing(told: Story) -> str:
    alert = told.alert
    where = f"round {alert.round}, step {alert.step}" if alert.round else "it begins"
    parts = [f"the chain {alert.chain} is under way ({where})"]
    parts += [_call(each, held=bool(told.hold)) for each in told.calling]
    if not told.calling and told.calls:
        last = told.calls[-1]
        parts.append(f"{last.call.contact}: {last.became}")
    if told.hold:
        parts.append(f"calls are held, and the chain waits: {told.hold}")
    elif alert.next_at:
        ahead = _ahead(alert.next_at, told.now)
        parts.append(f"unless somebody has it, it goes on {ahead}{_then(told)}")
    return "; ".join(parts)


def _call(each: CallStory, *, held: bool) -> str:
    waits = f" ({each.waits_for})" if each.waits_for and not held else ""
    return f"the call to {each.call.contact} {each.became}{waits}"


def _then(told: Story) -> str:
    """Return who is called next, in words."""
    if told.then is not None and told.then.end is not None:
        return ": then nobody is left, and it is unreached"
    called = told.next_called
    if not called:
        return ""
    return f": then {' and '.join(called)} {'is' if len(called) == 1 else 'are'} called"


def _ahead(at: datetime, now: datetime) -> str:
    ahead = (at - now).total_seconds()
    return "now" if ahead < 1 else f"in {spoken(ahead)} ({at:%H:%M:%S} UTC)"
