"""Every problem by name: how each sentence about it begins, what to do, and when it wakes people.

The names are values of a metric's label, and the rules for Prometheus are made of this table: to
rename one is to break alerts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from dispatcher.model.states import Reason


class Name(StrEnum):
    """What a problem is called wherever programs read it."""

    REDIS = "redis"
    MISSING_RIGHT = "missing_right"
    NO_WORKER = "no_worker"
    WORKERS_STUCK = "workers_stuck"
    NO_BEAT = "no_beat"
    HELD_CREDIT = f"held_{Reason.CREDIT}"
    HELD_AUTH = f"held_{Reason.AUTH}"
    HELD_PROVIDER_DOWN = f"held_{Reason.PROVIDER_DOWN}"
    HELD_LIMIT = f"held_{Reason.LIMIT}"
    HELD_REPLICAS = f"held_{Reason.REPLICAS}"
    HELD_RESTORED = f"held_{Reason.RESTORED}"
    HELD_UNUSUAL = f"held_{Reason.UNUSUAL}"
    HELD_PAUSED = f"held_{Reason.PAUSED}"
    HELD_SOME = "held_some"
    URGENT_PAUSED = "urgent_paused"
    NO_CREDIT = "no_credit"
    PROVIDER_UNSEEN = "provider_unseen"
    NOBODY_DIALS = "nobody_dials"
    URGENT_LATE = "urgent_late"
    SCHEDULED_LATE = "scheduled_late"
    CALLBACKS_MISSING = "callbacks_missing"
    ALERT_UNREACHED = "alert_unreached"
    CHAINS = "chains"
    WORKER_STUCK = "worker_stuck"
    PROCESS_SILENT = "process_silent"
    THROTTLED = "throttled"
    LINES_GROW = "lines_grow"
    CREDIT_SHORT = "credit_short"
    BALANCE_UNSEEN = "balance_unseen"
    CALLS_FAIL = "calls_fail"
    CAMPAIGN_FAILS = "campaign_fails"
    OUTCOME_UNKNOWN = "outcome_unknown"
    WEBHOOKS_DEAD = "webhooks_dead"
    REPORTS_REFUSED = "reports_refused"
    ALERTS_RING = "alerts_ring"


class Severity(StrEnum):
    """Whom an alert wakes."""

    CRITICAL = "critical"
    """Somebody must do something now."""
    WARNING = "warning"
    """Somebody must do something today."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is the same each time: each sentence begins with `title`, and goes on with `says` where
    there is no more to tell. `remedy` is what to do. `severity` is that of the alert, None: it is
    no alert; it fires after so many `minutes`.
    """

    title: str
    remedy: str
    severity: Severity | None
    minutes: int = 1
    says: str = ""

    @property
    def summary(self) -> str:
        """The problem in one sentence, without what only one look can tell."""
        return f"{self.title}: {self.says}" if self.says else self.title


_NOW, _TODAY = Severity.CRITICAL, Severity.WARNING

CATALOGUE: Mapping[Name, Entry] = {
    Name.REDIS: Entry(
        "Redis does not do what it is asked",
        "Nobody is called until it is over. `voice-dispatcher doctor` says what Redis answers.",
        _NOW,
    ),
    Name.MISSING_RIGHT: Entry(
        "A process lacks a right", "Give its user what `voice-dispatcher doctor` names.", _NOW
    ),
    Name.NO_WORKER: Entry("No worker runs", "Start `voice-dispatcher worker`.", _NOW),
    Name.WORKERS_STUCK: Entry(
        "No worker has begun anything",
        "See whether the broker is up (`voice-dispatcher doctor`), and restart the worker.",
        _NOW,
    ),
    Name.NO_BEAT: Entry("Beat does not run", "Start `voice-dispatcher beat`.", _NOW),
    Name.HELD_CREDIT: Entry(
        "Calls are held",
        "Top up the account. Calls continue as soon as the balance is checked.",
        _NOW,
        says="the credit does not suffice",
    ),
    Name.HELD_AUTH: Entry(
        "Calls are held",
        "Correct the credentials, and restart the workers: they read them at their start. Or have"
        " the provider allow this machine's address. A balance check every minute finds out when"
        " it is over.",
        _NOW,
        says="the provider refuses the account",
    ),
    Name.HELD_PROVIDER_DOWN: Entry(
        "Calls are held",
        "Nothing to do: one call at a time is tried until the provider works.",
        _NOW,
        says="the provider fails",
    ),
    Name.HELD_LIMIT: Entry(
        "Calls are held",
        "Raise the limit with `voice-dispatcher limit set`, or wait for the next day.",
        _NOW,
        says="a spending limit is reached",
    ),
    Name.HELD_REPLICAS: Entry(
        "Calls are held",
        "Bring the replica of Redis back: calls continue by themselves as soon as it takes in"
        " writes. Without one for good: DISPATCHER_REDIS_REPLICAS=0.",
        _NOW,
        says="Redis has too few replicas",
    ),
    Name.HELD_RESTORED: Entry(
        "Calls are held",
        "Look who may have been called since: `voice-dispatcher restored` tells, and"
        " `voice-dispatcher restored --go` lets calls go on.",
        _NOW,
        says="the records come from a backup",
    ),
    Name.HELD_UNUSUAL: Entry(
        "Calls are held",
        "A stolen key or a mistake may make these calls. Look at the latest jobs and their"
        " producers, revoke the key if it is one, and cancel its jobs. Then resume.",
        _NOW,
        says="some were unusual",
    ),
    Name.HELD_PAUSED: Entry(
        "Calls are held",
        "Resume when you are ready. Waiting jobs are dialled in their order.",
        None,
        says="somebody paused them",
    ),
    Name.HELD_SOME: Entry(
        "Some calls are held", "`voice-dispatcher stats` says which, and why.", _TODAY, 60
    ),
    Name.URGENT_PAUSED: Entry(
        "Urgent calls wait behind a pause", "Resume, at least urgent calls.", _NOW
    ),
    Name.NO_CREDIT: Entry("The credit is used up", "Top up the account.", _NOW),
    Name.PROVIDER_UNSEEN: Entry(
        "The provider does not answer",
        "`voice-dispatcher doctor` asks the provider, and says what is wrong.",
        _NOW,
    ),
    Name.NOBODY_DIALS: Entry(
        "No worker dials",
        "Start `voice-dispatcher worker` and `voice-dispatcher beat`. `voice-dispatcher doctor`"
        " says what else may be wrong.",
        _NOW,
    ),
    Name.URGENT_LATE: Entry(
        "Urgent calls are late",
        "`voice-dispatcher why` says of each what it waits for. More workers, or a higher rate"
        " limit, dial more at once.",
        _NOW,
    ),
    Name.SCHEDULED_LATE: Entry(
        "Scheduled calls are late",
        "See whether workers and beat run, and keep up: `voice-dispatcher doctor`.",
        _NOW,
    ),
    Name.CALLBACKS_MISSING: Entry(
        "Callbacks do not arrive",
        "The provider must be able to reach DISPATCHER_PUBLIC_URL: see to the proxy and its"
        " certificate. Until a callback arrives, people whose call may have been lost are not"
        " called again.",
        _NOW,
        2,
    ),
    Name.ALERT_UNREACHED: Entry(
        "Nobody could be reached",
        "Say that you have it, on its page, or find somebody who does.",
        _NOW,
    ),
    Name.CHAINS: Entry(
        "The chains file is not in force",
        "Correct the file: it is read again by itself. `voice-dispatcher chains check FILE` says"
        " what is wrong.",
        _NOW,
    ),
    Name.WORKER_STUCK: Entry(
        "A worker does nothing", "See whether it reaches the broker, and restart it.", _TODAY
    ),
    Name.PROCESS_SILENT: Entry(
        "A process has fallen silent",
        "See whether it hangs or was killed, and start it again. It is forgotten an hour after it"
        " was heard of last.",
        _TODAY,
    ),
    Name.THROTTLED: Entry(
        "The provider takes less than half of the rate that is set",
        "Calls go out as slowly as it takes them. Ask the provider for its limit, and set"
        " DISPATCHER_RATE_LIMIT to it.",
        _TODAY,
        2,
    ),
    Name.LINES_GROW: Entry(
        "The lines grow",
        "More jobs come than are dialled. Cancel what is not needed, or raise"
        " DISPATCHER_RATE_LIMIT if the provider allows it.",
        _TODAY,
        2,
    ),
    Name.CREDIT_SHORT: Entry(
        "The credit will not suffice", "Top up the account before calls are held.", _TODAY, 5
    ),
    Name.BALANCE_UNSEEN: Entry(
        "The balance cannot be seen",
        "Until it can, it stops no call. `voice-dispatcher doctor` says why it cannot.",
        _TODAY,
        15,
    ),
    Name.CALLS_FAIL: Entry("Most calls fail", "The jobs' reasons say why.", _TODAY, 5),
    Name.CAMPAIGN_FAILS: Entry(
        "Most calls of a campaign fail",
        "The jobs' reasons say why. Pause the campaign until its list is right.",
        _TODAY,
        2,
    ),
    Name.OUTCOME_UNKNOWN: Entry(
        "Nobody knows whether somebody was called",
        "Ask the person. Then mark the job as reached, or dial again.",
        None,
    ),
    Name.WEBHOOKS_DEAD: Entry(
        "Webhooks could not be delivered",
        "`voice-dispatcher webhooks list` says why, `voice-dispatcher webhooks retry` sends them"
        " again.",
        _TODAY,
    ),
    Name.REPORTS_REFUSED: Entry(
        "Reports of monitoring are refused",
        "Correct what sends them: most programs do not send them again.",
        _NOW,
    ),
    Name.ALERTS_RING: Entry("Alerts ring", "Say that you have it, on its page.", None),
}
