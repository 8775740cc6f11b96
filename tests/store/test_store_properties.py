"""Any order of operations: the store does what the model says, and its invariants hold."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import redis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule, run_state_machine_as_test

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.call import CallReport
from dispatcher.model.job import Job
from dispatcher.model.request import JobRequest
from dispatcher.model.states import TERMINAL, WAITING, Priority, State
from dispatcher.policy import Decision, after_deadline, after_error, after_report, after_window
from dispatcher.provider import AnswerLost, ProviderError
from dispatcher.store import Store
from dispatcher.store.calls import Answer
from dispatcher.store.holds import PauseScope
from dispatcher.store.spending import SpendingLimit
from dispatcher.store.values import Claim, Hours, KeyConflict, Refused, Taken
from dispatcher.values.calling_hours import Window
from support.claims import Day, Wait, claim_one, taken
from support.clock import Clock
from support.redis_inside import key_of
from support.store_books import Books
from support.store_checks import CheckedStore
from support.store_jobs import Snapshot, placed, records, request
from support.store_model import Model, Scores, Took
from support.store_wishes import (
    CONFERENCE,
    ERRORS,
    FEW,
    FINAL,
    HOURS,
    KEYS,
    LEASE,
    LIMITS,
    PICK,
    POLICY,
    PROTECTION,
    REPORTS,
    REQUESTS,
    SCOPES,
    TAKEN_FOR,
    WINDOW,
    WORDS,
)

Decide = Callable[[Claim], Decision | None]
Word = str | ProviderError | CallReport
ANSWERS: st.SearchStrategy[Word] = st.sampled_from(["placed", *ERRORS, *REPORTS])
TOKENS = st.sampled_from([None, None, "", "another's"])
"""Whose claim it is an answer to: not said, its own, another's."""


