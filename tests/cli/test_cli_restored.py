"""`restored`: all calls are held after a restore, and a person is told what there is to decide."""

from __future__ import annotations

from dispatcher.model.states import Reason, State
from dispatcher.store import Store
from support.claims import claim_one, take
from support.cli_shell import Shell
from support.store_jobs import enqueue, in_progress


def test_it_holds_all_calls_and_says_who_may_have_been_called(shell: Shell, store: Store) -> None:
    enqueue(store)
    enqueue(store, at="1h")
    in_progress(store)
    ran = shell("restored")
    assert (ran.code, ran.err) == (0, "")
    assert "All calls are held. The records end at " in ran.out
    assert "1 job: would be dialled at once, and may have been called since\n" in ran.out
    assert "1 job: scheduled for later\n" in ran.out
    assert "1 job: a call was under way; the provider is asked about it\n" in ran.out
    assert [hold.name for hold in store.holds.all()] == [Reason.RESTORED]


def test_resume_does_not_end_it_and_go_does(shell: Shell, store: Store) -> None:
    assert shell("restored", "--json").json["changed"]
    assert not shell("restored", "--json").json["changed"]
    assert shell("resume").out == "all calls: was not paused\n"
    assert store.holds.all()
    assert shell("restored", "--go", "--note", "checked").out == "calls go on\n"
    assert store.holds.all() == []
    assert shell("restored", "--go").out == "calls were not held for a restore\n"
    assert [entry.action for entry in store.audit.latest(10)[0]] == ["resume", "pause"]


def test_for_programs_it_says_the_same(shell: Shell, store: Store) -> None:
    enqueue(store)
    said = shell("restored", "--json").json
    assert said.pop("now") >= said.pop("latest")
    counts = {"ready": 1, "later": 0, "held": 0, "calling": 0}
    assert said == {"calls": "held", "changed": True, **counts}


def test_when_workers_run_it_counts_what_waits_as_before_and_what_it_names_is_cancelled(
    shell: Shell, store: Store
) -> None:
    id_ = enqueue(store, tags=["spring"])
    shell("restored")
    take(store)
    claimed = claim_one(store, id_, token="t", lease=30)
    assert (claimed, store.jobs.get(id_).hold_reason) == (State.HELD, Reason.RESTORED)
    ran = shell("restored")
    assert "1 job: would be dialled at once" in ran.out
    assert "0 jobs: held\n" in ran.out
    assert "The records end" not in ran.out
    states = ("--state", "queued", "--state", "held", "--state", "scheduled")
    assert shell("cancel", *states, "--tag", "spring", "--yes").code == 0
    assert store.jobs.get(id_).state is State.CANCELLED


def test_doctor_and_why_name_it(shell: Shell, store: Store) -> None:
    id_ = enqueue(store)
    shell("restored")
    assert "restored from a backup" in shell("why", id_).out
    assert "restored" in shell("doctor").out
