"""Why a job has not rung, and when it will: in words, from where the job and the account stand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dispatcher.model.job import Job, iso
from dispatcher.model.states import WAITING, Reason, State
from dispatcher.store import Store
from dispatcher.values.durations import spoken
from dispatcher.values.masking import mask_text

CHOICE = (
    "; ask the person, then run `voice-dispatcher reached {id}` to mark it as reached,"
    " or `voice-dispatcher retry {id}` to dial again"
)
"""What a person may do where nobody can know whether somebody was called."""
LISTED = (
    "its number is on the do-not-call list: when its turn comes it ends without being dialled;"
    " `voice-dispatcher dnc check` says since when and why"
)
"""Why a job that waits will not be called."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in line: how many go first, and when its turn should come."""

    before: int
    expected_at: datetime


@dataclass(frozen=True, slots=True)
class Why:
    """Why a job stands where it stands, and what happens next."""

    job: Job
    because: str
    position: Position | None = None

    def __str__(self) -> str:
        return self.because

    def to_dict(self, *, mask: bool = False) -> dict[str, Any]:
        """Return it as JSON knows it; with `mask` numbers are masked."""
        job, place = self.job, self.position
        return {
            "id": job.id,
            "state": job.state,
            "reason": job.reason,
            "hold_reason": job.hold_reason,
            "why": mask_text(self.because) if mask else self.because,
            "position": place.before + 1 if place else None,
            "expected_at": iso(place.expected_at) if place else None,
            "next_action": job.to_dict(mask=mask)["next_action"],
        }


def position(store: Store, job: Job) -> Position | None:
    """Return where a queued job stands in line, None for any other."""
    found = store.queue.position(job.id)
    if found is None:
        return None
    before, spacing, until_slot = found
    wait = timedelta(seconds=until_slot + before * spacing)
    return Position(before, store.moment() + wait)


def why(store: Store, job: Job) -> Why:
    """Return why a job has not rung, or what became of it."""
    now = store.moment()
    if job.state in WAITING and store.do_not_call.refuses(job.id):
        return Why(job, LISTED)
    if job.state is State.QUEUED:
        return _in_line(store, job, now)
    if job.state is State.HELD:
        return _held(store, job)
    moves = [event.why for event in job.timeline if event.to != event.before]
    last = moves[-1] if moves else ""
    words = {
        State.SCHEDULED: f"it is due {_when(job.due_at, now)}",
        State.DIALING: "it is being dialled now",
        State.UNCERTAIN: f"a call may have been placed; decided {_when(job.next_at, now)}",
        State.IN_PROGRESS: f"the call is under way; next status check {_when(job.next_at, now)}",
        State.COMPLETED: _reached(job),
        State.FAILED: f"it has failed: {(job.reason or '').replace('_', ' ')}",
        State.EXPIRED: "it expired",
        State.CANCELLED: "it was cancelled",
    }[job.state]
    told = last if last and last != job.outcome else ""
    choice = CHOICE.format(id=job.id) if job.reason == Reason.OUTCOME_UNKNOWN else ""
    return Why(job, f"{words}{f': {told}' if told else ''}{choice}")


def _reached(job: Job) -> str:
    if job.reason == Reason.MARKED_REACHED:
        return f"{job.timeline[-1].actor} marked it as reached"
    return f"it was answered ({job.outcome})"


def _held(store: Store, job: Job) -> Why:
    """By the gates as they stand: the words in the timeline are those of when it was held."""
    holds = [hold for hold in store.holds.all() if hold.stops(job)]
    if not holds:
        return Why(job, "its hold has ended: it is queued when its turn comes")
    half_open = all(hold.half_open for hold in holds)
    held = "one call at a time is tried" if half_open else "it is held"
    return Why(job, f"{held}: {'; '.join(hold.why for hold in holds)}")


def _in_line(store: Store, job: Job, now: datetime) -> Why:
    stopped = [hold.why for hold in store.holds.all() if hold.stops(job)]
    if stopped:
        return Why(job, f"it is in line, and calls are held: {'; '.join(stopped)}")
    place = position(store, job)
    if place is None:
        return Why(job, "it is being claimed now")
    few = {0: "it is next", 1: "1 is before it"}
    before = few.get(place.before, f"{place.before} are before it")
    found = store.limiter.pace().found
    limit = f"; the provider takes {' and '.join(map(str, found))}" if found else ""
    expected = f"expected {_when(place.expected_at, now)}"
    return Why(job, f"it is in line: {before}; {expected}{limit}", place)


def _when(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "at a time not known"
    ahead = (at - now).total_seconds()
    if ahead < 1:
        return "now"
    return f"in {spoken(ahead)} ({at:%Y-%m-%d %H:%M:%S} UTC)"
