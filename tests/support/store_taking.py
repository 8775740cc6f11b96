"""Steps on a store beside its model: jobs come in, and workers take them."""

from __future__ import annotations

import random
from collections import defaultdict

import redis
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.job import Job
from dispatcher.model.request import JobRequest
from dispatcher.provider import ProviderError
from dispatcher.store import Store, schema
from dispatcher.store.schema import Pace
from dispatcher.store.values import Claim, Hours, KeyConflict, Taken
from dispatcher.values.calling_hours import Window
from support.claims import Day, Wait, claim_one, taken
from support.clock import Clock
from support.redis_inside import key_of
from support.store_books import Books
from support.store_checks import CheckedStore
from support.store_jobs import Snapshot, at, request
from support.store_model import Model
from support.store_model_taking import Scores, Took
from support.store_wishes import (
    CONFERENCE,
    ERRORS,
    FEW,
    HOURS,
    KEYS,
    LEASE,
    PICK,
    PROTECTION,
    REQUESTS,
)


class Taking(CheckedStore):
    """Producers enqueue; workers take, and set calling windows."""

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
        self.redis.hset(key_of(self.store, "pace"), Pace.TURNS, turn)
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
        window = Window(*(at(ms) for ms in (start, start + 100_000)))
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
        begins = schema.KEYS["calling"].removesuffix("{}")
        names = (name for name in self.look() if name.startswith(begins))
        return {f"+{name.removeprefix(begins)}" for name in names}

    def _before(self, job: Job) -> bool:
        return job.expires_at is not None and self.clock.ms < job.expires_at.timestamp() * 1000


def _scores(found: Snapshot) -> Scores:
    scores: Scores = defaultdict(dict)
    for name, members in found.items():
        if name.startswith("lines:"):
            scores[name[6:]] = {line: float(score) for line, score in members.items()}
    return scores


def _turn(found: Snapshot) -> int:
    return int(found.get("pace", {}).get(Pace.TURNS, "0"))


def _of_jobs(found: Snapshot) -> Snapshot:
    """Without the limiter's own time, and who was woken: what a lost reply told is not repeated."""
    return {name: members for name, members in found.items() if name not in {"pace", "woken"}}
