"""How the command line prints: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Container, Iterable
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dispatcher.job import Job, iso
from dispatcher.states import State

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Format(StrEnum):
    """What the rows of a file are written in."""

    CSV = "csv"
    JSONL = "jsonl"


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


def console() -> Console:
    """Return a console on standard output, as it is now; wide enough when piped."""
    return Console(
        file=sys.stdout,
        width=None if sys.stdout.isatty() else 160,
        highlight=False,
        markup=False,  # what users wrote is no markup: "[/b]" in a text is a text
        emoji=False,
    )


def as_json(value: Any) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def table(*columns: str, whole: Container[str] = ()) -> Table:
    """Return an empty table; the columns that are `whole` are never wrapped."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, no_wrap=column in whole)
    return made


def row(to: Table, *cells: str) -> None:
    """Add a row of what others wrote."""
    to.add_row(*map(visible, cells))


def lines(texts: Iterable[str]) -> None:
    """Print lines in which others wrote."""
    for text in texts:
        console().print(visible(text))


def state_text(job: Job) -> Text:
    """Return a job's state with its reason, coloured."""
    reason = job.reason or job.hold_reason
    return Text(
        f"{job.state}/{reason}" if reason else str(job.state), style=STYLES.get(job.state, "")
    )


def one_line(job: Job) -> None:
    """Print a job in one line: its id and where it stands."""
    console().print(
        Text(f"{job.id}  ").append(state_text(job)).append(f"  {job.outcome or ''}".rstrip())
    )


def job_table(jobs: Iterable[Job]) -> Table:
    """Return jobs as a table, numbers masked."""
    columns = ("id", "state", "outcome", "recipient", "priority", "attempts", "created", "tags")
    shown_as = table(*columns, whole=("id", "state"))
    for job in jobs:
        shown = job.to_dict(mask=True)
        who = shown.get("recipient") or ", ".join(shown.get("participants", ()))
        shown_as.add_row(
            job.id,
            state_text(job),
            job.outcome or "",
            who,
            job.priority,
            str(len(job.attempts)),
            iso(job.created_at),
            ", ".join(job.tags),
        )
    return shown_as


def details(job: Job) -> None:
    """Print a job with its attempts and timeline."""
    out = console()
    shown = job.to_dict()
    facts = Table(box=None, show_header=False, pad_edge=False)
    for name, value in shown.items():
        if name not in {"attempts", "timeline", "next_action", "state"} and value not in (None, []):
            facts.add_row(
                name, visible(", ".join(value) if isinstance(value, list) else str(value))
            )
    out.print(Text("state  ").append(state_text(job)))
    out.print(facts)
    if shown["next_action"]:
        out.print(f"next   {shown['next_action']['what']} {shown['next_action']['at'] or ''}")
    for attempt in shown["attempts"]:
        legs = attempt.pop("participants", [])
        out.print(Text(visible(f"attempt {attempt.pop('number')}  {_told(attempt)}")))
        for leg in legs:
            out.print(Text(visible(f"  {leg.pop('recipient') or 'participant'}  {_told(leg)}")))
    out.print("timeline")
    for event in shown["timeline"]:
        to = f"{event['to']}/{event['reason']}" if event["reason"] else event["to"]
        line = f"  {event['at']}  {to:<24} {event['actor']:<12} {event['why']}"
        out.print(Text(visible(line.rstrip())))


def _told(facts: dict[str, Any]) -> str:
    return "  ".join(f"{name}={value}" for name, value in facts.items() if value is not None)


def visible(text: str) -> str:
    """Return what others wrote with nothing in it that moves or colours a terminal."""
    return "".join(
        each if each.isprintable() or each == "\n" else f"\\x{ord(each):02x}" for each in text
    )
