"""Claims and answers that a failover cannot forget: replicas have them before anything follows."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dispatcher.model.states import Reason
from dispatcher.policy import too_few_replicas
from dispatcher.store import Store
from dispatcher.store.calls import Answer, Settled
from dispatcher.store.errors import TooFewReplicas
from dispatcher.store.values import Taken
from workers.engine.lease import Lease
from workers.engine.retrying import retry_until_replicated


@dataclass(frozen=True, slots=True)
class Replicated:
    """The store, as a worker that dials uses it."""

    store: Store
    sleep: Callable[[float], None] = time.sleep

    def take(self, most: int, lease: Lease, *, token: str, **how: Any) -> Taken:
        """Take as the store does. Where too few replicas have the claims, nobody may be asked: all
        calls are held, and the jobs are among them. Raises StoreUnavailable; it may be repeated.
        """
        wanted = self.store.replicas.needed()
        try:
            return self.store.queue.take(
                most, token=token, lease=lease.seconds, replicas=wanted, **how
            )
        except TooFewReplicas as error:
            if self.store.replicas.look() < wanted:  # another master, which has none yet
                return self.take(most, lease, token=token, **how)
            self._hold(error, lease, token)
            return Taken(again=0)

    def settle(self, answers: Sequence[Answer], lease: Lease) -> list[Settled]:
        """Settle as the store does, until the replicas have it or the lease is over: what may have
        called somebody, and what gives a claim back. All else may be asked again.
        """
        lasting = any(each.decision.spent or each.token for each in answers)

        def step() -> list[Settled]:
            replicas = self.store.replicas.needed() if lasting else 0
            try:
                return self.store.calls.settle_many(answers, replicas=replicas)
            except TooFewReplicas as error:
                self.store.replicas.look()  # the next try is at the master of then
                error.answers = [error.answers]
                raise

        return retry_until_replicated(step, lambda: lease.over, sleep=self.sleep)

    def _hold(self, error: TooFewReplicas, lease: Lease, token: str) -> None:
        """Hold all calls, and give the claims back. A master that knows nothing of these may have
        given their numbers to another worker: only the token tells.
        """
        (taken,) = error.answers
        self.store.holds.start(Reason.REPLICAS, str(error))
        why = too_few_replicas(str(error))
        self.settle(
            [Answer(each.job.id, each.attempt, why, token=token) for each in taken.claims], lease
        )
