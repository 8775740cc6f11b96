"""A worker's dialling in a test's own process: the real one, on a real store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue

from dispatcher.model.decision import Decision
from dispatcher.model.states import State
from dispatcher.store import Store
from dispatcher.store.values import Claim
from dispatcher.tracing import UNTRACED, Spans
from dispatcher.values.steady_clock import since_boot
from support.claims import claim_one, fresh_token
from workers.engine.dialler import Dialler
from workers.engine.lease import Lease
from workers.engine.turn import Turn

LEASE, ANSWER = 30.0, 10.0  # seconds


@contextmanager
def dialling(
    store: Store,
    dial: Callable[[Claim, Lease], Decision],
    *,
    threads: int = 1,
    spans: Spans = UNTRACED,
) -> Iterator[SimpleQueue[Turn]]:
    """Dial what is in line, as a worker does; the queue brings how each job's turn ended."""
    turns: SimpleQueue[Turn] = SimpleQueue()
    dialler = Dialler(
        store,
        dial,
        lambda _name, _job: turns.put,
        provider="xoxzo",
        threads=threads,
        lease=LEASE,
        answer=ANSWER,
        wake_others=lambda _priority: None,
        spans=spans,
    )
    dialler.start()
    try:
        yield turns
    finally:
        dialler.stop()


def dial_one(store: Store, dial: Callable[[Claim, Lease], Decision], id_: str) -> State | None:
    """Dial one job whether or not it is its turn, if nothing forbids; return what it is then."""
    claimed = claim_one(store, id_, token=fresh_token(), lease=LEASE)
    if isinstance(claimed, Claim):
        decision = dial(claimed, Lease(LEASE, ANSWER, since_boot()))
        return store.calls.settle(id_, claimed.attempt, decision)
    assert claimed is None or isinstance(claimed, State), claimed
    return claimed
