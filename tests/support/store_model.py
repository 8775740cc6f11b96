"""What the store promises, as a small model: plain dictionaries, no Redis, no Lua."""

from __future__ import annotations

from dispatcher.model.states import TERMINAL, TRANSITIONS, WAITING, State
from dispatcher.policy import Decision
from dispatcher.store.calls import Settled
from support.store_model_job import ModelJob
from support.store_model_places import OPEN
from support.store_model_taking import ModelTaking

UNDECIDED = {None, "maybe_placed"}
CALLED = {"placed", "answered", "no_answer", "call_failed"}


class Model(ModelTaking):
    """What becomes of claims, what time moves on, and what people do."""

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
