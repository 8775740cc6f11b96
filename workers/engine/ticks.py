"""What beat wakes: each is safe to run by any number of processes at once, and says what it did."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from dispatcher.client.messages import Messenger, wake
from dispatcher.model.attempt import Attempt
from dispatcher.model.bulk_action import UnknownAction
from dispatcher.model.callbacks_seen import ENOUGH, Silence
from dispatcher.model.job import Job
from dispatcher.model.states import Reason, State
from dispatcher.policy import Policy, after_window, rests_on_silence
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.values import Pace

log = logging.getLogger(__name__)

LATELY = 3600.0
"""Seconds before an attempt within which a callback shows that the way for them is open."""
BATCH = 100
"""Jobs moved in one atomic step: a few milliseconds of Redis' time, for which takes wait."""
CHECKS = 500
"""Status checks for which wake-ups go out at once where there is no limit."""


@dataclass(frozen=True)
class Pump:
    """Moves on what time moves on; wakes workers, and those who apply reports and run bulk actions
    where that was lost.
    """

    store: Store
    messenger: Messenger

    def __call__(self) -> dict[str, int]:
        """Run once, until nothing is due; return how many jobs moved, by kind."""
        total = {"due": 0, "expired": 0, "aside": 0, "released": 0}
        if self.store.callbacks.due():
            self.messenger.apply_reports()
            total["wake-ups"] = 1
        if adrift := self.store.bulk.take():
            total["actions"] = self.messenger.retrigger(adrift)
        while True:
            moved = self.store.queue.pump(BATCH)
            for kind in ("due", "expired", "aside", "released"):
                total[kind] += getattr(moved, kind)
            wake(self.store, self.messenger)
            if moved.most < BATCH:
                return {kind: number for kind, number in total.items() if number}


@dataclass(frozen=True)
class Retrigger:
    """Drives a bulk action, a few seconds at a time: then it sends itself on, so that it
    holds no thread for long. `nudge` has what was reopened dialled.
    """

    store: Store
    messenger: Messenger
    nudge: Callable[[], object]
    within: float = 2.0

    def __call__(self, action: str) -> dict[str, str | int]:
        """Run once; return its progress. There is nothing to do for one that is over, or gone."""
        try:
            over = self.store.bulk.drive(action, within=self.within, tell=lambda _: self.nudge())
            found = self.store.bulk.get(action)
        except UnknownAction:
            return {"action": action, "state": "gone"}
        if not over:
            self.messenger.retrigger([action])
        skipped = sum(each.count for each in found.skipped)
        told = {"done": found.done, "skipped": skipped, "remaining": found.remaining}
        return {"action": action, "what": found.kind, "state": found.state, **told}


@dataclass(frozen=True)
class Rescue:
    """Recovers what dead workers left, and ends the waiting for evidence."""

    store: Store
    policy: Policy
    hear: Callable[[], object] = lambda: None
    watch_clock: Callable[[], object] = lambda: None

    def __call__(self) -> dict[str, int]:
        """Run once; return how many jobs were rescued and decided."""
        self.watch_clock()  # no window is over because the clock jumped
        self.hear()  # no window is over for which there is evidence that waits to be applied
        rescued = self.store.calls.rescue(self.policy.evidence_window)
        decided = sum(self._decided(id_) for id_ in self.store.calls.take_due(State.UNCERTAIN))
        done = {"rescued": rescued, "decided": decided}
        return {kind: number for kind, number in done.items() if number}

    def _decided(self, id_: str) -> bool:
        try:
            return self._decide(id_)
        except StoreUnavailable:
            raise
        except Exception:  # a damaged record stops no other
            log.exception("job %s could not be decided; it is tried again", id_)
            return False

    def _decide(self, id_: str) -> bool:
        job = self.store.jobs.get(id_)
        attempt = job.attempt
        if job.state is not State.UNCERTAIN or attempt is None:
            return False
        policy = self.policy
        if rests_on_silence(job, policy):
            no_call = self._no_call(job, attempt)
            if no_call is None:
                return False  # it comes again when what took it is over its lease
            policy = replace(policy, reported=no_call)
        self.store.calls.settle(id_, attempt.number, after_window(job, policy), actor="rescue")
        return True

    def _no_call(self, job: Job, attempt: Attempt) -> bool | None:
        """Whether there was no call, as silence says; None: that is to be seen.

        While no callback at all came since the request, a few jobs are dialled again: their calls
        are to bring one. The others wait for it, for as long again as the evidence window.
        """
        if attempt.sent_at is None:
            return False
        sent = attempt.sent_at.timestamp()
        silence = self.store.callbacks.seen().silence(sent * 1000, (sent - LATELY) * 1000)
        if silence is not Silence.UNPROVEN:
            return silence is Silence.NO_CALL
        if self.store.callbacks.may_redial(ENOUGH):
            return True
        waits = self.store.now() < (sent + 2 * self.policy.window_for(job)) * 1000
        return None if waits else False


