"""How the store's model lets jobs in, and gives them to workers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from dispatcher.model.request import JobRequest
from dispatcher.model.states import State
from support.store_model_job import ModelJob
from support.store_model_places import LINES, ModelPlaces

DAY = 86_400_000
BUSY_AGAIN = 5000
SET_ASIDE, AHEAD, MOST_LOOKED_AT = 15_000, 25, 100
Scores = dict[str, dict[str, float]]
"""priority -> line -> how much it has had."""


@dataclass
class Took:
    """What one take is answered: claims (job and attempt), jobs whose windows are to be set."""

    claims: list[tuple[str, int]] = field(default_factory=list)
    hours: list[str] = field(default_factory=list)
    day: bool = False


class ModelTaking(ModelPlaces):
    """Enqueueing, and what takes and claims answer."""

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
