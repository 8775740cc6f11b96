"""Jobs as rows of CSV: a row for each call, as the provider's usage log has it, and ours beside."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from dispatcher.model.attempt import Attempt
from dispatcher.model.call import Leg
from dispatcher.model.job import Job, iso
from dispatcher.model.kinds import Kind
from dispatcher.model.outcome import TOO_SHORT, Outcome
from dispatcher.provider import registry
from dispatcher.rows.spreadsheets import shield
from dispatcher.values.masking import mask_number, mask_text
from dispatcher.values.meta import as_json

USAGE_LOG = (
    "call_type",
    "caller",
    "callid",
    "cost",
    "direction",
    "start_time",
    "end_time",
    "duration",
    "recipient",
    "status",
    "tags",
    "url",
    "apiuser",
)
OURS = (
    "id",
    "state",
    "reason",
    "attempt",
    "attempts",
    "result",
    "error",
    "priority",
    "producer",
    "created_at",
    "due_at",
    "expires_at",
    "finished_at",
    "conferenceid",
    "participants",
    "key",
    "say",
    "play",
    "lang",
    "params",
    "provider",
    "meta",
    "alert",
)
COLUMNS = (*USAGE_LOG, *OURS)

Cell = str | int | float | None


def rows(job: Job, *, mask: bool) -> Iterator[list[Cell]]:
    """Yield a row for each call of a job and for each attempt without one; one where none was made.

    `mask` hides all but the ends of numbers, and what is said.
    """
    common = _of_job(job, mask=mask)
    for attempt in job.attempts or (None,):
        legs: Iterable[Leg | None] = (attempt.legs if attempt else ()) or (None,)
        for leg in legs:
            cells = common | _of_call(job, attempt, leg, mask=mask)
            yield [cells.get(column) for column in COLUMNS]


def shielded(cells: Iterable[Cell]) -> list[Cell]:
    """Return cells of which a spreadsheet takes none for a formula; numbers are none."""
    return [shield(cell) if isinstance(cell, str) else cell for cell in cells]


def _of_job(job: Job, *, mask: bool) -> dict[str, Cell]:
    numbers = [mask_number(number) if mask else number for number in job.numbers]
    conference, words = job.kind is Kind.CONFERENCE, registry.registration().words
    said = {} if mask else _said(job)
    return {
        "call_type": words.conference if conference else words.call,
        "caller": mask_text(job.caller, asked=True) if mask and job.caller else job.caller,
        "recipient": None if conference else numbers[0],
        "participants": ",".join(numbers) if conference else None,
        "tags": mask_text(",".join(job.tags)) if mask else ",".join(job.tags),
        "id": job.id,
        "state": job.state.value,
        "reason": job.reason or job.hold_reason,
        "attempts": len(job.attempts),
        "priority": job.priority.value,
        "producer": job.producer,
        "created_at": iso(job.created_at),
        "due_at": iso(job.due_at),
        "expires_at": iso(job.expires_at),
        "finished_at": iso(job.finished_at),
        "key": mask_text(job.key) if mask and job.key else job.key,
        "meta": _meta(job, mask=mask),
        "alert": job.alert,
        **said,
    }


def _said(job: Job) -> dict[str, Cell]:
    """Return what is said or played, and what else the provider is told."""
    params = ",".join(f"{name}={value}" for name, value in job.params.items())
    said = {"say": job.say, "play": job.play, "lang": job.lang, "url": job.play}
    return {**said, "params": params or None}


def _meta(job: Job, *, mask: bool) -> str | None:
    text = as_json(job.meta) if job.meta else None
    return mask_text(text) if mask and text else text


def _of_call(job: Job, attempt: Attempt | None, leg: Leg | None, *, mask: bool) -> dict[str, Cell]:
    if attempt is None:
        return {}
    status = _status(job, attempt)
    cells: dict[str, Cell] = {
        "callid": attempt.callid,
        "cost": _number(attempt.cost),
        "direction": "outbound" if attempt.callid else None,
        "start_time": _usual(attempt.sent_at),
        "end_time": _usual(attempt.ended_at),
        "duration": _duration(job, attempt),
        "status": mask_text(status) if mask and status else status,
        "attempt": attempt.number,
        "result": attempt.result,
        "error": mask_text(attempt.error) if mask and attempt.error else attempt.error,
        "conferenceid": attempt.conferenceid,
        "provider": attempt.provider,
    }
    return cells | (_of_leg(leg, mask=mask) if leg else {})


def _duration(job: Job, attempt: Attempt) -> float | None:
    """Return how long was talked: release 0.1 kept it with the job, of the latest attempt."""
    return job.duration if attempt is job.attempt else attempt.duration


def _of_leg(leg: Leg, *, mask: bool) -> dict[str, Any]:
    return {
        "callid": leg.callid,
        "recipient": mask_number(leg.number) if mask else leg.number,
        "status": mask_text(leg.status) if mask and leg.status else leg.status,
        "cost": _number(leg.cost),
        "duration": leg.duration,
    }


def _status(job: Job, attempt: Attempt) -> str | None:
    """Return the provider's word for how an attempt ended: of an earlier one, its usual word."""
    if attempt is job.attempt and job.outcome:
        return job.outcome
    usual = {"placed": Outcome.IN_PROGRESS, TOO_SHORT: Outcome.ANSWERED}
    words: Mapping[Any, str] = registry.registration().words.outcomes
    return words.get(usual.get(attempt.result or "", attempt.result))


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


def _usual(at: datetime | None) -> str | None:
    """Return a time as the usage log writes it: UTC, without saying so."""
    return None if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
