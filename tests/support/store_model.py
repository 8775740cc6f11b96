"""What the store promises, as a small model: plain dictionaries, no Redis, no Lua."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.request import JobRequest
from dispatcher.model.states import TERMINAL, TRANSITIONS, WAITING, Priority, State
from dispatcher.policy import Decision
from dispatcher.store import recipients
from dispatcher.store.calls import Settled
from dispatcher.store.schema import callid_place

DAY = 86_400_000
BUSY_AGAIN = 5000
SET_ASIDE, AHEAD, MOST_LOOKED_AT = 15_000, 25, 100
OPEN = {State.DIALING, State.UNCERTAIN, State.IN_PROGRESS}
UNDECIDED = {None, "maybe_placed"}
CALLED = {"placed", "answered", "no_answer", "call_failed"}
LINES = [str(priority) for priority in (Priority.URGENT, Priority.NORMAL, Priority.BULK)]

Places = dict[str, dict[str, float]]
Scores = dict[str, dict[str, float]]
"""priority -> line -> how much it has had."""


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
    since: int = 0
    next_at: int | None = None
    aside: int | None = None
    """The moment by which its calling window is set, where a worker does that."""
    open: tuple[int, int] = (0, 0)
    finished: int | None = None
    token: str = ""
    hold: str = ""
    owes_at: int | None = None
    sent: dict[int, int] = field(default_factory=dict)
    results: dict[int, str] = field(default_factory=dict)
    callids: list[str] = field(default_factory=list)
    made: dict[int, str] = field(default_factory=dict)  # the first callid told of each attempt
    others: set[tuple[int, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.priority = str(self.request.priority)
        self.numbers = [number[1:] for number in self.request.called]
        self.span = None if self.expires is None else self.expires - self.created
        self.next_at = self.due if self.state is State.SCHEDULED else self.expires

    @property
    def kind(self) -> str:
        return f"{self.state}:{self.reason}" if self.reason else str(self.state)

    @property
    def line(self) -> str:
        campaigns = [tag for tag in self.request.tags if tag.startswith("campaign:")]
        return campaigns[0] if campaigns else "producer"

    @property
    def place(self) -> str | None:
        if self.state is State.QUEUED:
            in_line = f"ready:{self.priority}:{self.line}"
            return in_line if self.aside is None else "set_aside"
        if self.state is State.HELD:
            return f"held:{self.hold}:{self.priority}"
        return None

    def stopped_by(self, hold: str) -> bool:
        _, _, scope = hold.partition(":")
        kind, _, what = scope.partition(":")
        if kind == "tag":
            return what in self.request.tags
        return not kind or self.priority == what

    def keep(self, attempt: int, decision: Decision) -> None:
        self.results[attempt] = decision.result
        self.callids += filter(None, decision.call.callids if decision.call else ())
        if decision.call:
            self.made.setdefault(attempt, ",".join(decision.call.callids))


@dataclass
class Took:
    """What one take is answered: claims (job and attempt), jobs whose windows are to be set."""

    claims: list[tuple[str, int]] = field(default_factory=list)
    hours: list[str] = field(default_factory=list)
    day: bool = False


class Model:
    """The jobs, the gates, and what each operation does to them."""

    def __init__(self, now: int, rules: AccountConfig) -> None:
        self.now = now
        self.rules = rules
        self.blocked = 0
        self.day_ends = 0
        self.taken: dict[str, list[str]] = {}
        self.persons: dict[str, list[int]] = defaultdict(list)
        self.connections: dict[str, int] = {}
        self.busy: dict[str, str] = {}
        self.second_calls = 0
        self.jobs: dict[str, ModelJob] = {}
        self.holds: set[str] = set()

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

    def begin_day(self) -> None:
        self.day_ends = (self.now // DAY + 1) * DAY

    def take(self, most: int, token: str, lease: int, scores: Scores, turn: int) -> Took:
        """Take from where the lines and the turns stand."""
        before = [self.jobs[id_] for id_ in self.taken.get(token, ()) if id_ in self.jobs]
        before = [job for job in before if job.state is State.DIALING and job.token == token]
        if before:
            return Took([(job.id, job.n) for job in before])
        took = Took()
        self._bring_due(most, scores)
        for each in range(turn + 1, turn + 1 + MOST_LOOKED_AT):
            if len(took.claims) == most or not self._take_one(took, scores, each, token, lease):
                break
        if took.claims:
            self.taken[token] = [id_ for id_, _ in took.claims]
        return took

    def _bring_due(self, most: int, scores: Scores) -> None:
        """A line that comes anew starts one turn behind the others."""
        for job in self.come(State.SCHEDULED)[:most]:
            self._queue(job)
            if job.state is State.QUEUED:
                had = scores[job.priority]
                had.setdefault(job.line, min(had.values(), default=-1) + 1)

    def _take_one(self, took: Took, scores: Scores, turn: int, token: str, lease: int) -> bool:
        stopped = any(":" not in hold for hold in self.holds)
        ready = self.in_line("ready")
        if not ready or not (stopped or self._may_ask(AHEAD)):
            return False
        job = self._whose_turn(ready, scores, turn)
        what = self._forbids(job)
        if what is None:
            self._dial(job, token, lease)
            took.claims.append((job.id, job.n))
        elif what == "hours":
            job.aside = self.now + SET_ASIDE
            took.hours.append(job.id)
        took.day = what == "day"
        return not took.day

    def _whose_turn(self, ready: list[ModelJob], scores: Scores, turn: int) -> ModelJob:
        share = {10: "normal", 0: "normal", 15: "bulk"}.get(turn % 20)
        waiting = {job.priority for job in ready}
        priority = share if share in waiting else min(waiting, key=LINES.index)
        assert priority is not None
        lines = {job.line for job in ready if job.priority == priority}
        line = min(lines, key=lambda name: (scores[priority][name], name))
        scores[priority][line] += 1
        return next(job for job in ready if (job.priority, job.line) == (priority, line))

    def started_hold(self, job: ModelJob) -> str:
        return min((hold for hold in self.holds if job.stopped_by(hold)), default="")

    def claim(self, id_: str, token: str, lease: int) -> int | State | str | None:
        job = self.jobs.get(id_)
        if job is None:
            return None
        if job.state is State.DIALING and job.token == token:
            return job.n
        if job.state is not State.QUEUED:
            return job.state
        if what := self._forbids(job):
            return job.state if what == "moved" else what
        if not self._may_ask():
            return "wait"
        self._dial(job, token, lease)
        return job.n

    def _forbids(self, job: ModelJob) -> str | None:
        """Return what is to be done before a job may be called; `moved`: it went somewhere else."""
        if self._overdue(job):
            self._move(job, State.EXPIRED)
        elif hold := self.started_hold(job):
            self._hold(job, hold)
        elif job.request.hours and not job.open[0] <= self.now < job.open[1]:
            return "hours"
        elif self.now >= self.day_ends:
            return "day"
        elif at := self._protected_until(job):
            self._schedule(job, at)
        else:
            return None
        return "moved"

    def set_calling_window(self, id_: str, opens: int | None, closes: int) -> State | None:
        job = self.jobs.get(id_)
        if job is None:
            return None
        if job.state is State.QUEUED and opens is None:
            self._move(job, State.FAILED, "not_allowed")
        elif job.state is State.QUEUED and opens is not None:
            job.open, job.aside = (opens, closes), None
            if self.now < opens:
                self._schedule(job, opens)
        return job.state

    def _protected_until(self, job: ModelJob) -> int | None:
        moments = (self._number_protected_until(number, job) for number in job.numbers)
        return next((at for at in moments if at), None)

    def _number_protected_until(self, number: str, job: ModelJob) -> int | None:
        if self.rules.one_at_a_time and self.busy.get(number, job.id) != job.id:
            return self.now + BUSY_AGAIN
        calls, most = self.persons[number], self.rules.per_day
        if most and len(calls) >= most and calls[most - 1] + DAY > self.now:
            return calls[most - 1] + DAY
        gap = round(self.rules.gap * 1000)
        if gap and job.priority != "urgent" and calls and calls[0] + gap > self.now:
            return calls[0] + gap
        return None

    def _may_ask(self, ahead: int = 0) -> bool:
        under_way = sum(end > self.now for end in self.connections.values())
        return self.blocked <= self.now + ahead and under_way < self.rules.connections

    def _dial(self, job: ModelJob, token: str, lease: int) -> None:
        job.n, job.token = job.n + 1, token
        job.sent[job.n] = self.now
        self.connections[job.id] = self.now + round(self.rules.lease * 1000)
        for number in job.numbers:
            self.persons[number].insert(0, self.now)
            self.busy[number] = job.id
        self._move(job, State.DIALING, "", self.now + lease)

    def settle(self, id_: str, attempt: int, decision: Decision, token: str = "") -> Settled:
        self._tell_all(decision)
        job = self.jobs.get(id_)
        if job is None:
            return Settled(in_time=False, state=None)
        if token and job.token != token:
            return Settled(in_time=False, state=job.state)
        if job.n == attempt:
            self.connections.pop(id_, None)
        other = self._is_of_another_call(job, attempt, decision)
        if other or self._is_late(job, attempt, decision):
            return Settled(in_time=False, state=job.state)
        self._settle(job, attempt, decision)
        return Settled(in_time=True, state=job.state)

    def _settle(self, job: ModelJob, attempt: int, decision: Decision) -> None:
        job.token = ""
        job.keep(attempt, decision)
        job.spent += (job.state is State.DIALING) and decision.spent
        job.spent -= (job.state is State.UNCERTAIN) and not decision.spent
        if not decision.spent and job.state is not State.IN_PROGRESS:
            self._nobody_was_called(job, attempt)
        next_at = None if decision.delay is None else self.now + round(decision.delay * 1000)
        self._go(job, decision, next_at)
        if decision.cost_check_after is not None:
            job.owes_at = self.now + round(decision.cost_check_after * 1000)
        if job.state is State.IN_PROGRESS:
            for number in job.numbers:
                self.busy.setdefault(number, job.id)

    def _is_of_another_call(self, job: ModelJob, attempt: int, decision: Decision) -> bool:
        given = ",".join(decision.call.callids) if decision.call else ""
        if not given or job.made.get(attempt, given) == given:
            return False
        if decision.result in CALLED and (attempt, given) not in job.others:
            job.others.add((attempt, given))
            self.second_calls += 1
        return True

    def _is_late(self, job: ModelJob, attempt: int, decision: Decision) -> bool:
        if self._in_time(job, attempt, decision):
            return False
        self._keep_late(job, attempt, decision)
        return True

    def _keep_late(self, job: ModelJob, attempt: int, decision: Decision) -> None:
        told = decision.report is not None and decision.report.cost is not None
        if attempt == job.n and told and job.state not in OPEN:
            job.owes_at = None
        known = job.results.get(attempt)
        open_ended = known in {"outcome_unknown", "placed"}
        ended = open_ended and decision.result in CALLED - {"placed"}
        if known not in UNDECIDED and not ended:
            return
        second = attempt < job.n and decision.result in CALLED and known in UNDECIDED
        self.second_calls += second
        job.keep(attempt, decision)

    def _tell_all(self, decision: Decision) -> None:
        if decision.hold:
            self.holds.add(str(decision.hold))
        if decision.throttled is not None:
            self.blocked = max(self.blocked, self.now + round(decision.throttled * 1000))

    def _nobody_was_called(self, job: ModelJob, attempt: int) -> None:
        for number in job.numbers:
            self.persons[number].remove(job.sent[attempt])

    def _in_time(self, job: ModelJob, attempt: int, decision: Decision) -> bool:
        lawful = job.n == attempt and decision.to in TRANSITIONS[job.state]
        return lawful and (job.state in OPEN or self.saved(job, decision))

    def saved(self, job: ModelJob, decision: Decision) -> bool:
        """Whether evidence comes after a redial was decided, and before it was dialled."""
        given_up = job.state in WAITING and job.results.get(job.n) == "maybe_placed"
        matters = job.n > job.since or decision.to in {State.COMPLETED, State.IN_PROGRESS}
        return given_up and decision.result in CALLED and matters

    def _go(self, job: ModelJob, decision: Decision, next_at: int | None) -> None:
        if decision.to is State.SCHEDULED:
            assert next_at is not None
            self._schedule(job, next_at)
        elif decision.to is State.QUEUED:
            job.due = self.now
            self._queue(job)
        else:
            next_at = job.expires if next_at is None else next_at
            self._move(job, decision.to, str(decision.reason), next_at)
            job.hold = job.reason

    def reschedule_check(self, id_: str, attempt: int, delay: int) -> bool:
        job = self.jobs.get(id_)
        if job is None or job.state is not State.IN_PROGRESS or job.n != attempt:
            return False
        job.next_at = self.now + delay
        return True

    def pump(self) -> None:
        for job in self.come(State.SCHEDULED):
            self._queue(job)
        for job in [*self.come(State.QUEUED), *self.come(State.HELD)]:
            self._move(job, State.EXPIRED)
        for job in self.jobs.values():
            job.aside = None if job.aside is None or job.aside <= self.now else job.aside
        if not any(":" not in hold for hold in self.holds):
            for job in self.in_line("held"):
                if job.hold not in self.holds:
                    self._queue(job)

    def rescue(self, window: int, most: int) -> int:
        lapsed = self.come(State.DIALING)[:most]
        for job in lapsed:
            own = job.request.evidence_window
            job.results[job.n] = "maybe_placed"
            job.spent += 1
            self.connections.pop(job.id, None)
            length = window if own is None else round(own * 1000)
            self._move(job, State.UNCERTAIN, "", self.now + length)
        return len(lapsed)

    def take_due(self, state: State, most: int, lease: int) -> list[str]:
        taken = self.come(state)[:most]
        for job in taken:
            job.next_at = self.now + lease
        return [job.id for job in taken]

    def prioritise(self, id_: str, priority: str) -> bool:
        job = self.jobs[id_]
        if job.state not in WAITING:
            return False
        job.aside = None
        job.priority = priority
        return True

    def cancel(self, id_: str) -> bool:
        job = self.jobs[id_]
        if State.CANCELLED not in TRANSITIONS[job.state]:
            return False
        self._move(job, State.CANCELLED)
        return True

    def mark_reached(self, id_: str) -> bool:
        job = self.jobs[id_]
        if job.state is not State.UNCERTAIN and job.kind != "failed:outcome_unknown":
            return False
        self._move(job, State.COMPLETED, "marked_reached")
        return True

    def schedule_cost_check(self, id_: str, attempt: int, again: int | None) -> bool:
        job = self.jobs.get(id_)
        if job is None or job.owes_at is None or job.n != attempt:
            return False
        job.owes_at = None if again is None else self.now + again
        return True

    def retry(self, id_: str, span: int | None) -> bool:
        job = self.jobs[id_]
        if job.state not in TERMINAL or State.QUEUED not in TRANSITIONS[job.state]:
            return False
        job.span = job.span if span is None else span
        job.expires = None if job.span is None else self.now + job.span
        job.due, job.spent, job.since = self.now, 0, job.n
        job.finished = job.owes_at = None
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
            found[f"by_state:{job.kind}"][job.id] = job.created
            if job.next_at is not None:
                found[f"due:{job.state}"][job.id] = job.next_at
            if job.owes_at is not None:
                found["due:cost"][job.id] = job.owes_at
            if job.place:
                found[job.place][job.id] = job.due if job.aside is None else job.aside
            for tag in job.request.tags:
                found[f"by_tag:{tag}"][job.id] = job.created
            for place, number in enumerate(job.numbers, 1):
                ((last, score, _),) = recipients.ranges(f"+{number}")
                found[f"by_recipient:{last}"][recipients.member(job.id, place)] = int(score)
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
        """Return the jobs of all lines of a kind: the most urgent, oldest first."""
        jobs = (
            (LINES.index(job.priority), job.due, job.id, job)
            for job in self.jobs.values()
            if job.place and job.place.startswith(line)
        )
        return _in_order(jobs)

    def moments(self) -> list[int]:
        """Return the moments to come at which something happens next, the first first."""
        moments = [at for job in self.jobs.values() for at in (job.next_at, job.aside)]
        return sorted({at for at in moments if at is not None and at > self.now})

    def calls(self) -> dict[str, str]:
        """Return the jobs of calls, by the place where each is found."""
        return {
            ":".join(callid_place(callid)): job.id
            for job in self.jobs.values()
            for callid in job.callids
        }

    # -- below -----------------------------------------------------------------------------

    def _overdue(self, job: ModelJob) -> bool:
        return job.expires is not None and job.expires <= self.now

    def _hold(self, job: ModelJob, hold: str) -> None:
        self._move(job, State.HELD, hold.partition(":")[0], job.expires)
        job.hold = hold

    def _schedule(self, job: ModelJob, at: int) -> None:
        job.due = at
        too_late = job.expires is not None and at >= job.expires
        self._move(job, State.EXPIRED if too_late else State.SCHEDULED, "", at)

    def _queue(self, job: ModelJob) -> None:
        if self._overdue(job):
            self._move(job, State.EXPIRED)
        else:
            self._move(job, State.QUEUED, "", job.expires)

    def _move(self, job: ModelJob, to: State, reason: str = "", next_at: int | None = None) -> None:
        if job.state in OPEN and to not in OPEN:
            for number in job.numbers:
                if self.busy.get(number) == job.id:
                    del self.busy[number]
        job.state, job.reason, job.aside = to, reason, None
        job.next_at = None if to in TERMINAL else next_at
        if to in TERMINAL:
            job.finished = self.now


def _in_order(rows: Iterable[tuple[object, ...]]) -> list[ModelJob]:
    found = [row[-1] for row in sorted(rows, key=lambda row: row[:-1])]
    return [job for job in found if isinstance(job, ModelJob)]