_UNANSWERED = frozenset({Reason.AUTH, Reason.PROVIDER_DOWN})


@dataclass(frozen=True)
class Reconcile:
    """Has calls checked whose time has come, and costs looked for that an end did not tell."""

    store: Store
    messenger: Messenger
    share: float

    def __call__(self) -> dict[str, int]:
        """Run once; return how many checks were sent out. None are while nobody would answer."""
        if any(hold.name in _UNANSWERED and not hold.half_open for hold in self.store.holds.all()):
            return {}
        room = self._room(self.store.limiter.pace())
        due = self.store.calls.take_due(State.IN_PROGRESS, most=room)
        if len(due) < room:
            due += self.store.calls.take_due("cost", most=room - len(due))
        sent = self.messenger.check(due)
        return {"checks": sent} if sent else {}

    def _room(self, pace: Pace) -> int:
        """How many checks the limiter serves until the next run, a second later."""
        if pace.working_rate is None:
            return CHECKS
        dials_wait = any(pace.ready.values())
        return max(1, math.ceil(pace.working_rate * (self.share if dials_wait else 1)))


@dataclass(frozen=True)
class WatchReplicas:
    """Notes which replicas Redis has, and ends the hold `replicas` where enough take in writes."""

    store: Store

    def __call__(self) -> dict[str, int]:
        """Run once; return whether the hold was ended."""
        return {"ended": 1} if self.store.replicas.watch() else {}


@dataclass(frozen=True)
class KeepHistory:
    """Adds up the hours that are over, and notes how many jobs stand in line."""

    store: Store

    def __call__(self) -> dict[str, int]:
        """Run once; return how many hours were added up."""
        self.store.line_lengths.note(sum(self.store.limiter.pace().ready.values()))
        hours = self.store.history.keep()
        return {"hours": hours} if hours else {}


@dataclass(frozen=True)
class Purge:
    """Forgets jobs that ended longer ago than the retention, in seconds, and webhooks and alerts
    as old; what people did, and the summaries of campaigns without jobs, after retentions of their
    own; and entries of the do-not-call list that have ended.
    """

    store: Store
    retention: float
    audit_retention: float
    campaign_retention: float

    def __call__(self) -> dict[str, int]:
        """Run once; return how many were removed."""
        gone = self.store.retention.forget_older(self._ago(self.retention))
        done = {
            "purged": gone.jobs,
            "webhooks": gone.webhooks,
            "alerts": gone.alerts,
            "audit": self.store.audit.trim(self._ago(self.audit_retention)),
            "do_not_call": self.store.do_not_call.end_due(),
            "campaigns": self.store.campaigns.forget_older(self._ago(self.campaign_retention)),
        }
        return {kind: number for kind, number in done.items() if number}

    def _ago(self, seconds: float) -> float:
        return self.store.now() - seconds * 1000
