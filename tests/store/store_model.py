"""What the store promises, as a small model: plain dictionaries, no Redis, no Lua."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from dispatcher.policy import Decision
from dispatcher.request import JobRequest
from dispatcher.states import TERMINAL, TRANSITIONS, Priority, State
from dispatcher.store.store import LOST_AFTER

OPEN = {State.DIALING, State.UNCERTAIN, State.IN_PROGRESS}
UNDECIDED = {None, "maybe_placed"}
LINES = [str(priority) for priority in (Priority.URGENT, Priority.NORMAL, Priority.BULK)]

Places = dict[str, dict[str, float]]


@dataclass
class ModelJob:
    """A job as it should stand; moments in ms since the epoch."""

    id: str
    request: JobRequest
    state: State
    created: int
    due: int
    expires: int | None
    reason: str = ""
    n: int = 0
    spent: int = 0
    next_at: int | None = None
    fed: bool = False
    finished: int | None = None
    token: str = ""
    results: dict[int, str] = field(default_factory=dict)
    callids: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.span = None if self.expires is None else self.expires - self.created
        self.next_at = self.due if self.state is State.SCHEDULED else self.expires

    @property
    def kind(self) -> str:
        return f"{self.state}:{self.reason}" if self.reason else str(self.state)

    @property
    def line(self) -> str | None:
        if self.state is State.QUEUED:
            return "fed" if self.fed else f"ready:{self.request.priority}"
        if self.state is State.HELD:
            return f"held:{self.reason}:{self.request.priority}"
        return None

    def keep(self, attempt: int, decision: Decision) -> None:
        self.results[attempt] = decision.result
        self.callids += filter(None, decision.fields.get("callid", "").split(","))


class Model:
    """The jobs, the gates, and what each operation does to them."""

    def __init__(self, now: int, window: int) -> None:
        self.now = now
        self.window = window
        self.jobs: dict[str, ModelJob] = {}
        self.gates: set[str] = set()

    # -- operations ------------------------------------------------------------------------

    def enqueue(self, id_: str, request: JobRequest) -> None:
        due = max(self.now, self._moment(request.at) or self.now)
        state = State.SCHEDULED if due > self.now else State.QUEUED
        expires = self._moment(request.expires)
        self.jobs[id_] = ModelJob(id_, request, state, self.now, due, expires)

    def _moment(self, delay: object) -> int | None:
        if delay is None:
            return None
        assert isinstance(delay, timedelta)
        return self.now + round(delay.total_seconds() * 1000)

    def feed(self, most: int) -> list[str]:
        if self.gates:
            for job in self.in_line("ready")[:most]:
                self._move(job, State.HELD, min(self.gates), job.expires)
            return []
        room = self.window - sum(job.fed for job in self.jobs.values())
        chosen = self.in_line("ready")[: max(0, min(most, room))]
        for job in chosen:
            job.fed = True
            lost_at = self.now + round(LOST_AFTER * 1000)
            job.next_at = lost_at if job.expires is None else min(job.expires, lost_at)
        return [job.id for job in chosen]

    def claim(self, id_: str, token: str, lease: int) -> int | State | None:
        job = self.jobs.get(id_)
        if job is None:
            return None
        if job.state is State.DIALING and job.token == token:
            return job.n
        if job.state is not State.QUEUED:
            return job.state
        if self._overdue(job):
            self._move(job, State.EXPIRED)
        elif self.gates:
            self._move(job, State.HELD, min(self.gates), job.expires)
        else:
            job.n, job.token = job.n + 1, token
            self._move(job, State.DIALING, "", self.now + lease)
            return job.n
        return job.state

    def settle(self, id_: str, attempt: int, decision: Decision) -> State | None:
        if decision.gate:
            self.gates.add(str(decision.gate))
        job = self.jobs.get(id_)
        if job is None:
            return None
        if not self._in_time(job, attempt, decision.to):
            if job.results.get(attempt) in UNDECIDED:
                job.keep(attempt, decision)
            return job.state
        job.keep(attempt, decision)
        job.spent += (job.state is State.DIALING) and decision.spent
        job.spent -= (job.state is State.UNCERTAIN) and not decision.spent
        next_at = None if decision.delay is None else self.now + round(decision.delay * 1000)
        self._go(job, decision, next_at)
        return job.state

    def _in_time(self, job: ModelJob, attempt: int, to: State) -> bool:
        return job.n == attempt and job.state in OPEN and to in TRANSITIONS[job.state]

    def _go(self, job: ModelJob, decision: Decision, next_at: int | None) -> None:
        if decision.to is State.SCHEDULED:
            assert next_at is not None
            job.due = next_at
            too_late = job.expires is not None and next_at >= job.expires
            self._move(job, State.EXPIRED if too_late else State.SCHEDULED, "", next_at)
        elif decision.to is State.QUEUED:
            job.due = self.now
            self._queue(job)
        else:
            next_at = job.expires if next_at is None else next_at
            self._move(job, decision.to, str(decision.reason), next_at)

    def put_off(self, id_: str, attempt: int, delay: int) -> bool:
        job = self.jobs.get(id_)
        if job is None or job.state is not State.IN_PROGRESS or job.n != attempt:
            return False
        job.next_at = self.now + delay
        return True

    def pump(self) -> None:
        for job in self.come(State.SCHEDULED):
            self._queue(job)
        for job in self.come(State.QUEUED):
            if self._overdue(job):
                self._move(job, State.EXPIRED)
            else:
                job.fed, job.next_at = False, job.expires
        for job in self.come(State.HELD):
            self._move(job, State.EXPIRED)
        if not self.gates:
            for job in self.in_line("held"):
                self._queue(job)

    def rescue(self, window: int, most: int) -> int:
        lapsed = self.come(State.DIALING)[:most]
        for job in lapsed:
            own = job.request.evidence_window
            job.results[job.n] = "maybe_placed"
            job.spent += 1
            length = window if own is None else round(own * 1000)
            self._move(job, State.UNCERTAIN, "", self.now + length)
        return len(lapsed)

    def take_due(self, state: State, most: int, lease: int) -> list[str]:
        taken = self.come(state)[:most]
        for job in taken:
            job.next_at = self.now + lease
        return [job.id for job in taken]

    def cancel(self, id_: str) -> bool:
        job = self.jobs[id_]
        if State.CANCELLED not in TRANSITIONS[job.state]:
            return False
        self._move(job, State.CANCELLED)
        return True

    def retry(self, id_: str, span: int | None) -> bool:
        job = self.jobs[id_]
        if job.state not in TERMINAL or State.QUEUED not in TRANSITIONS[job.state]:
            return False
        job.span = job.span if span is None else span
        job.expires = None if job.span is None else self.now + job.span
        job.due, job.spent, job.finished = self.now, 0, None
        self._move(job, State.QUEUED, "", job.expires)
        return True

    def purge(self, id_: str, before: int) -> bool:
        finished = self.jobs[id_].finished
        if finished is None or finished >= before:
            return False
        del self.jobs[id_]
        return True

    # -- what it all comes to --------------------------------------------------------------

    def places(self) -> Places:
        """Return every structure as it should stand: name -> id -> score."""
        found: Places = defaultdict(dict)
        for job in self.jobs.values():
            found[f"idx:{job.kind}"][job.id] = job.created
            if job.next_at is not None:
                found[f"next:{job.state}"][job.id] = job.next_at
            if job.line:
                found[job.line][job.id] = job.due
            for tag in job.request.tags:
                found[f"tag:{tag}"][job.id] = job.created
            for number in job.request.participants or (job.request.recipient or "",):
                found["recipients"][f"{number[:0:-1]}:{job.id}"] = 0
        return dict(found)

    def come(self, state: State) -> list[ModelJob]:
        """Return the jobs of a state whose next moment has come, the earliest first."""
        jobs = (
            (job.next_at, job.id, job)
            for job in self.jobs.values()
            if job.state is state and job.next_at is not None and job.next_at <= self.now
        )
        return _in_order(jobs)

    def in_line(self, line: str) -> list[ModelJob]:
        """Return the jobs of a line and all its priorities: the most urgent, oldest first."""
        jobs = (
            (LINES.index(job.request.priority), job.due, job.id, job)
            for job in self.jobs.values()
            if job.line and job.line.startswith(line)
        )
        return _in_order(jobs)

    def moments(self) -> list[int]:
        """Return the moments to come at which something happens next, the first first."""
        found = {job.next_at for job in self.jobs.values() if job.next_at is not None}
        return sorted(moment for moment in found if moment > self.now)

    def calls(self) -> dict[str, str]:
        return {callid: job.id for job in self.jobs.values() for callid in job.callids}

    # -- below -----------------------------------------------------------------------------

    def _overdue(self, job: ModelJob) -> bool:
        return job.expires is not None and job.expires <= self.now

    def _queue(self, job: ModelJob) -> None:
        if self._overdue(job):
            self._move(job, State.EXPIRED)
        else:
            self._move(job, State.QUEUED, "", job.expires)

    def _move(self, job: ModelJob, to: State, reason: str = "", next_at: int | None = None) -> None:
        job.state, job.reason, job.fed = to, reason, False
        job.next_at = None if to in TERMINAL else next_at
        if to in TERMINAL:
            job.finished = self.now


def _in_order(rows: Iterable[tuple[object, ...]]) -> list[ModelJob]:
    found = [row[-1] for row in sorted(rows, key=lambda row: row[:-1])]
    return [job for job in found if isinstance(job, ModelJob)]
