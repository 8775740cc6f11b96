"""Many reports at once, and those that nobody was woken for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dispatcher.model.states import Priority, State
from dispatcher.provider import NotAllowed, Throttled
from dispatcher.store import Store
from dispatcher.store.calls import Answer
from support.clock import Clock
from support.reports_heard import WINDOW, dialing, in_progress, report, said, uncertain
from support.store_jobs import POLICY, refused
from workers.engine.apply_callbacks import ApplyReports
from workers.engine.ticks import Pump, Rescue


def test_one_that_cannot_be_applied_stays_and_holds_up_no_other(
    store: Store, apply: ApplyReports, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, good = in_progress(store), uncertain(store)
    settle = store.calls.settle_many

    def stumble(answers: list[Answer], **kwargs: Any) -> Any:
        if bad in [each.id for each in answers]:
            raise Throttled("something unforeseen")
        return settle(answers, **kwargs)

    monkeypatch.setattr(store.calls, "settle_many", stumble)
    apply.inbox.receive([said(bad, "ANSWERED", "call-1")], {})
    apply.inbox.receive([said(good, "ANSWERED", "call-9")], {})
    assert [turn.job_id for turn in apply()] == [good]
    monkeypatch.undo()
    clock.forward(60)
    assert [turn.job_id for turn in apply()] == [bad]


def test_refused_after_all_is_what_the_report_says(store: Store, apply: ApplyReports) -> None:
    """The provider contradicts itself: what it says of the call goes before its refusal."""
    id_ = dialing(store)
    report(apply, id_)
    store.calls.settle(id_, 1, refused(NotAllowed("no"), store.jobs.get(id_)))
    assert store.jobs.get(id_).state is State.COMPLETED


class Woken:
    """A messenger that counts, and sends nothing."""

    def __init__(self) -> None:
        self.times = 0

    def apply_reports(self) -> None:
        self.times += 1

    def wake(self, priority: Priority) -> None:
        raise AssertionError(f"a worker was woken for nothing ({priority})")


def test_the_pump_wakes_for_reports_that_nobody_was_woken_for(
    store: Store, apply: ApplyReports
) -> None:
    woken = Woken()
    pump = Pump(store, woken)  # type: ignore[arg-type]
    assert (pump(), woken.times) == ({}, 0)
    apply.inbox.receive([said(in_progress(store), "ANSWERED", "call-1")], {})
    assert (pump(), woken.times) == ({"wake-ups": 1}, 1)
    apply()
    assert (pump(), woken.times) == ({}, 1)


def test_no_window_is_over_while_evidence_waits_to_be_applied(
    store: Store, apply: ApplyReports, clock: Clock
) -> None:
    id_ = uncertain(store, on_uncertain="hold")
    apply.inbox.receive([said(id_, "ANSWERED", "call-1")], {})
    clock.forward(WINDOW)
    Rescue(store, POLICY, apply)()
    assert store.jobs.get(id_).state is State.COMPLETED


@pytest.mark.parametrize(
    ("minutes", "state"), [(None, State.FAILED), (-61, State.FAILED), (-59, State.QUEUED)]
)
def test_silence_is_evidence_only_where_callbacks_are_seen_to_arrive(
    store: Store, apply: ApplyReports, clock: Clock, minutes: float | None, state: State
) -> None:
    """A public URL that is wrong brings none, whoever was called."""
    if minutes is not None:
        apply.inbox.receive([said(in_progress(store), "ANSWERED", "call-1")], {})
        apply()
        clock.forward(-60 * minutes)
    id_ = uncertain(store)
    clock.forward(WINDOW)
    Rescue(store, replace(POLICY, reported=True), apply)()
    assert store.jobs.get(id_).state is state


def test_a_callback_that_came_since_shows_that_they_arrive(
    store: Store, apply: ApplyReports, clock: Clock
) -> None:
    id_, other = uncertain(store), in_progress(store)
    clock.forward(1)
    apply.inbox.receive([said(other, "ANSWERED", "call-1")], {})
    apply()
    clock.forward(WINDOW)
    Rescue(store, replace(POLICY, reported=True), apply)()
    assert store.jobs.get(id_).state is State.QUEUED


def test_what_a_killed_process_had_taken_comes_again_within_a_short_evidence_window(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its job would be redialled while the evidence lies in the inbox."""

    def die(*_: object) -> None:
        raise SystemExit

    apply = ApplyReports(store, store.callbacks, replace(POLICY, evidence_window=8))
    id_ = uncertain(store)
    apply.inbox.receive([said(id_)], {})
    with monkeypatch.context() as killed:
        killed.setattr(ApplyReports, "_apply_all", die)
        with pytest.raises(SystemExit):
            apply()
    assert apply() == []
    clock.forward(4)
    (turn,) = apply()
    assert turn.state is State.COMPLETED
