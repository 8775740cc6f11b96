"""What must hold of a store after each step, whatever the step was."""

from __future__ import annotations

from collections import defaultdict

from hypothesis.stateful import RuleBasedStateMachine, invariant

from dispatcher.model.job import Event, Job
from dispatcher.model.states import TERMINAL, TRANSITIONS, State
from dispatcher.store import Store
from support.campaign_books import assert_counted
from support.store_books import Books
from support.store_jobs import Snapshot, assert_sound, job_of, records, snapshot
from support.store_model import Model

OTHERS = {
    "jobs",
    "states",
    "holds",
    "config",
    "lines",
    "taken",
    "woken",
    "pace",
    "connections",
    "calling",
    "counters",
    "outcomes",
    "campaigns",
    "campaign",
    "campaign_hours",
    "credit",
    "costs",
    "burn",
    "countries_called",
    "hourly_spending",
    "unusual",
    "waiting",
    "spending_limits",
    "spent",
    "events",
    "audit_log",
    "breaker",
}
SETS = {"held"}
"""What is not of the model: soundness looks at it, or it has tests of its own."""


class CheckedStore(RuleBasedStateMachine):
    """Steps on a store beside which a model goes; after each, both are compared.

    `raw` and `timelines` are what was seen last of each job's record and timeline.
    """

    store: Store
    model: Model
    books: Books
    raw: dict[str, dict[str, str]]
    timelines: dict[str, tuple[Event, ...]]

    def look(self) -> Snapshot:
        return snapshot(self.store)

    @invariant()
    def everything_is_in_its_place(self) -> None:
        found = self.look()
        assert_sound(found)
        self.books.look(found)
        assert_counted(found, self.books.gone)
        self._is_as_modelled(found)
        raw = records(found)
        for id_ in raw:
            if raw[id_] != self.raw.get(id_):
                self._has_a_lawful_history(job_of(id_, raw[id_]))
        self.raw = raw

    def _is_as_modelled(self, found: Snapshot) -> None:
        model, places, calls = self.model, {}, {}
        for name, members in found.items():
            what = name.partition(":")[0]
            if what == "by_call":
                calls |= {f"{name[8:]}:{rest}": id_ for rest, id_ in members.items()}
            elif what == "called":
                places_in_order = sorted(members, key=int)
                self._has_had_these_calls(name[7:], [int(members[n]) for n in places_in_order])
            elif what not in OTHERS and name not in SETS:
                places[name] = {member: float(score) for member, score in members.items()}
        assert places == model.places()
        assert calls == model.calls()
        assert set(found.get("holds", {})) == model.holds
        second = found.get("counters", {}).get("second_calls", "0")
        assert int(second) == model.second_calls
        if model.rules.one_at_a_time:
            busy = {name[8:]: value[""] for name, value in found.items() if name[:8] == "calling:"}
            assert busy == model.busy
        assert set(records(found)) == set(model.jobs)

    def _has_had_these_calls(self, number: str, found: list[int]) -> None:
        """As many of the latest as protection asks for are kept; what was not spent is not one."""
        calls, rules = self.model.persons[number], self.model.rules
        assert found == calls[: len(found)]
        assert len(found) >= min(len(calls), rules.per_day or 1) or not rules.one_at_a_time

    def _has_a_lawful_history(self, job: Job) -> None:
        wanted = self.model.jobs[job.id]
        assert (job.state, job.spent, len(job.attempts)) == (wanted.state, wanted.spent, wanted.n)
        results = {item.number: item.result for item in job.attempts if item.result}
        assert results == wanted.results
        assert job.terminal == (job.finished_at is not None)
        assert 0 <= job.spent <= len(job.attempts) - job.since
        known = self.timelines.get(job.id, ())
        assert job.timeline[: len(known)] == known
        self.timelines[job.id] = job.timeline
        self._is_lawful(job)

    def _is_lawful(self, job: Job) -> None:
        assert job.timeline[0].to in {"queued", "scheduled"}
        assert job.timeline[-1].to == job.state
        for event in job.timeline[1:]:
            assert event.before is not None
            before, to = State(event.before), State(event.to)
            if before is to:
                assert "too late to change anything" in event.why or event.why.startswith(
                    "priority "
                )
            else:
                assert to in TRANSITIONS[before]
                assert before not in TERMINAL or event.actor == "person"
        dialled = sum(event.to == "dialing" != event.before for event in job.timeline)
        assert dialled == len(job.attempts)

    def teardown(self) -> None:
        if not hasattr(self, "model"):
            return
        wanted: dict[str, dict[str, int]] = {state: defaultdict(int) for state in State}
        for job in self.model.jobs.values():
            wanted[job.state][job.reason] += 1
        found = {
            state: {reason: count for reason, count in reasons.items() if count}
            for state, reasons in self.store.search.counts().items()
        }
        assert found == wanted