class StoreMachine(CheckedStore):
    """Jobs, workers that live and die, gates, people and time, in any order."""

    redis: redis.Redis

    @initialize(
        some=st.lists(REQUESTS, min_size=2, max_size=4),
        rules=st.sampled_from(PROTECTION),
        turn=st.sampled_from([0, 8, 13]),
    )
    def begin(self, some: list[dict[str, object]], rules: AccountConfig, turn: int) -> None:
        """`turn`: how many were taken before, since some turns are those of `normal` and `bulk`."""
        self.redis.flushdb()
        self.clock = Clock()
        self.store = Store(self.redis, clock=self.clock)
        self.store.limiter.publish(rules)
        self.redis.set(key_of(self.store, "turn"), turn)
        self.books = Books()
        self.model = Model(self.now, rules)
        self.begin_day("UTC")
        self.rng = random.Random(1)
        self.claims: list[tuple[str, Claim]] = []
        self.tokens: list[tuple[str, str]] = []
        self.granted: dict[str, dict[int, str]] = defaultdict(dict)
        self.made = self.calls = 0
        self.raw, self.timelines = {}, {}
        for fields in some:
            self.enqueue(fields, None, conference=False)

    @property
    def now(self) -> int:
        return int(self.clock.ms)

    # -- producers -------------------------------------------------------------------------

    @rule(fields=REQUESTS, key=KEYS, conference=st.booleans())
    def enqueue(self, fields: dict[str, object], key: str | None, conference: bool) -> None:
        self.made += 1
        fields = {**fields, "key": key or f"own-{self.made}"}  # random ids would not shrink
        wanted = request(**{**fields, **(CONFERENCE if conference else {})})
        before = self.look()
        try:
            done = self.store.jobs.enqueue(wanted)
        except KeyConflict:
            assert self._existing(wanted).fingerprint() != wanted.fingerprint()
            assert self.look() == before
            return
        assert done.new == (done.id not in self.model.jobs)
        if done.new:
            self.model.enqueue(done.id, wanted)
            self.granted.pop(done.id, None)
        else:
            assert self._existing(wanted).fingerprint() == wanted.fingerprint()

    def _existing(self, other: JobRequest) -> JobRequest:
        requests = (job.request for job in self.model.jobs.values())
        (found,) = (request for request in requests if request.key == other.key)
        return found

    # -- workers ---------------------------------------------------------------------------

    @rule(most=FEW, twice=st.booleans())
    def take(self, most: int, twice: bool) -> None:
        """Twice: the first answer was lost."""
        token = f"token-{len(self.tokens)}"
        taken = self._take(most, token)
        if twice and taken.claims:
            before = self.look()
            again = self._take(most, token)
            assert [each.job for each in again.claims] == [each.job for each in taken.claims]
            assert _of_jobs(self.look()) == _of_jobs(before)
        if taken.day:
            self.begin_day(taken.day)

    @precondition(lambda self: self.tokens)
    @rule(most=FEW, pick=PICK)
    def take_again_with_the_same_token(self, most: int, pick: int) -> None:
        """Late: some of its claims may be over, or given up, or all of them."""
        self._take(most, self.tokens[-1 - pick % len(self.tokens)][1])

    def _take(self, most: int, token: str) -> Taken:
        """Take, and compare what is taken with what the model takes."""
        before = self.look()
        busy = self._numbers_being_called()
        expected = self.model.take(most, token, LEASE * 1000, _scores(before), _turn(before))
        answer = taken(self.store, most, token=token, lease=LEASE)
        found = [(claim.job.id, claim.attempt) for claim in answer.claims]
        hours = [hours.job.id for hours in answer.hours]
        assert Took(found, hours, bool(answer.day)) == expected
        assert all(hours.text == HOURS for hours in answer.hours)
        for claim in answer.claims:
            self._note_claim(claim, token, busy)
        return answer

    @precondition(lambda self: self.model.in_line("set_aside"))
    @rule(pick=PICK, opens=st.sampled_from([-10, -10, 20, 400, None]))
    def set_a_calling_window(self, pick: int, opens: int | None) -> None:
        ids = [job.id for job in self.model.in_line("set_aside")]
        self._set_window(ids[pick % len(ids)], opens)

    @rule(pick=PICK, opens=st.sampled_from([-10, 20]))
    def set_a_calling_window_late(self, pick: int, opens: int) -> None:
        ids = [job.id for job in self.model.jobs.values() if job.request.hours] + ["nosuchjob"]
        self._set_window(ids[pick % len(ids)], opens)

    def _set_window(self, id_: str, opens: int | None) -> None:
        start = self.now + 1000 * (opens or 0)
        window = Window(*(_moment(ms) for ms in (start, start + 100_000)))
        state = self.store.queue.set_calling_window(
            id_, None if opens is None else window, "said so", HOURS
        )
        opens = None if opens is None else start
        assert state == self.model.set_calling_window(id_, opens, start + 100_000)

    @rule(pick=PICK)
    def claim_out_of_turn(self, pick: int) -> None:
        """Whatever its state: what forbids a call forbids it there."""
        ids = [job.id for job in self.model.in_line("ready")] + [*self.model.jobs, "nosuchjob"]
        self._claim(ids[pick % len(ids)])

    @precondition(lambda self: self.model.in_line("ready") and not self.model.holds)
    @rule(answer=st.sampled_from(["death", "placed", "placed", "placed", *ERRORS]))
    def dial(self, answer: str | ProviderError) -> None:
        """A worker's whole turn."""
        self.take(1, twice=False)
        if self.claims and answer == "placed":
            self.place(0, twice=False)
        elif self.claims and isinstance(answer, ProviderError):
            self.be_refused(0, answer, twice=False)

    def _claim(self, id_: str) -> None:
        token = f"token-{len(self.tokens)}"
        busy = self._numbers_being_called()
        expected = self.model.claim(id_, token, LEASE * 1000)
        answer = claim_one(self.store, id_, token=token, lease=LEASE)
        if isinstance(answer, Day):
            assert expected == "day"
            self.begin_day(answer.zone)
        elif isinstance(answer, Claim):
            assert answer.attempt == expected
            self._note_claim(answer, token, busy)
        else:
            words = {Wait: "wait", Hours: "hours"}
            assert words.get(type(answer), answer) == expected

    def _note_claim(self, claim: Claim, token: str, busy: set[str]) -> None:
        id_ = claim.job.id
        if self.granted[id_].setdefault(claim.attempt, token) != token:
            raise AssertionError(f"attempt {claim.attempt} was granted twice")
        if (id_, token) not in self.tokens:
            assert not any(hold.stops(claim.job) for hold in self.store.holds.all())
            assert busy.isdisjoint(claim.job.numbers)
            assert claim.job.expires_at is None or self._before(claim.job)
            self.tokens.append((id_, token))
            self.claims.append((id_, claim))
        if self.model.rules.one_at_a_time:
            busy.update(claim.job.numbers)

    def begin_day(self, zone: str) -> None:
        self.store.spending.begin_day(zone)
        self.model.begin_day()

    def _numbers_being_called(self) -> set[str]:
        if not self.model.rules.one_at_a_time:
            return set()
        return {f"+{name[5:]}" for name in self.look() if name.startswith("busy:")}

    def _before(self, job: Job) -> bool:
        return job.expires_at is not None and self.clock.ms < job.expires_at.timestamp() * 1000

    @precondition(lambda self: self.claims)
    @rule(pick=PICK, twice=st.booleans())
    def place(self, pick: int, twice: bool) -> None:
        self.calls += 1
        self._settle(pick, lambda _: placed(f"call-{self.calls}"), twice)

    @precondition(lambda self: self.claims)
    @rule(pick=PICK, error=st.sampled_from(ERRORS), twice=st.booleans())
    def be_refused(self, pick: int, error: ProviderError, twice: bool) -> None:
        now = _moment(self.now)
        self._settle(
            pick, lambda claim: after_error(error, claim.job, POLICY, self.rng, now), twice
        )

    @precondition(lambda self: self.claims)
    @rule(pick=PICK, report=FINAL, twice=st.booleans())
    def be_reported(self, pick: int, report: CallReport, twice: bool) -> None:
        """By a callback: in time, late, before the worker's own answer, or after a rescue."""
        self._settle(pick, lambda claim: after_report(report, claim.job, POLICY), twice)

    @precondition(lambda self: self.model.in_line("ready") and not self.model.holds)
    @rule(found=st.sampled_from(["placed", *REPORTS]), redialled=st.booleans())
    def hear_of_a_lost_call_when_its_window_is_over(
        self, found: str | CallReport, redialled: bool
    ) -> None:
        """Before the redial it is the call; after it, it is the second one."""
        self.take(1, twice=False)
        if not self.claims:
            return
        lost = AnswerLost("the answer was lost")
        now = _moment(self.now)
        self._settle(
            0, lambda claim: after_error(lost, claim.job, POLICY, self.rng, now), twice=False
        )
        id_, claim = self._any_claim(0)
        self.wait(WINDOW)
        self.end_windows(3, dies=False)
        if redialled:
            self._claim(id_)
        self.calls += 1
        late = placed(f"call-{self.calls}")
        if isinstance(found, CallReport):
            late = after_report(found, claim.job, POLICY) or late
        self._write(id_, claim.attempt, late)

    @precondition(lambda self: self.claims)
    @rule(
        some=st.lists(st.tuples(PICK, ANSWERS, TOKENS), min_size=2, max_size=5),
        gone=st.sampled_from([None, None, 0, 1]),
        twice=st.booleans(),
    )
    def settle_many(
        self, some: list[tuple[int, Word, str | None]], gone: int | None, twice: bool
    ) -> None:
        """In one step: in time and late, of one claim more than once, of a job that is gone."""
        answers = [self._answer(*each) for each in some]
        if gone is not None:
            answers.insert(gone, Answer("nosuchjob", 1, placed("call-nobodys")))
        self._settle_many(answers)
        if twice:
            before = self.look()
            self._settle_many(answers)
            assert self.look() == before

    def _answer(self, pick: int, word: Word, whose: str | None) -> Answer:
        id_, claim = self._any_claim(pick)
        token = None if whose is None else whose or self.granted[id_][claim.attempt]
        return Answer(id_, claim.attempt, self._decide(word, claim), token=token)

    def _decide(self, word: Word, claim: Claim) -> Decision:
        if isinstance(word, ProviderError):
            return after_error(word, claim.job, POLICY, self.rng, _moment(self.now))
        if isinstance(word, CallReport):
            decision = after_report(word, claim.job, POLICY)
            assert decision is not None
            return decision
        self.calls += 1
        return placed(f"call-{self.calls}")

    def _settle_many(self, answers: list[Answer]) -> None:
        expected = [
            self.model.settle(each.id, each.attempt, each.decision, each.token or "")
            for each in answers
        ]
        assert self.store.calls.settle_many(answers) == expected

    def _settle(self, pick: int, decide: Decide, twice: bool) -> None:
        id_, claim = self._any_claim(pick)
        decision = decide(claim)
        assert decision is not None
        self._write(id_, claim.attempt, decision)
        if twice:
            before = self.look()
            self._write(id_, claim.attempt, decision)
            assert self.look() == before

    def _any_claim(self, pick: int) -> tuple[str, Claim]:
        """The newest come first: small picks are in time, large ones late."""
        return self.claims[-1 - pick % len(self.claims)]

    def _write(self, id_: str, attempt: int, decision: Decision) -> None:
        settled = self.model.settle(id_, attempt, decision)
        assert self.store.calls.settle(id_, attempt, decision) is settled.state

    # -- what time moves on ----------------------------------------------------------------

    @rule(limit=st.sampled_from(LIMITS))
    def set_limit(self, limit: SpendingLimit) -> None:
        self.store.spending.set(limit)

    @rule(seconds=st.sampled_from([0.001, 1, 15, 60, 300, 86_400]))
    def wait(self, seconds: float) -> None:
        self.clock.forward(seconds)
        self.model.now = self.now

    @precondition(lambda self: self.model.moments())
    @rule(pick=PICK, word=WORDS)
    def wait_until_something_is_due_and_do_it(self, pick: int, word: str | CallReport) -> None:
        moments = self.model.moments()
        self.wait((moments[pick % len(moments)] - self.now) / 1000)
        self.pump()
        self.rescue(3)
        self.end_windows(3, dies=False)
        self.reconcile(3, word)

    @rule()
    def pump(self) -> None:
        self.store.queue.pump()
        self.model.pump()

    @precondition(lambda self: self.model.come(State.DIALING))
    @rule(most=FEW)
    def rescue(self, most: int) -> None:
        assert self.store.calls.rescue(WINDOW, most) == self.model.rescue(WINDOW * 1000, most)

    @precondition(lambda self: self.model.come(State.IN_PROGRESS))
    @rule(most=FEW, word=WORDS)
    def reconcile(self, most: int, word: str | CallReport) -> None:
        """`death` is of the process, after it took the work."""
        for id_ in self._take_due(State.IN_PROGRESS, most):
            job = self.store.jobs.get(id_)
            number = job.attempts[-1].number
            if word == "RINGING":
                self._reschedule_check(id_, number)
            elif word == "deadline":
                self._write(id_, number, after_deadline(job, POLICY))
            elif isinstance(word, CallReport):
                decision = after_report(word, job, POLICY)
                assert decision is not None
                self._write(id_, number, decision)

    @precondition(lambda self: self.claims)
    @rule(pick=PICK)
    def reschedule_check(self, pick: int) -> None:
        id_, claim = self._any_claim(pick)
        self._reschedule_check(id_, claim.attempt)

    def _reschedule_check(self, id_: str, attempt: int) -> None:
        assert self.store.calls.reschedule_check(
            id_, attempt, 45, "RINGING"
        ) is self.model.reschedule_check(id_, attempt, 45_000)

    @precondition(lambda self: self.claims)
    @rule(pick=PICK, again=st.booleans())
    def look_for_a_cost_in_vain(self, pick: int, again: bool) -> None:
        owing = [(job.id, job.n) for job in self.model.jobs.values() if job.owes_at is not None]
        claims = [*owing, *((id_, claim.attempt) for id_, claim in reversed(self.claims))]
        id_, attempt = claims[pick % len(claims)]
        answer = self.store.calls.schedule_cost_check(id_, attempt, 600 if again else None)
        later = 600_000 if again else None
        assert answer is self.model.schedule_cost_check(id_, attempt, later)

    @precondition(lambda self: self.model.come(State.UNCERTAIN))
    @rule(most=FEW, dies=st.booleans())
    def end_windows(self, most: int, dies: bool) -> None:
        for id_ in self._take_due(State.UNCERTAIN, most):
            job = self.store.jobs.get(id_)
            if not dies:
                self._write(id_, job.attempts[-1].number, after_window(job, POLICY))

    def _take_due(self, state: State, most: int) -> list[str]:
        taken = self.store.calls.take_due(state, most=most, lease=TAKEN_FOR)
        assert taken == self.model.take_due(state, most, TAKEN_FOR * 1000)
        return taken

    # -- people ----------------------------------------------------------------------------

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


def _moment(ms: int) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms)


def _scores(found: Snapshot) -> Scores:
    scores: Scores = defaultdict(dict)
    for name, members in found.items():
        if name.startswith("lines:"):
            scores[name[6:]] = {line: float(score) for line, score in members.items()}
    return scores


def _turn(found: Snapshot) -> int:
    return int(found.get("turn", {"": "0"})[""])


def _of_jobs(found: Snapshot) -> Snapshot:
    """Without the limiter's own time, and who was woken: what a lost reply told is not repeated."""
    return {name: members for name, members in found.items() if name not in {"pace", "woken"}}


def test_no_order_of_operations_breaks_an_invariant(own_database: redis.Redis) -> None:
    machine = type("Machine", (StoreMachine,), {"redis": own_database})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=150,
            stateful_step_count=40,
            suppress_health_check=list(HealthCheck),
        ),
    )
