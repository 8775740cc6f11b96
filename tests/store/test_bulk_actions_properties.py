"""Acts in any order: drivers that die or are two, doubled clicks, jobs that move meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from dispatcher.model.bulk_action import BulkAction, BulkActionKind, Preview, new_id
from dispatcher.model.filters import Filter
from dispatcher.model.job import Job
from dispatcher.model.states import Priority, State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.redis_url import connect
from dispatcher.store.values import Refused
from support.claims import claim_one
from support.clock import Clock
from support.redis_inside import key_of
from support.store_jobs import assert_sound, enqueue, snapshot
from workers.devstack.embedded_server import EmbeddedServer

ENDS = [
    Decision(State.FAILED, "no_answer", "it rang in vain", "no_answer"),
    Decision(State.COMPLETED, "answered", "it was answered"),
    Decision(State.UNCERTAIN, "maybe_placed", "the answer was lost", delay=300),
]
MEANT = [
    Filter(),
    Filter(tag="t"),
    Filter(states=(State.FAILED,)),
    Filter(states=(State.CANCELLED, State.EXPIRED)),
]
PICK = st.integers(0, 20)


class ActsMachine(RuleBasedStateMachine):
    """Jobs that are dialled and end, and acts that are previewed, begun, driven and stopped."""

    redis: redis.Redis

    @initialize(many=st.integers(3, 8))
    def begin(self, many: int) -> None:
        self.redis.flushdb()
        self.clock = Clock()
        self.store = Store(self.redis, clock=self.clock)
        self.previews: dict[str, Preview] = {}
        self.begun: dict[str, Preview] = {}
        self.ids = [self._new(n) for n in range(many)]

    def _new(self, n: int) -> str:
        tags = ["t"] if n % 2 else []
        return enqueue(self.store, key=f"job-{n}", tags=tags, expires="100s" if n % 3 else None)

    # -- jobs --------------------------------------------------------------------------

    @rule()
    def enqueue(self) -> None:
        self.ids.append(self._new(len(self.ids)))

    def _jobs(self) -> list[Job]:
        return [job for job in self.store.jobs.get_many(self.ids) if job is not None]

    @rule(pick=PICK, end=st.sampled_from(ENDS))
    def dial(self, pick: int, end: Decision) -> None:
        id_ = self.ids[pick % len(self.ids)]
        if self.store.jobs.get(id_).state is State.QUEUED:
            claimed = claim_one(self.store, id_, token=f"t{self.clock.ms}{pick}", lease=30)
            if hasattr(claimed, "attempt"):
                self.store.calls.settle(id_, claimed.attempt, end)

    @rule(pick=PICK)
    def cancel_one(self, pick: int) -> None:
        with suppress(Refused):
            self.store.jobs.cancel(self.ids[pick % len(self.ids)], actor="cli:sam")

    @rule(seconds=st.sampled_from([1, 20, 101]))
    def wait(self, seconds: int) -> None:
        self.clock.forward(seconds)
        self.store.queue.pump()

    # -- acts --------------------------------------------------------------------------

    @rule(
        act=st.sampled_from(BulkActionKind),
        meant=st.sampled_from(MEANT),
        expires=st.sampled_from([None, 50.0]),
        uncertain=st.booleans(),
    )
    def preview(
        self, act: BulkActionKind, meant: Filter, expires: float | None, uncertain: bool
    ) -> None:
        before = snapshot(self.store)
        seen = self.store.bulk.preview(
            act,
            meant,
            expires=expires,
            uncertain=uncertain,
            priority=Priority.BULK,
            id_=new_id(f"act-{len(self.previews)}"),
        )
        assert snapshot(self.store) == before
        found = [job.id for job in self._jobs() if meant.matches(job)]
        assert seen.matched == len(found)
        assert set(seen.ids) <= set(found)
        self.previews[seen.id] = seen

    @precondition(lambda self: self.previews)
    @rule(pick=PICK, clicks=st.integers(1, 3))
    def click(self, pick: int, clicks: int) -> None:
        """The same act is proposed and begun as often as somebody clicks."""
        seen = list(self.previews.values())[pick % len(self.previews)]
        for _ in range(clicks):
            self.store.bulk.create(seen)
            answer = self.store.bulk.begin(seen.id, actor="cli:kim")
            assert answer is (seen.id not in self.begun)
            self.begun[seen.id] = seen

    @precondition(lambda self: self.begun)
    @rule(pick=PICK, most=st.integers(1, 4))
    def drive(self, pick: int, most: int) -> None:
        """One step of any driver, which may die after it."""
        self.store.bulk.advance(self._any(pick), most)

    @precondition(lambda self: self.begun)
    @rule(pick=PICK)
    def drive_undisturbed(self, pick: int) -> None:
        """What is previewed and begun in one breath comes as it was said."""
        seen = self.store.bulk.preview(
            BulkActionKind.RETRY, Filter(), id_=new_id(f"act-{len(self.previews)}")
        )
        self.previews[seen.id] = seen
        self.begun[seen.id] = seen
        self.store.bulk.create(seen)
        self.store.bulk.begin(seen.id, actor="cli:kim")
        self.store.bulk.drive(seen.id, sleep=lambda _: None)
        report = self.store.bulk.get(seen.id)
        assert (report.done, report.skipped) == (len(seen.ids), ())

    @precondition(lambda self: self.begun)
    @rule(pick=PICK)
    def stop(self, pick: int) -> None:
        self.store.bulk.stop(self._any(pick), actor="cli:sam")

    def _any(self, pick: int) -> str:
        return list(self.begun)[pick % len(self.begun)]

    # -- what holds --------------------------------------------------------------------

    @invariant()
    def every_job_stands_where_its_state_wants_it(self) -> None:
        assert_sound(snapshot(self.store))

    @invariant()
    def the_figures_of_every_act_add_up(self) -> None:
        for id_, seen in self.begun.items():
            report = self.store.bulk.get(id_)
            refused = sum(each.count for each in report.skipped)
            assert report.done + refused + report.remaining == report.selected == len(seen.ids)
            assert report.state != "done" or report.remaining == 0

    @invariant()
    def an_act_that_runs_is_looked_after(self) -> None:
        running = {id_ for id_ in self.begun if self._state(id_) == "running"}
        open_ones: set[bytes] = set(
            self.redis.zrange(key_of(self.store, "bulk_actions_running"), 0, -1)
        )  # type: ignore[arg-type]
        assert {id_.decode() for id_ in open_ones} == running

    def _state(self, id_: str) -> str:
        return self.store.bulk.get(id_).state

    @invariant()
    def no_job_is_reopened_twice_by_an_action(self) -> None:
        """Each retrigger is a line of the timeline; acts did as many as there are by them."""
        lines = Counter(
            event.actor
            for job in self._jobs()
            for event in job.timeline
            if event.actor == "cli:kim" and event.to == State.QUEUED and not event.why
        )
        retries: list[BulkAction] = [
            self.store.bulk.get(id_)
            for id_, seen in self.begun.items()
            if seen.kind is BulkActionKind.RETRY
        ]
        assert lines["cli:kim"] == sum(each.done for each in retries)

    @invariant()
    def the_tag_index_is_that_of_the_records(self) -> None:
        jobs = self._jobs() if self.begun else []
        for id_ in self.begun:
            tag = f"retry:{id_}"
            indexed = snapshot(self.store).get(f"by_tag:{tag}", {})
            assert indexed.keys() == {job.id for job in jobs if tag in job.tags}

    @invariant()
    def every_act_is_written_down_once(self) -> None:
        kept = Counter(
            (entry.facts["action"], entry.action.partition(".")[2])
            for entry in self.store.audit.read()
            if "action" in entry.facts
        )
        assert max(kept.values(), default=1) == 1
        begun = {act for act, what in kept if not what}
        assert begun == {id_ for id_, seen in self.begun.items() if seen.ids}


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[redis.Redis]:
    """A Redis that may be emptied."""
    folder = tmp_path_factory.mktemp("acts")
    with EmbeddedServer(folder / "data") as server, connect(server.url) as client:
        yield client


def test_actions_in_any_order(own_redis: redis.Redis) -> None:
    ActsMachine.redis = own_redis
    run_state_machine_as_test(
        ActsMachine,
        settings=settings(
            max_examples=60,
            stateful_step_count=30,
            suppress_health_check=list(HealthCheck),
        ),
    )
