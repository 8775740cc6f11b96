"""The calls of a chain as jobs: what is asked for, and what became of them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from dispatcher.alerts.spoken import HowTo, spoken, voice
from dispatcher.model.alert import Alert, AlertCall
from dispatcher.model.alert_change import PlannedCall
from dispatcher.model.alert_texts import Texts
from dispatcher.model.invalid_job import InvalidJob
from dispatcher.model.job import Job
from dispatcher.model.request import JobRequest
from dispatcher.model.states import CALLING, WAITING, OnUncertain, Priority, Reason, State
from dispatcher.policy.chain_position import Position
from dispatcher.policy.chain_values import Made, Ring, Stage
from dispatcher.policy.chains import ANSWERED
from dispatcher.store import Store
from dispatcher.values.masking import mask_text

log = logging.getLogger(__name__)

GONE: Final = "the record of the call is gone"
_HOW: Final[Mapping[str, str]] = {
    Reason.NO_ANSWER: "no answer",
    Reason.CALL_FAILED: "the call failed",
    Reason.DO_NOT_CALL: "the number is on the do-not-call list",
    Reason.NOT_ALLOWED: "the account does not call such a number",
    Reason.INVALID_REQUEST: "the provider refused the call",
    Reason.ATTEMPTS_EXHAUSTED: "the provider could not be asked",
    Reason.OUTCOME_UNKNOWN: "nobody knows whether the phone rang",
    Reason.MARKED_REACHED: "marked as reached",
}
_NOT_CALLED: Final = frozenset({Reason.DO_NOT_CALL, Reason.NOT_ALLOWED, Reason.INVALID_REQUEST})
"""Ends of a job that called nobody, and would not the next time."""


def position_of(alert: Alert) -> Position | None:
    """Return where a chain stands; None where it is to be begun, or nobody can read where it is."""
    try:
        return Position.of_text(alert.position) if alert.position else None
    except (ValueError, TypeError, LookupError, AttributeError):
        log.warning("where the chain of alert %s is cannot be read: it begins again", alert.id)
        return None


def jobs(store: Store, ids: Sequence[str]) -> dict[str, Job | None]:
    """Return the jobs of calls, None for those that are gone."""
    return dict(zip(ids, store.jobs.get_many(ids), strict=True)) if ids else {}


def as_they_stand(store: Store, alert: Alert, position: Position | None) -> list[Made]:
    """Return the calls of an alert, in order. Jobs whose end was told before are not read again."""
    heard = position.heard if position else ()
    undecided = [each.job_id for each in alert.calls if each.job_id and each.number not in heard]
    found = jobs(store, undecided)
    return [_made(call, found.get(call.job_id or "")) for call in alert.calls]


def _made(call: AlertCall, job: Job | None) -> Made:
    if call.job_id is None:
        why = call.skipped or "it was not said why"
        return Made(call.number, call.contact, Stage.SKIPPED, call.at, why)
    if job is None:
        return Made(call.number, call.contact, Stage.OVER, None, GONE)
    in_line = job.state is State.QUEUED
    return Made(call.number, call.contact, _stage(job), job.finished_at, _how(job), in_line=in_line)


def in_vain(call: Made, at: datetime) -> Made:
    """Return a call as it will be if it is not over and nobody takes it."""
    under_way = call.stage in {Stage.WAITING, Stage.CALLING}
    return replace(call, stage=Stage.OVER, at=at, in_line=False) if under_way else call


def _stage(job: Job) -> Stage:
    if job.state in WAITING:
        return Stage.WAITING
    if job.state in CALLING:
        return Stage.CALLING
    if job.state is State.COMPLETED:
        return Stage.ANSWERED
    return Stage.SKIPPED if job.reason in _NOT_CALLED else Stage.OVER


def _how(job: Job) -> str:
    if job.reason and job.reason in _HOW:
        return _HOW[job.reason]
    return "answered" if job.state is State.COMPLETED else str(job.state)


def who_heard(alert: Alert, jobs: Mapping[str, Job | None]) -> list[Ring]:
    """Return one call to each who was called since the chain began, at the number that rang last.

    An answer goes before a call that nobody took.
    """
    rings: dict[str, tuple[bool, Ring]] = {}
    for call in alert.calls:
        job = jobs.get(call.job_id or "")
        if job is None or not job.attempts or call.at < (alert.began_at or call.at):
            continue
        answered = job.state is State.COMPLETED
        if answered or not rings.get(call.contact, (False, None))[0]:
            ring = Ring(call.contact, call.round, call.step, job.numbers[0], job.lang)
            rings[call.contact] = (answered, ring)
    return [ring for _, ring in rings.values()]


@dataclass(frozen=True, slots=True)
class Told:
    """What the calls of an alert tell, and how to say that one has it."""

    alert: Alert
    members: Sequence[Alert]
    how_to: HowTo
    templates: Mapping[str, Texts] | None = None
    lang: str | None = None
    """The language of who has none of their own."""

    def to(self, number: str, lang: str) -> str:
        """Return the text for a number (E.164)."""
        rules = self.alert.rules
        how_to = HowTo(answered=True) if rules and rules.until == ANSWERED else self.how_to
        return spoken(
            self.alert, self.members, lang=lang, how_to=how_to, templates=self.templates, to=number
        )


def planned(number: int, ring: Ring, told: Told) -> PlannedCall:
    """Return a call that a chain makes, as the store takes it; with the reason where no job can be
    made of it.
    """
    request, skipped = None, ring.skipped
    if ring.to is not None:
        try:
            request = _request(ring.to, voice(ring.lang or told.lang, told.templates), told)
        except InvalidJob as error:
            skipped = " ".join(mask_text(f"the call cannot be made: {error}", asked=True).split())
    return PlannedCall(number, ring.contact, request, skipped, ring.round, ring.step)


def _request(number: str, lang: str, told: Told) -> JobRequest:
    return JobRequest.of(
        {
            "recipient": number,
            "say": told.to(number, lang),
            "lang": lang,
            "priority": Priority.URGENT,
            "redial": 0,  # the chain calls again, or somebody else
            "on_uncertain": OnUncertain.HOLD,
            "traceparent": told.alert.traceparent,
        }
    )
