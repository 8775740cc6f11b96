"""The inbox: a report is there from when it came until it was applied, whoever dies."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.model.outcome import Outcome
from dispatcher.store import Store
from dispatcher.store.callbacks import LEASE, Callback, Callbacks
from support.clock import Clock

REPORT = Callback("a" * 16, 1, "call-1", "ANSWERED", Outcome.ANSWERED, Decimal("20.5"), 12.0)
OTHER = Callback("b" * 16, 2, "call-2", "NO ANSWER", Outcome.NO_ANSWER)


@pytest.fixture
def inbox(store: Store) -> Callbacks:
    return store.callbacks


def test_what_comes_in_is_taken_in_its_order(inbox: Callbacks, clock: Clock) -> None:
    assert inbox.receive([OTHER], {}) == 1
    clock.forward(1)
    assert inbox.receive([REPORT], {}) == 1
    assert inbox.take() == [OTHER, REPORT]


def test_the_same_report_waits_once(inbox: Callbacks) -> None:
    assert inbox.receive([REPORT, REPORT], {}) == 1
    assert inbox.receive([REPORT], {}) == 0
    assert inbox.take() == [REPORT]


def test_what_is_taken_is_nobody_elses_until_its_taker_is_given_up(
    inbox: Callbacks, clock: Clock
) -> None:
    inbox.receive([REPORT], {})
    assert inbox.due()
    assert inbox.take() == [REPORT]
    assert not inbox.due()
    inbox.receive([REPORT], {})  # the provider tries again meanwhile
    assert inbox.take() == []
    clock.forward(LEASE)
    assert inbox.due()
    assert inbox.take() == [REPORT]


def test_what_is_done_is_gone(inbox: Callbacks, clock: Clock) -> None:
    inbox.receive([REPORT, OTHER], {})
    inbox.take()
    inbox.done([REPORT], {})
    clock.forward(LEASE)
    assert inbox.take() == [OTHER]


def test_two_takers_share(inbox: Callbacks) -> None:
    inbox.receive([REPORT, OTHER], {})
    assert {*inbox.take(1), *inbox.take(1)} == {REPORT, OTHER}


def test_counts_add_up(store: Store, inbox: Callbacks) -> None:
    inbox.receive([], {"callbacks.forged": 2})
    inbox.receive([REPORT], {"callbacks.forged": 1, "callbacks.received": 1})
    inbox.done([REPORT], {"callbacks.applied": 1})
    counts = store.statistics.counters()
    assert counts["callbacks.forged"] == 3
    assert (counts["callbacks.received"], counts["callbacks.applied"]) == (1, 1)


@given(
    st.builds(
        Callback,
        st.text(st.characters()),
        st.integers(1, 99),
        st.text(st.characters()),
        st.text(st.characters()),
        st.none() | st.sampled_from(Outcome),
        st.none() | st.decimals(allow_nan=False, allow_infinity=False),
        st.none() | st.floats(0, 1e12),
    )
)
def test_a_report_is_read_as_it_was_written(report: Callback) -> None:
    assert Callback.read(report.written()) == report
    assert report.written().isascii()
