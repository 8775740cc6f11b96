"""How the command line prints: tables for people, JSON for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Container, Iterable
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dispatcher.model.job import Job, iso
from dispatcher.model.states import State
from dispatcher.values.masking import mask_text

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Format(StrEnum):
    """What the rows of a file are written in."""

    CSV = "csv"
    JSONL = "jsonl"


WIDE = 160

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
    """Return a console on standard output, as it is now; wide when piped."""
    return Console(
        file=sys.stdout,
        width=None if sys.stdout.isatty() else WIDE,
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


def show_table(made: Table, what: str = "") -> None:
    """Print a table whole: a narrow terminal breaks its lines, and nothing is cut off.

    `what` is what its rows are, for a list that may be empty: `no jobs`.
    """
    out = console()
    if what and not made.row_count:
        out.print(f"no {what}")
        return
    out.width = max(out.width, WIDE)
    out.print(made)


def job_table(jobs: Iterable[Job], *, narrow: bool = False) -> Table:
    """Return jobs as a table, numbers masked; `narrow` leaves out what `show` has as well."""
    names = [name for name in _COLUMNS if not (narrow and name in _ASIDE)]
    shown = table(*names, whole=("id", "state", "recipient", "created"))
    for job in jobs:
        shown.add_row(*(_COLUMNS[name](job) for name in names))
    return shown


def _called(job: Job) -> str:
    shown = job.to_dict(mask=True)
    return shown.get("recipient") or ", ".join(shown.get("participants", ()))


_COLUMNS: dict[str, Callable[[Job], str | Text]] = {
    "id": lambda job: job.id,
    "state": state_text,
    "recipient": _called,
    "created": lambda job: iso(job.created_at) or "",
    "outcome": lambda job: job.outcome or "",
    "priority": lambda job: job.priority,
    "attempts": lambda job: str(len(job.attempts)),
    "tags": lambda job: mask_text(", ".join(job.tags)),
}
"""What stands first fits into 80 columns."""
_ASIDE = {"created", "priority", "attempts"}


def _in_words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name}={each}" for name, each in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)


def details(job: Job) -> None:
    """Print a job with its attempts and timeline."""
    out = console()
    shown = job.to_dict()
    facts = Table(box=None, show_header=False, pad_edge=False)
    facts.add_row("state", state_text(job))
    apart = {"attempts", "timeline", "next_action", "state"}
    for name, value in shown.items():
        if name not in apart and value not in (None, [], {}):
            facts.add_row(name, visible(_in_words(value)))
    if (next_ := shown["next_action"]) is not None:
        facts.add_row("next", ": ".join(filter(None, (next_["what"], next_["at"]))))
    show_table(facts)
    for attempt in shown["attempts"]:
        legs = attempt.pop("participants", [])
        del attempt["recipients"]  # they are the job's, which stand above
        if attempt["started_at"] == attempt["sent_at"]:
            del attempt["started_at"]
        _line(out, f"attempt {attempt.pop('number')}  {_told(attempt)}")
        for leg in legs:
            _line(out, f"  {leg.pop('recipient') or 'participant'}  {_told(leg)}")
    out.print("timeline")
    for event in shown["timeline"]:
        to = f"{event['to']}/{event['reason']}" if event["reason"] else event["to"]
        line = f"  {event['at']}  {to:<24} {event['actor']:<12} {event['why']}"
        _line(out, line.rstrip())


def _line(out: Console, text: str) -> None:
    """Print a line, however long: only a terminal breaks it."""
    out.print(Text(visible(text)), soft_wrap=True)


def _told(facts: dict[str, Any]) -> str:
    return "  ".join(f"{name}={value}" for name, value in facts.items() if value is not None)


def visible(text: str) -> str:
    """Return what others wrote with nothing in it that moves or colours a terminal."""
    return "".join(
        each if each.isprintable() or each == "\n" else f"\\x{ord(each):02x}" for each in text
    )
