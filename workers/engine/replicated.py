"""Claims and answers that a failover cannot forget: replicas have them before anything follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dispatcher.model.decision import Decision
from dispatcher.model.states import Reason, State
from dispatcher.policy import too_few_replicas
from dispatcher.store import Store
from dispatcher.store.errors import TooFewReplicas
from dispatcher.store.values import Claim, Day, Hours, Wait
from workers.engine.lease import Lease
from workers.engine.retrying import retry_until_replicated


@dataclass(frozen=True, slots=True)
class Replicated:
    """The store, as a worker that dials uses it."""

    store: Store
    sleep: Callable[[float], None]

    def claim(
        self, job_id: str, lease: Lease, *, token: str, **how: Any
    ) -> Claim | Wait | Hours | Day | State | None:
        """Claim as the store does. Where too few replicas have the claim, nobody may be asked: all
        calls are held, and the job is among them. Raises StoreUnavailable; it may be repeated.
        """
        wanted = self.store.replicas.needed()
        try:
            return self.store.queue.claim(
                job_id, token=token, lease=lease.seconds, replicas=wanted, **how
            )
        except TooFewReplicas as error:
            if self.store.replicas.look() < wanted:  # another master, which has none yet
                return self.claim(job_id, lease, token=token, **how)
            return self._hold(error, lease, token)

    def settle(
        self,
        job_id: str,
        attempt: int,
        decision: Decision,
        lease: Lease,
        token: str | None = None,
    ) -> State | None:
        """Settle as the store does, until the replicas have it or the lease is over: what may have
        called somebody, and what gives a claim back. All else may be asked again.
        """
        lasting = decision.spent or token is not None

        def step() -> State | None:
            replicas = self.store.replicas.needed() if lasting else 0
            try:
                return self.store.calls.settle(
                    job_id, attempt, decision, token=token, replicas=replicas
                )
            except TooFewReplicas:
                self.store.replicas.look()  # the next try is at the master of then
                raise

        return retry_until_replicated(step, lambda: lease.over, sleep=self.sleep)

    def _hold(self, error: TooFewReplicas, lease: Lease, token: str) -> State | None:
        """Hold all calls, and give the claim back. A master that knows nothing of this claim may
        have given its number to another worker: only the token tells.
        """
        (claim,) = error.answers
        self.store.holds.start(Reason.REPLICAS, str(error))
        return self.settle(claim.job.id, claim.attempt, too_few_replicas(str(error)), lease, token)
