"""Jobs that the tests of the command line look at, brought to where they are wanted."""

from __future__ import annotations

import re

from dispatcher.model.call import CallRef
from dispatcher.model.request import JobRequest
from dispatcher.model.states import Reason, State
from dispatcher.policy import Decision
from dispatcher.store import Store
from support.claims import claim_one
from support.reports import ended

NUMBER, MASKED = "+818011234567", "+8180****4567"


OTHER = "+818011234568"


TEXT = "Disk full on db1"


FIELDS = {
    *("id", "kind", "state", "reason", "hold_reason", "outcome", "priority", "caller", "tags"),
    *("key", "created_at", "due_at", "expires_at", "finished_at", "attempts", "callid"),
    *("conferenceid", "cost", "duration", "next_action", "timeline"),
}


TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


REACHED = Decision(State.COMPLETED, "answered", "ANSWERED", report=ended("ANSWERED"))


IN_VAIN = Decision(State.FAILED, "no_answer", "NO ANSWER", Reason.NO_ANSWER)


REFUSED = Decision(State.FAILED, "not_allowed", "country", Reason.NOT_ALLOWED)


OUT_OF_CREDIT = Decision(
    State.HELD, "held_credit", "Not enough credits", "credit", spent=False, hold="credit"
)


def add(store: Store, recipient: str = NUMBER, *, tags: tuple[str, ...] = ()) -> str:
    request = JobRequest.of({"recipient": recipient, "say": TEXT, "tags": tags})
    return store.jobs.enqueue(request).id


def dial(store: Store, id_: str, callid: str = "call-1") -> None:
    """Do what a worker does up to the placed call."""
    placed = Decision(State.IN_PROGRESS, "placed", "", delay=60, call=CallRef((callid,)))
    settle(store, id_, placed)


def settle(store: Store, id_: str, decision: Decision) -> None:
    """Claim a job and write what became of the attempt."""
    claim = claim_one(store, id_, token=id_, lease=60)
    assert not isinstance(claim, State | None)
    assert store.calls.settle(id_, claim.attempt, decision) is decision.to


def reach(store: Store, id_: str, callid: str = "call-1") -> None:
    dial(store, id_, callid)
    assert store.calls.settle(id_, 1, REACHED) is State.COMPLETED
