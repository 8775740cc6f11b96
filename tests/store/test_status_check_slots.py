"""Status checks keep to what the limiter has for them, and hold up nobody."""

from __future__ import annotations

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.states import State
from dispatcher.policy import Policy
from dispatcher.provider.xoxzo.client import VoiceClient
from dispatcher.provider.xoxzo.session import Credentials
from dispatcher.store import Store
from dispatcher.store.slots import NoSlot, Slots
from dispatcher.values.rate import Rate
from support.clock import Clock
from support.store_jobs import enqueue, in_progress
from workers.engine.check_call import PATIENCE, CheckCall
from workers.engine.ticks import Reconcile


class Sent:
    """Counts the checks that are sent out."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def check(self, ids: list[str]) -> int:
        self.ids += ids
        return len(ids)


def no_sleep(seconds: float) -> None:
    raise AssertionError(f"slept {seconds} s")


def outstanding(store: Store, clock: Clock, count: int) -> list[str]:
    ids = [in_progress(store, f"call-{n}") for n in range(count)]
    clock.forward(3600)
    return ids


def test_a_check_whose_slot_is_far_away_is_put_off_and_frees_its_thread(
    store: Store, clock: Clock
) -> None:
    id_ = in_progress(store, "call-1")
    store.limiter.publish(AccountConfig(rate=Rate(0.1), one_at_a_time=False))
    assert store.limiter.take_slot("somebody else")[0]
    nobody = VoiceClient(Credentials("sid", "token"), host="http://127.0.0.1:9")
    check = CheckCall(store, nobody, Policy(), Slots(store.limiter, no_sleep))
    turn = check(id_)
    assert turn.state is State.IN_PROGRESS
    due = store.jobs.get(id_).next_at
    assert due is not None
    assert due.timestamp() - store.now() / 1000 >= PATIENCE


def test_the_limiter_says_how_far_away_a_slot_is(store: Store) -> None:
    store.limiter.publish(AccountConfig(rate=Rate(0.1)))
    assert store.limiter.take_slot("somebody else")[0]
    with pytest.raises(NoSlot) as caught, Slots(store.limiter, no_sleep).slot(patience=1):
        pass
    assert caught.value.wait == pytest.approx(9.7, abs=0.3)  # half a second ahead it is given


@pytest.mark.parametrize(("waiting", "expected"), [(False, 20), (True, 2)])
def test_only_as_many_checks_are_sent_as_the_limiter_serves_in_a_second(
    store: Store, clock: Clock, waiting: bool, expected: int
) -> None:
    outstanding(store, clock, 30)
    store.limiter.publish(AccountConfig(rate=Rate(20), one_at_a_time=False))
    if waiting:
        enqueue(store)
    sent = Sent()
    Reconcile(store, sent, 0.1)()  # type: ignore[arg-type]
    assert len(sent.ids) == expected


def test_without_a_limit_every_due_check_is_sent(store: Store, clock: Clock) -> None:
    ids = outstanding(store, clock, 30)
    sent = Sent()
    Reconcile(store, sent, 0.1)()  # type: ignore[arg-type]
    assert sorted(sent.ids) == sorted(ids)
