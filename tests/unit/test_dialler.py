"""A worker's dialling: what it takes, hands to its threads and writes, with a store that is told
what to answer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from types import SimpleNamespace
from typing import Any

import pytest

from dispatcher.model.decision import Decision
from dispatcher.model.states import Priority, Reason, State
from dispatcher.store import codec
from dispatcher.store.calls import Answer, Settled
from dispatcher.store.errors import StoreUnavailable, TooFewReplicas
from dispatcher.store.values import Claim, Hours, Taken
from dispatcher.values.calling_hours import Window
from support.polling import eventually
from support.raw_records import as_written
from workers.engine import retrying
from workers.engine.dialler import MOST_AT_ONCE, Dialler
from workers.engine.lease import Lease
from workers.engine.turn import Turn

NOON_IN_TOKYO = datetime(2026, 7, 1, 3, tzinfo=UTC)
RECORD = {
    "state": "dialing", "priority": "normal", "to": "818011234567", "say": "Hi", "lang": "en",
    "attempts": "1", "spent": "0", "events": "0", "created": "0", "due": "0",
}  # fmt: skip
PLACED = Decision(State.IN_PROGRESS, "placed", "RINGING")


def claim(id_: str) -> Claim:
    return Claim(codec.job(id_, as_written(RECORD)), 1)


class FakeStore:
    """Answers each take with the next of a script, and with nothing once that is through; writes
    down what it is asked.
    """

    def __init__(self, *script: Taken | Exception) -> None:
        self.queue = self.calls = self.replicas = self.holds = self.spending = self
        self.script = list(script)
        self.asked: list[tuple[int, str]] = []
        self.settled: list[list[Answer]] = []
        self.windows: list[tuple[Window | None, str]] = []
        self.days: list[str] = []
        self.held: list[Any] = []
        self.lacking = 0
        self.looks = 0
        self.unwritten: list[Exception] = []

    def take(self, most: int, *, token: str, lease: float, provider: str, replicas: int) -> Taken:
        assert (lease, provider, replicas) == (30, "fake", 1)
        self.asked.append((most, token))
        answer = self.script.pop(0) if self.script else Taken()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def settle_many(self, answers: list[Answer], *, replicas: int) -> list[Settled]:
        if self.unwritten:
            raise self.unwritten.pop(0)
        self.settled.append(list(answers))
        return [Settled(in_time=True, state=each.decision.to) for each in answers]

    def set_calling_window(self, id_: str, window: Window | None, why: str, hours: str) -> State:
        self.windows.append((window, why))
        return State.QUEUED

    def begin_day(self, zone: str) -> None:
        self.days.append(zone)

    def start(self, reason: Reason, why: str) -> None:
        self.held.append(reason)

    def now(self) -> float:
        return NOON_IN_TOKYO.timestamp() * 1000 + 0.9

    def needed(self) -> int:
        return 1

    def look(self) -> int:
        self.looks += 1
        return 1 - self.lacking

    @property
    def ids(self) -> list[str]:
        """The jobs whose answers were written."""
        return [each.id for some in self.settled for each in some]


class Gate:
    """A provider that answers when it is let."""

    def __init__(self) -> None:
        self.asked: SimpleQueue[str] = SimpleQueue()
        self.answers: SimpleQueue[Decision | Exception] = SimpleQueue()

    def __call__(self, given: Claim, _lease: Lease) -> Decision:
        self.asked.put(given.job.id)
        answer = self.answers.get(timeout=30)
        if isinstance(answer, Exception):
            raise answer
        return answer


def placed(_claim: Claim, _lease: Lease) -> Decision:
    return PLACED


@contextmanager
def dialling(
    store: FakeStore,
    dial: Callable[[Claim, Lease], Decision] = placed,
    *,
    threads: int = 4,
    told: list[tuple[str, str, Turn]] | None = None,
    woken: list[Priority] | None = None,
    wake_others: Callable[[Priority], object] | None = None,
    tell: Callable[[str, str], Callable[[Turn], None]] | None = None,
) -> Iterator[Dialler]:
    heard = [] if told is None else told
    tokens = iter(map(str, range(10**6)))
    dialler = Dialler(
        store,  # type: ignore[arg-type]
        dial,
        tell or (lambda name, job: lambda turn: heard.append((name, job, turn))),
        provider="fake",
        threads=threads,
        lease=30,
        answer=0,
        wake_others=wake_others or ([] if woken is None else woken).append,
        token=tokens.__next__,
    )
    dialler.start()
    yield dialler
    dialler.stop()


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes by itself: what is looked for has its reason."""
    monkeypatch.setattr(retrying, "_FIRST", 0.001)
    monkeypatch.setattr("workers.engine.dialler.LOOK_EVERY", 600)


def test_what_is_taken_is_dialled_settled_and_told() -> None:
    store = FakeStore(Taken((claim("a"), claim("b"))))
    told: list[tuple[str, str, Turn]] = []
    with dialling(store, told=told):
        eventually(lambda: len(told) == 2, "both are told")
    assert sorted(store.ids) == ["a", "b"]
    assert sorted(told) == [
        ("dispatcher.dial", id_, Turn(id_, State.IN_PROGRESS, "", "RINGING")) for id_ in "ab"
    ]


