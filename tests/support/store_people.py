"""Steps on a store beside its model: what people do."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from dispatcher.model.states import TERMINAL, WAITING, Priority
from dispatcher.store.holds import PauseScope
from dispatcher.store.values import Refused
from support.store_jobs import records
from support.store_settling import Settling
from support.store_wishes import (
    PICK,
    SCOPES,
)


class People(Settling):
    """People hold, pause, prioritise, cancel, retry and purge."""

    @precondition(lambda self: len(self.model.holds) < 2)
    @rule(hold=st.sampled_from(["auth", "credit"]))
    def start_hold(self, hold: str) -> None:
        assert self.store.holds.start(hold, "said so") == (hold not in self.model.holds)
        self.model.holds.add(hold)

    @rule(scope=st.sampled_from(SCOPES))
    def pause(self, scope: PauseScope) -> None:
        hold = scope.hold
        assert self.store.holds.pause(scope, actor="kim") == (hold not in self.model.holds)
        self.model.holds.add(hold)

    @precondition(lambda self: self.model.holds)
    @rule(scope=st.sampled_from(SCOPES))
    def resume(self, scope: PauseScope) -> None:
        hold = scope.hold
        assert self.store.holds.resume(scope, actor="cli") == (hold in self.model.holds)
        self.model.holds.discard(hold)

    @precondition(lambda self: self.model.jobs)
    @rule(pick=PICK, priority=st.sampled_from(Priority))
    def prioritise(self, pick: int, priority: Priority) -> None:
        id_ = self._any_waiting_job(pick)
        if self.model.prioritise(id_, priority):
            self.store.jobs.prioritise(id_, priority, actor="person", note="it matters")
        else:
            with pytest.raises(Refused):
                self.store.jobs.prioritise(id_, priority, actor="person")

    def _any_waiting_job(self, pick: int) -> str:
        """Those that wait come first."""
        jobs = sorted(self.model.jobs.values(), key=lambda job: job.state not in WAITING)
        return jobs[pick % len(jobs)].id

    @precondition(lambda self: self.model.holds)
    @rule()
    def open_gates(self) -> None:
        for hold in sorted(self.model.holds):
            assert self.store.holds.end(hold)
        self.model.holds.clear()

    @precondition(lambda self: self.model.jobs)
    @rule(pick=PICK)
    def cancel(self, pick: int) -> None:
        id_ = self._any_job(pick)
        if self.model.cancel(id_):
            self.store.jobs.cancel(id_, actor="person")
        else:
            with pytest.raises(Refused):
                self.store.jobs.cancel(id_, actor="person")

    @precondition(lambda self: self.model.jobs)
    @rule(pick=PICK, expires=st.sampled_from([None, 90]))
    def retry(self, pick: int, expires: int | None) -> None:
        id_ = self._any_job(pick)
        if self.model.retry(id_, None if expires is None else expires * 1000):
            self.store.jobs.retry(id_, actor="person", expires=expires)
        else:
            with pytest.raises(Refused):
                self.store.jobs.retry(id_, actor="person", expires=expires)

    @precondition(lambda self: self.model.jobs)
    @rule(pick=PICK)
    def mark_reached(self, pick: int) -> None:
        unsure = {"uncertain", "failed:outcome_unknown"}
        jobs = sorted(self.model.jobs.values(), key=lambda job: job.kind not in unsure)
        id_ = jobs[pick % len(jobs)].id
        if self.model.mark_reached(id_):
            self.store.jobs.mark_reached(id_, actor="person", note="asked")
        else:
            with pytest.raises(Refused):
                self.store.jobs.mark_reached(id_, actor="person")

    @precondition(lambda self: self.model.jobs)
    @rule(pick=PICK, limit=st.sampled_from([1, 0, -60_000]))
    def purge(self, pick: int, limit: int) -> None:
        id_, before = self._any_job(pick), self.now + limit
        record = records(self.look())[id_]
        assert self.store.jobs.purge(id_, before) == self.model.purge(id_, before)
        if id_ not in self.model.jobs:
            self.books.forget(record)
            self.claims = [claim for claim in self.claims if claim[0] != id_]
            self.tokens = [token for token in self.tokens if token[0] != id_]
            self.timelines.pop(id_, None)

    def _any_job(self, pick: int) -> str:
        """Those that have ended come first."""
        jobs = sorted(self.model.jobs.values(), key=lambda job: job.state not in TERMINAL)
        return jobs[pick % len(jobs)].id
