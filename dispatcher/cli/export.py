"""`export`: all jobs that are meant, as CSV or JSON lines, streamed."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TextIO

import typer

from dispatcher.cli import connection
from dispatcher.cli.filters import by_filter
from dispatcher.cli.output import Format
from dispatcher.cli.person import actor
from dispatcher.cli.progress import Progress
from dispatcher.model.filters import Filter
from dispatcher.model.job import Job
from dispatcher.rows.csv_text import CsvText
from dispatcher.security_log import SecurityEvent, tell
from dispatcher.values.counts import counted

Write = Callable[[Job], object]

Output = Annotated[
    Path | None,
    typer.Option("--output", help="File to write, readable by you only; default stdout."),
]
Unmask = Annotated[bool, typer.Option("--unmask", help="With whole numbers and texts.")]
Raw = Annotated[
    bool,
    typer.Option(
        "--raw", help="CSV for programs: no byte order mark, no apostrophes before formulas."
    ),
]


@by_filter
def export(
    context: typer.Context,
    *,
    filter_: Filter,
    format_: Annotated[Format, typer.Option("--format", help="csv or jsonl.")] = Format.CSV,
    unmask: Unmask = False,
    raw: Raw = False,
    output: Output = None,
) -> None:
    """Write jobs to a file, newest first. CSV has a row for each call, JSON lines for each job.

    \b
    Examples:
      voice-dispatcher export --since 7d --output week.csv
      voice-dispatcher export --state failed --format jsonl --unmask > a.jsonl
    """
    store = connection.dispatcher(context).store
    store.server.check_schema()  # before anything is written: a file of an earlier export is kept
    # Before, too: one that is broken off has written numbers as well.
    store.audit.record(actor(), "export", str(filter_), unmasked=unmask)
    tell(SecurityEvent.EXPORTED, actor=actor(), target=str(filter_), unmasked=unmask)
    jobs = store.search.find(filter_)
    with written_to(output) as file:
        if format_ is Format.JSONL:
            write: Write = lambda job: file.write(_line(job, mask=not unmask))  # noqa: E731
        else:
            text = CsvText(mask=not unmask, raw=raw)
            file.write(text.head)
            write = lambda job: file.write(text.of(job))  # noqa: E731
        done = _write(jobs, write, shown=output is not None or not sys.stdout.isatty())
    if output:
        typer.echo(f"{counted(done, 'job')} written to {output}", err=True)


def _write(jobs: Iterator[Job], write: Write, *, shown: bool) -> int:
    done = 0
    with Progress("exported", None, lambda: done, shown=shown) as progress:
        for job in progress.each(jobs):
            write(job)
            done += 1
    return done


def _line(job: Job, *, mask: bool) -> str:
    return json.dumps(job.to_dict(mask=mask), ensure_ascii=False) + "\n"


@contextmanager
def written_to(path: Path | None) -> Iterator[TextIO]:
    """Open the file that is to be written, readable by nobody else; None: stdout."""
    if path is None:
        sys.stdout.reconfigure(encoding="utf-8", newline="")  # type: ignore[union-attr]
        yield sys.stdout
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        yield file
