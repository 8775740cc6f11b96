"""How the command line prints jobs: in one line, in a table, and one with all that is known."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dispatcher.cli import moments, output
from dispatcher.cli.tables import Cell, Column, Table
from dispatcher.model.job import Job
from dispatcher.model.states import State
from dispatcher.policy.credit_forecast import in_credits
from dispatcher.values.masking import mask_text
from dispatcher.values.traceparent import trace_id

STYLES = {
    State.COMPLETED: "green",
    State.FAILED: "red",
    State.EXPIRED: "red",
    State.UNCERTAIN: "magenta",
    State.HELD: "yellow",
    State.SCHEDULED: "cyan",
    State.QUEUED: "cyan",
    State.CANCELLED: "dim",
}


def state_words(job: Job) -> str:
    """Return a job's state with its reason, as filters know them: `failed/no_answer`."""
    reason = job.reason or job.hold_reason
    return f"{job.state}/{reason}" if reason else str(job.state)


def _state(job: Job) -> Cell:
    return state_words(job), STYLES.get(job.state, "")


def one_line(job: Job) -> None:
    """Print a job in one line: its id and where it stands."""
    state = output.styled(state_words(job), STYLES.get(job.state, ""))
    sys.stdout.write(f"{job.id}  {state}  {output.visible(job.outcome or '')}".rstrip() + "\n")


def _called(job: Job) -> str:
    shown = job.to_dict(mask=True)
    return shown.get("recipient") or ", ".join(shown.get("participants", ()))


_COLUMNS: dict[Column, Callable[[Job], Cell]] = {
    Column("id"): lambda job: job.id,
    Column("state"): _state,
    Column("recipient"): _called,
    Column("enqueued", rank=1): lambda job: moments.minute(job.created_at),
    Column("outcome", rank=3): lambda job: job.outcome or "",
    Column("tags", least=16, rank=2): lambda job: mask_text(", ".join(job.tags)),
    Column("priority", rank=4): lambda job: job.priority,
    Column("attempts", right=True, rank=5): lambda job: str(len(job.attempts) or ""),
}


def job_table(jobs: Iterable[Job]) -> Table:
    """Return jobs as a table, numbers masked."""
    table = Table(*_COLUMNS)
    for job in jobs:
        table.add(*(cell(job) for cell in _COLUMNS.values()))
    return table


def details(job: Job) -> None:
    """Print a job with its attempts and timeline."""
    facts = Table("", Column("", least=24), header=False)
    facts.add("state", _state(job))
    for name, value in _facts(job):
        if value:
            facts.add(name, value)
    facts.show()
    if job.attempts:
        _attempts(job)
    output.line("timeline")
    events = Table("  at", "state", Column("by", least=8), Column("why", least=16), header=False)
    for event in job.timeline:
        to = f"{event.to}/{event.reason}" if event.reason else event.to
        events.add(f"  {moments.stamp(event.at)}", to, event.actor, event.why)
    events.show()


def _facts(job: Job) -> Iterator[tuple[str, str]]:
    """Yield what is known of a job, by the words that people have for it."""
    shown = job.to_dict()
    yield "outcome", job.outcome or ""
    if action := shown["next_action"]:
        at = moments.stamp(action["at"])
        yield "next", f"{action['what']}: {at}" if at else action["what"]
    yield "job", job.id
    yield from _asked(job, shown)
    yield "enqueued", moments.stamp_and_ago(job.created_at)
    if job.due_at != job.created_at:
        yield "due", moments.stamp(job.due_at)
    yield "deadline", moments.stamp(job.expires_at)
    yield "ended", moments.stamp_and_ago(job.finished_at)
    yield "cost", in_credits(job.cost) if job.cost is not None else ""
    yield "duration", f"{job.duration:g} s" if job.duration is not None else ""
    for name in ("callid", "conferenceid", "alert"):
        yield name, shown[name] or ""
    yield "trace id", trace_id(job.traceparent)


def _asked(job: Job, shown: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what was asked for."""
    yield ("recipient" if len(job.numbers) == 1 else "participants"), ", ".join(job.numbers)
    for name in ("say", "code", "play", "lang", "params", "caller"):
        yield name, _in_words(shown.get(name))
    yield "producer", job.producer
    for name in ("tags", "key", "meta", "webhook", "priority"):
        yield name, _in_words(shown[name])
    yield "dnc", "" if job.dnc == "obey" else f"{job.dnc} from the do-not-call list"


def _in_words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={each}" for name, each in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value or "")


def _attempts(job: Job) -> None:
    table = Table(
        "number",
        "sent",
        "result",
        Column("talked", right=True, rank=3),
        Column("credits", right=True, rank=2),
        Column("call", least=12),
        Column("error", least=16),
        header=False,
    )
    for each in job.attempts:
        cost = "" if each.cost is None else in_credits(each.cost)
        talked = "" if each.duration is None else f"{each.duration:g} s"
        calls = " ".join(filter(None, (each.conferenceid, *each.callids)))
        sent, result = moments.stamp(each.sent_at), each.result or "under way"
        table.add(f"attempt {each.number}", sent, result, talked, cost, calls, each.error or "")
        for leg in each.legs:
            number = leg.number or "participant"
            table.add("", number, leg.status or "", "", "", "", "")
    table.show()
