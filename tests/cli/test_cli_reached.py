"""`reached`, and what `why` and `stats` say of calls that nobody knows the fate of."""

from __future__ import annotations

from dispatcher.model.call import CallRef
from dispatcher.model.request import JobRequest
from dispatcher.model.states import State
from dispatcher.policy import Decision, after_placing, after_window
from dispatcher.policy import Policy as Defaults
from dispatcher.store import Store
from dispatcher.store.values import Claim
from support.claims import claim_one
from support.cli_shell import Shell

LOST = Decision(State.UNCERTAIN, "maybe_placed", "the answer was lost", delay=0)


def unknown(store: Store, wish: str) -> str:
    """Return a job whose evidence window is over."""
    id_ = store.jobs.enqueue(
        JobRequest.of({"recipient": "+818011234567", "say": "Hi", "on_uncertain": wish})
    ).id
    made = claim_one(store, id_, token="t", lease=30)
    assert isinstance(made, Claim)
    store.calls.settle(id_, 1, LOST)
    store.calls.settle(id_, 1, after_window(store.jobs.get(id_), Defaults()))
    return id_


def test_reached_ends_a_job_of_unknown_outcome_and_says_who_and_why(
    shell: Shell, store: Store
) -> None:
    id_ = unknown(store, "hold")
    ran = shell("reached", id_, "--note", "she rang back", "--json")
    assert ran.code == 0
    (job,) = ran.json["done"]
    assert (job["state"], job["reason"]) == ("completed", "marked_reached")
    last = store.jobs.get(id_).timeline[-1]
    assert (last.actor, last.why) == ("cli:sam", "she rang back")
    assert "cli:sam marked it as reached: she rang back" in shell("why", id_).out


def test_reached_refuses_what_is_known_with_what_it_is(shell: Shell, store: Store) -> None:
    id_ = store.jobs.enqueue(JobRequest.of({"recipient": "+818011234567", "say": "Hi"})).id
    ran = shell("reached", id_)
    assert ran.code == 1
    assert ran.complaint == (
        f"job {id_} cannot be marked as reached: it is queued, and only one whose outcome"
        " is unknown can"
    )


def test_why_names_both_choices_where_the_outcome_is_unknown(shell: Shell, store: Store) -> None:
    id_ = unknown(store, "hold")
    says = " ".join(shell("why", id_).out.split())
    assert f"`voice-dispatcher reached {id_}`" in says
    assert f"`voice-dispatcher retry {id_}`" in says


def test_stats_count_the_second_calls_that_came_to_light(shell: Shell, store: Store) -> None:
    assert shell("stats", "--json").json["second_calls"] == 0
    id_ = unknown(store, "redial")
    claim_one(store, id_, token="u", lease=30)
    store.calls.settle(id_, 1, after_placing(CallRef(("call-1",)), Defaults()))
    assert shell("stats", "--json").json["second_calls"] == 1
    assert "People called twice, found out too late: 1" in shell("stats").out
