"""Jobs taken and settled as a worker does it, many in one step; nobody is asked for a call."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.call import CallRef
from dispatcher.model.decision import Decision
from dispatcher.store import Store
from dispatcher.store.calls import Answer
from dispatcher.store.values import Claim

MOST = 25  # jobs in one step
LEASE = 60.0
"""Seconds, as of a worker: what Redis keeps of a claim for so long weighs on no finished job."""
NO_LIMIT = AccountConfig(rate=None, connections=1_000_000, gap=0, per_day=None, one_at_a_time=False)


def taken(store: Store, jobs: int) -> Iterator[list[Claim]]:
    """Yield the claims of so many jobs that wait in line, as they are taken."""
    left = jobs
    while left:
        claims = take(store, min(MOST, left))
        assert claims, f"{left} of {jobs} jobs cannot be taken"
        left -= len(claims)
        yield claims


def take(store: Store, most: int, *, replicas: int = 0) -> list[Claim]:
    """Take up to so many jobs in one step."""
    found = store.queue.take(
        most, token=uuid.uuid4().hex, lease=LEASE, provider="xoxzo", replicas=replicas
    )
    return list(found.claims)


def settle(store: Store, claims: Sequence[Claim], decision: Decision) -> None:
    """Write one decision for all of them in one step; each call gets an id of its own."""
    store.calls.settle_many(
        [Answer(claim.job.id, claim.attempt, own_call(decision)) for claim in claims]
    )


def own_call(decision: Decision) -> Decision:
    """Return the decision with the id of a call that nobody else has, if it has one."""
    return replace(decision, call=CallRef((str(uuid.uuid4()),))) if decision.call else decision
