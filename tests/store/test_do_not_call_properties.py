"""In whatever order numbers come and go, and jobs are enqueued, claimed, redialled and retried:
nobody on the do-not-call list is asked for.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import chain

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

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.do_not_call import Wish, whom
from dispatcher.model.invalid_job import DoNotCall
from dispatcher.model.job import Job
from dispatcher.model.states import WAITING, Dnc, State
from dispatcher.policy import Policy, after_report
from dispatcher.store import Store
from dispatcher.store.do_not_call import KEPT
from dispatcher.store.values import Claim, Refused
from support.claims import claim_one
from support.clock import Clock
from support.reports import ended
from support.store_jobs import placed, request

POLICY = Policy(max_attempts=3, redial=1, redial_after=10)
WRITINGS = {
    "+818011234567": [("+818011234567", None), ("080-1123-4567", "JP"), ("080 1123 4567", "JP")],
    "+818011234568": [("+818011234568", None), ("+81 80-1123-4568", "US")],
    "+14155550123": [("(415) 555-0123", "US"), ("001 415 555 0123", "DE")],
}
NUMBERS = st.sampled_from(sorted(WRITINGS))
TAGS = st.sampled_from([None, None, "marketing", "campaign:x"])
ENDS = st.sampled_from([None, None, 5, 60, 3600])
PICK = st.integers(0, 20)


class ListMachine(RuleBasedStateMachine):
    """The list as it should be is `model`: (number, tag) -> when it ends."""

    redis: redis.Redis

    @initialize(urgent=st.sampled_from(Dnc))
    def begin(self, urgent: Dnc) -> None:
        self.redis.flushdb()
        self.clock, self.urgent = Clock(), urgent
        self.store = Store(self.redis, clock=self.clock)
        self.store.limiter.publish(AccountConfig(dnc_urgent=urgent, breaker=1000))
        self.model: dict[tuple[str, str | None], float] = {}
        self.jobs: list[str] = []
        for number in WRITINGS:
            for tags in ((), ("marketing",)):
                self.jobs.append(self.store.jobs.enqueue(request(recipient=number, tags=tags)).id)

    # -- the list --------------------------------------------------------------------------

    @rule(number=NUMBERS, tag=TAGS, ends=ENDS, keep=st.booleans(), writing=PICK)
    def add(self, number: str, tag: str | None, ends: int | None, keep: bool, writing: int) -> None:
        written, region = WRITINGS[number][writing % len(WRITINGS[number])]
        wish = Wish.of(written, region=region, tag=tag, until=ends, keep=keep)
        (answer,) = self.store.do_not_call.add([wish], actor="cli").answers
        until = float("inf") if ends is None else self.clock.ms + ends * 1000
        before = self._standing().get((number, tag))
        expected = "new" if before is None else "longer" if until > before else "known"
        assert answer == expected
        self.model[number, tag] = max(until, before or 0)

    @rule(number=NUMBERS, tag=TAGS, by_hash=st.booleans())
    def remove(self, number: str, tag: str | None, by_hash: bool) -> None:
        found = self.store.do_not_call.check(number)
        who = whom(found[0].hash) if found and by_hash else number
        gone = [name for name in self._standing() if name[0] == number and tag in {None, name[1]}]
        assert self.store.do_not_call.remove([who], actor="cli", tag=tag) == [len(gone)]
        for name in gone:
            del self.model[name]

    @rule(seconds=st.sampled_from([1, 10, 100, 4000, KEPT]))
    def wait(self, seconds: float) -> None:
        self.clock.forward(seconds)
        self.store.queue.pump()

    @rule()
    def tidy(self) -> None:
        self.store.do_not_call.end_due()

    def _standing(self) -> dict[tuple[str, str | None], float]:
        return {name: ends for name, ends in self.model.items() if ends > self.clock.ms}

    def _forbidden(self, job: Job) -> bool:
        if job.dnc is Dnc.EXEMPT or (job.priority == "urgent" and self.urgent is Dnc.EXEMPT):
            return False
        standing = self._standing()
        return any((n, tag) in standing for n in job.numbers for tag in (None, *job.tags))

    # -- jobs ------------------------------------------------------------------------------

    @rule(
        numbers=st.lists(NUMBERS, min_size=1, max_size=2, unique=True),
        tags=st.sampled_from([(), ("marketing",), ("campaign:x", "other")]),
        priority=st.sampled_from(["normal", "urgent"]),
        dnc=st.sampled_from([None, None, "exempt"]),
        at=st.sampled_from([None, 30]),
    )
    def enqueue(
        self,
        numbers: list[str],
        tags: tuple[str, ...],
        priority: str,
        dnc: str | None,
        at: int | None,
    ) -> None:
        who = {"recipient": numbers[0]}
        if len(numbers) > 1:
            who = {"recipient": None, "say": None, "participants": numbers}  # type: ignore[dict-item]
        wanted = request(**who, tags=tags, priority=priority, dnc=dnc, at=at)
        try:
            id_ = self.store.jobs.enqueue(wanted).id
        except DoNotCall:
            exempt = dnc or (priority == "urgent" and self.urgent is Dnc.EXEMPT)
            assert not exempt
            standing = self._standing()
            assert any((n, tag) in standing for n in numbers for tag in (None, *tags))
            return
        assert not self._forbidden(self.store.jobs.get(id_))
        self.jobs.append(id_)

    @precondition(lambda self: self.jobs)
    @rule(pick=PICK, answered=st.booleans())
    def claim(self, pick: int, answered: bool) -> None:
        waits = [id_ for id_ in self.jobs if self.store.jobs.get(id_).state in WAITING]
        id_ = (waits or self.jobs)[pick % len(waits or self.jobs)]
        before = self.store.jobs.get(id_)
        found = claim_one(self.store, id_, token="t", lease=30)
        if isinstance(found, Claim):
            assert not self._forbidden(found.job)
            self._end(id_, found, answered)
        elif before.state is State.QUEUED and found is State.FAILED:
            assert self._forbidden(before)
            job = self.store.jobs.get(id_)
            assert (job.reason, len(job.attempts)) == ("do_not_call", len(before.attempts))

    def _end(self, id_: str, claim: Claim, answered: bool) -> None:
        """An answer, or no answer, after which it is redialled."""
        self.store.calls.settle(id_, claim.attempt, placed(f"call-{id_}-{claim.attempt}"))
        report = ended("ANSWERED" if answered else "NO ANSWER")
        decision = after_report(report, self.store.jobs.get(id_), POLICY)
        assert decision is not None
        self.store.calls.settle(id_, claim.attempt, decision)

    @precondition(lambda self: self.jobs)
    @rule(pick=PICK)
    def retry(self, pick: int) -> None:
        id_ = self.jobs[pick % len(self.jobs)]
        job = self.store.jobs.get(id_)
        try:
            self.store.jobs.retry(id_, actor="cli")
        except Refused:
            assert job.state is not State.FAILED or self._forbidden(job)
            return
        assert not self._forbidden(job)

    # -- always ----------------------------------------------------------------------------

    @invariant()
    def the_list_is_as_it_should_be(self) -> None:
        found = {number: self.store.do_not_call.check(number) for number in WRITINGS}
        shown = {(number, each.tag) for number, entries in found.items() for each in entries}
        assert shown == self._standing().keys()
        whole = list(self.store.do_not_call.all())
        assert sorted(map(str, whole)) == sorted(map(str, chain(*found.values())))


def test_in_no_order_is_anybody_called_who_is_on_the_list(own_database: redis.Redis) -> None:
    machine = type("Machine", (ListMachine,), {"redis": own_database})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60, stateful_step_count=25, suppress_health_check=list(HealthCheck)
        ),
    )


def test_no_claim_comes_after_an_add_that_has_returned(own_database: redis.Redis) -> None:
    """Two workers claim while two people add: by Redis' own order, no claim is later."""
    own_database.flushdb()
    stores = [Store(own_database) for _ in range(4)]
    stores[0].limiter.publish(AccountConfig(breaker=1000))
    numbers = [f"+81801234{n:04}" for n in range(200)]
    ids = {number: stores[0].jobs.enqueue(request(recipient=number)).id for number in numbers}
    added: set[str] = set()

    def add(store: Store) -> None:
        for number in reversed(numbers):
            store.do_not_call.add([Wish(number)], actor="cli")
            added.add(number)

    def claim(store: Store) -> int:
        late = 0
        for number in numbers:
            was_added = number in added
            found = claim_one(store, ids[number], token=str(id(store)), lease=30)
            late += was_added and isinstance(found, Claim)
        return late

    with ThreadPoolExecutor(4) as pool:
        adding = [pool.submit(add, store) for store in stores[:2]]
        late = sum(pool.map(claim, stores[2:]))
        for each in adding:
            each.result()
    assert late == 0
    reasons = [stores[0].jobs.get(id_).reason for id_ in ids.values()]
    assert set(reasons) == {None, "do_not_call"}  # both came first, now and then
    assert stores[0].do_not_call.size() == 200
