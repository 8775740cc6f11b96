"""The jobs of the store's model, and every structure as it should stand by them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.states import TERMINAL, Priority, State
from dispatcher.store import recipients
from dispatcher.store.schema import callid_place
from support.store_model_job import ModelJob

OPEN = {State.DIALING, State.UNCERTAIN, State.IN_PROGRESS}
LINES = [str(priority) for priority in (Priority.URGENT, Priority.NORMAL, Priority.BULK)]

Places = dict[str, dict[str, float]]


class ModelPlaces:
    """The jobs, the holds, and where each job stands."""

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