def test_it_takes_no_more_than_it_has_threads_free() -> None:
    gate = Gate()
    three = tuple(map(claim, "abc"))
    store = FakeStore(Taken(three, again=0), Taken((claim("d"),)))
    with dialling(store, gate, threads=4) as dialler:
        eventually(lambda: gate.asked.qsize() == 4, "all threads dial")
        assert [most for most, _ in store.asked[:2]] == [4, 1]
        rounds = dialler.rounds
        dialler.wake()
        for _ in range(4):
            gate.answers.put(PLACED)
        eventually(lambda: dialler.rounds > rounds, "it takes again")
    assert all(most > 0 for most, _ in store.asked)


def test_threads_that_come_free_while_it_hands_out_wait_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There may be more where it got as many as it had asked for."""
    store = FakeStore(Taken((claim("a"), claim("b"))), Taken((claim("c"),)))
    hand_out = Dialler._hand_out

    def slowly(dialler: Dialler, *how: Any) -> None:
        hand_out(dialler, *how)
        eventually(lambda: not dialler.busy, "all that was taken is settled")

    monkeypatch.setattr(Dialler, "_hand_out", slowly)
    with dialling(store, threads=2):
        eventually(lambda: "c" in store.ids, "the next is taken")


def test_one_step_claims_no_more_than_redis_does_in_a_moment() -> None:
    store = FakeStore()
    with dialling(store, threads=40) as dialler:
        eventually(lambda: dialler.rounds > 0, "it has looked")
    assert store.asked[0][0] == MOST_AT_ONCE


def test_each_take_has_a_token_of_its_own_and_repeats_it_where_the_answer_was_lost() -> None:
    lost = StoreUnavailable("cut")
    store = FakeStore(Taken(again=0), lost, Taken((claim("a"),)))
    with dialling(store):
        eventually(lambda: store.ids == ["a"], "it is settled")
    assert [token for _, token in store.asked[:3]] == ["0", "1", "1"]


def test_it_takes_again_when_there_may_be_more_and_when_it_is_woken() -> None:
    with dialling(FakeStore(Taken(again=0.01))) as dialler:
        eventually(lambda: dialler.rounds == 2, "by itself")
        dialler.wake()
        eventually(lambda: dialler.rounds == 3, "when it is woken")


def test_others_are_woken_where_there_is_more_than_it_can_dial() -> None:
    woken: list[Priority] = []
    store = FakeStore(Taken((claim("a"),), wake=Priority.URGENT))
    with dialling(store, woken=woken):
        eventually(lambda: bool(woken), "they are")
    assert woken == [Priority.URGENT]


def test_a_broker_that_hangs_when_others_are_woken_keeps_nobody_from_dialling() -> None:
    hangs = threading.Event()
    taken = Taken((claim("a"),), again=0, wake=Priority.URGENT)
    store = FakeStore(taken, replace(taken, claims=(claim("b"),)))
    with dialling(store, threads=1, wake_others=lambda _: hangs.wait(30)):
        eventually(lambda: store.ids == ["a", "b"], "they are dialled")
    hangs.set()


def test_waking_others_that_fails_once_is_done_again() -> None:
    woken: list[Priority] = []

    def wake_others(priority: Priority) -> None:
        woken.append(priority)
        raise RuntimeError("odd")

    taken = Taken(again=0, wake=Priority.URGENT)
    with dialling(FakeStore(taken, taken), wake_others=wake_others):
        eventually(lambda: len(woken) == 2, "both times")


def test_hours_that_cannot_be_read_keep_no_other_job_from_its_window(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad = Hours(claim("bad").job, "whenever")
    store = FakeStore(Taken(hours=(bad, Hours(claim("a").job, "00:00-24:00"))))
    with dialling(store):
        eventually(lambda: len(store.windows) == 1, "the other's is set")
    assert "job bad has no calling window" in caplog.text


def test_telling_of_a_turn_that_fails_costs_no_thread() -> None:
    tells = iter([RuntimeError("odd")])

    def tell(_name: str, _job: str) -> Callable[[Turn], None]:
        for error in tells:
            raise error
        return lambda _turn: None

    store = FakeStore(Taken((claim("a"),), again=0), Taken((claim("b"),)))
    with dialling(store, threads=1, tell=tell):
        eventually(lambda: store.ids == ["b"], "the other is dialled")


def test_within_its_calling_hours_a_job_is_admitted_and_taken_again_at_once() -> None:
    store = FakeStore(Taken(hours=(Hours(claim("a").job, "08:00-21:00"),)), Taken((claim("a"),)))
    with dialling(store):
        eventually(lambda: store.ids == ["a"], "it is dialled")
    ((window, _),) = store.windows
    assert window == Window(NOON_IN_TOKYO, datetime(2026, 7, 1, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("hours", "numbers", "opens", "why"),
    [
        ("14:00-21:00", 1, datetime(2026, 7, 1, 5, tzinfo=UTC), "14:00-21:00, in Asia/Tokyo"),
        ("09:00-17:00", 2, None, "never open at once in Asia/Tokyo and America/New_York"),
    ],
)
def test_outside_its_calling_hours_a_job_gets_its_next_window_if_there_is_one(
    hours: str, numbers: int, opens: datetime | None, why: str
) -> None:
    far = replace(claim("a").job, numbers=("+818011234567", "+12025550123")[:numbers])
    store = FakeStore(Taken(hours=(Hours(far, hours),)))
    with dialling(store):
        eventually(lambda: bool(store.windows), "its window is set")
    ((window, said),) = store.windows
    assert (window.opens if window else None) == opens
    assert why in said


def test_a_window_that_is_open_now_opens_no_later_than_now_as_redis_counts() -> None:
    store = FakeStore(Taken(hours=(Hours(claim("a").job, "00:00-24:00"),)))
    with dialling(store):
        eventually(lambda: bool(store.windows), "its window is set")
    ((window, _),) = store.windows
    assert window
    assert window.opens.timestamp() * 1000 <= int(store.now())


def test_a_new_day_of_spending_is_begun_before_it_goes_on() -> None:
    store = FakeStore(Taken(day="Asia/Tokyo"), Taken((claim("a"),)))
    with dialling(store):
        eventually(lambda: store.ids == ["a"], "it goes on")
    assert store.days == ["Asia/Tokyo"]


def test_one_that_cannot_be_dialled_stops_none_of_the_others() -> None:
    gate = Gate()
    store = FakeStore(Taken((claim("a"),)), Taken((claim("b"),)))
    with dialling(store, gate, threads=1):
        gate.answers.put(RuntimeError("a bug"))
        gate.answers.put(PLACED)
        eventually(lambda: store.ids == ["b"], "the other is settled")


def test_what_redis_raises_that_is_no_absence_is_logged_and_the_taking_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("workers.engine.dialler.LOOK_EVERY", 0.01)
    store = FakeStore(RuntimeError("odd"), Taken((claim("a"),)))
    with dialling(store):
        eventually(lambda: store.ids == ["a"], "it goes on")
    assert "no jobs could be taken" in caplog.text


def test_answers_wait_for_redis_as_long_as_it_is_away() -> None:
    store = FakeStore(Taken((claim("a"),)))
    store.unwritten = [StoreUnavailable("away")] * 3
    with dialling(store):
        eventually(lambda: store.ids == ["a"], "it is written")


def test_answers_wait_for_replicas() -> None:
    store = FakeStore(Taken((claim("a"),)))
    settled = [Settled(in_time=True, state=State.IN_PROGRESS)]
    store.unwritten = [TooFewReplicas(1, 0, settled)] * 2
    with dialling(store):
        eventually(lambda: store.ids == ["a"], "it is written on them")
    assert store.looks == 2


def test_a_master_that_has_no_replica_any_more_is_asked_again_with_the_same_token() -> None:
    taken = Taken((claim("a"),))
    store = FakeStore(TooFewReplicas(1, 0, [taken]), taken)
    store.lacking = 1
    with dialling(store):
        eventually(lambda: store.ids == ["a"], "it is dialled")
    assert [token for _, token in store.asked[:2]] == ["0", "0"]
    assert store.held == []


def test_claims_that_too_few_replicas_have_are_given_back_and_all_calls_held() -> None:
    gate = Gate()
    taken = Taken((claim("a"), claim("b")))
    store = FakeStore(TooFewReplicas(1, 0, [taken]))
    with dialling(store, gate):
        eventually(lambda: len(store.ids) == 2, "they are given back")
    ((first, second),) = store.settled
    assert (store.held, first.token, second.token) == ([Reason.REPLICAS], "0", "0")
    assert first.decision.to is State.HELD
    assert not first.decision.spent
    with pytest.raises(Empty):
        gate.asked.get_nowait()


def test_it_ends_when_what_is_under_way_is_written_and_takes_nothing_more() -> None:
    gate, store = Gate(), FakeStore(Taken((claim("a"),)))
    with dialling(store, gate, threads=2) as dialler:
        assert gate.asked.get(timeout=30) == "a"
        assert dialler.busy
        ending = threading.Thread(target=dialler.stop)
        ending.start()
        eventually(lambda: dialler._stopped, "it was told")
        asked = len(store.asked)
        assert ending.is_alive()
        gate.answers.put(PLACED)
        ending.join(30)
        assert (store.ids, dialler.busy) == (["a"], False)
        assert len(store.asked) <= asked + 1


def test_one_that_never_began_ends_at_once() -> None:
    nobody: Any = SimpleNamespace()
    Dialler(
        nobody, placed, lambda *_: lambda _: None, provider="fake", threads=2, lease=30, answer=0,
        wake_others=lambda _: None,
    ).stop()  # fmt: skip
