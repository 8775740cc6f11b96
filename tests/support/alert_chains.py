"""Chains on a real store for tests: who is on call, and how calls go."""

from __future__ import annotations

from typing import Any

from dispatcher.alerts.alerting import Alerting
from dispatcher.model.alert import Alert, AlertCall
from dispatcher.model.job import Job
from dispatcher.model.on_call import OnCall
from dispatcher.model.states import State
from dispatcher.policy import after_report
from dispatcher.store import Store
from support.reports import ended
from support.store_alerts import firing
from support.store_jobs import POLICY, claim, placed

ANN, BOB, EVE = "+818012340002", "+818012340001", "+818012340003"
ON_CALL: dict[str, Any] = {
    "contacts": {
        "ann": {"number": ANN, "lang": "en"},
        "bob": {"number": BOB, "lang": "ja"},
        "eve": {"number": EVE},
    },
}


def publish(store: Store, *steps: dict[str, Any], **rules: Any) -> OnCall:
    """Put in force a chain `database` with these steps; return all that is."""
    on_call = OnCall.model_validate(
        {
            **ON_CALL,
            "chains": {"database": {"steps": steps, **rules}},
            "routes": [{"match": {"severity": "info"}, "chain": "none"}, {"chain": "database"}],
        }
    )
    store.on_call.publish(on_call, by="test")
    return on_call


def rung(store: Store, alerting: Alerting, fingerprint: str = "f1", **fields: Any) -> Alert:
    """Report an alert, and return it as it stands then."""
    (made,) = alerting.receive([firing(fingerprint, **fields)], actor="am")
    return store.alerts.get(made.told_by or made.id)


def waiting(store: Store, id_: str) -> list[str]:
    """Return who waits to be called for an alert."""
    return [
        call.contact
        for call, job in jobs_of(store, id_)
        if job.state in {State.QUEUED, State.SCHEDULED, State.HELD}
    ]


def jobs_of(store: Store, id_: str) -> list[tuple[AlertCall, Job]]:
    """Return the calls of an alert that are jobs, with these."""
    calls = [call for call in store.alerts.get(id_).calls if call.job_id]
    return [(call, store.jobs.get(str(call.job_id))) for call in calls]


def go(store: Store, id_: str, contact: str, word: str) -> str:
    """Have the call to somebody, which waits or was just claimed, end with a word of the provider;
    return its job.
    """
    waits = {State.QUEUED, State.DIALING}
    (found,) = (
        job for call, job in jobs_of(store, id_) if call.contact == contact and job.state in waits
    )
    job, attempt = found.id, len(found.attempts)
    if found.state is State.QUEUED:
        attempt = claim(store, job).attempt
    store.calls.settle(job, attempt, placed(f"call-{job}"))
    decision = after_report(ended(word), store.jobs.get(job), POLICY)
    assert decision is not None
    store.calls.settle(job, attempt, decision)
    return job
