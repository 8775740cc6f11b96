"""One import as a person follows it: preview, question, progress, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import typer

from dispatcher.cli import output
from dispatcher.cli.import_file import Rows
from dispatcher.cli.progress import Progress
from dispatcher.rows.importing import Import, Item
from dispatcher.rows.preview import Preview, expected, left
from dispatcher.rows.records import Record
from dispatcher.rows.refused import RefusedFile, free_name
from dispatcher.rows.spool import Spool
from dispatcher.rows.spreadsheets import NO_CODE
from dispatcher.rows.text import UnusableInput
from dispatcher.store.errors import StoreUnavailable
from dispatcher.values.counts import counted
from dispatcher.values.durations import spoken
from dispatcher.values.masking import mask_text

SHOWN = 20
"""Refused rows that are reported one by one; the file has them all."""
INTERRUPTED = 130


class Declined(Exception):
    """Somebody was asked and said no."""


class Run:
    """One import, with what it says on the way and at its end."""

    def __init__(
        self,
        task: Import,
        file: str,
        records: Rows,
        rows: Iterable[Record],
        refused: Path | None,
        *,
        dry_run: bool,
    ) -> None:
        self.task, self.file, self.records, self.dry_run = task, file, records, dry_run
        self.rows = rows
        self.tally = task.tally
        task.refuse, task.waiting = self._refuse, self._is_away
        # What comes through a pipe has no place of its own to put anything beside.
        source = Path(file) if Path(file).is_file() else Path("import")
        self.size = source.stat().st_size if source.is_file() else None
        path = refused or free_name(source, records.format)
        self.refused: RefusedFile | None = None
        if refused or not dry_run:
            self.refused = RefusedFile(path, records.format, records.columns, records.delimiter)
        self.preview: Preview | None = None
        self.problem: str | None = None
        self.writing = False
        self._shown = 0
        self.columns: list[str] = []

    def run(self, *, ask: bool, json: bool) -> int:
        """Import and report; return the exit code."""
        began, code = time.monotonic(), 0
        try:
            self._import(ask=ask)
        except Declined:
            self.problem, code = "declined", 1
        except (UnusableInput, StoreUnavailable) as error:
            line = getattr(error, "line", 0)
            self.problem, code = f"{self.file}{f':{line}' if line else ''}: {error}", 1
        except OSError as error:  # of the file of refused rows, or the spool's
            self.problem, code = f"{error.filename or 'disk'}: {error.strerror}", 1
        except (KeyboardInterrupt, typer.Abort):
            self.problem, code = "interrupted", INTERRUPTED
        finally:
            if self.refused:
                self.refused.close()
        self._report(time.monotonic() - began, json=json)
        return code or int(self.tally.refused > 0)

    # -- the import ------------------------------------------------------------------------

    def _import(self, *, ask: bool) -> None:
        if self.file == "-" and not self.dry_run:
            self.writing = True
            with Progress("imported", None, lambda: self.tally.rows) as shown:
                for batch in shown.each(self.task.check(self.rows)):
                    self.task.write(batch)
            self._warn()
            return
        with Spool() as spool:
            self._check(spool)
            if not self.dry_run and self.tally.new and self._agreed(ask=ask):
                self.writing = True
                self._write(spool)

    def _check(self, spool: Spool) -> None:
        done = (lambda: self.records.position) if self.size else None
        with Progress("checked", self.size, lambda: self.tally.rows, done) as shown:
            for batch in shown.each(self.task.check(self.rows)):
                if not self.dry_run:
                    spool.add(batch)
        self.preview = self._looked_ahead()
        for sentence in self.preview.words(self.file):
            typer.echo(sentence, err=True)
        self._warn()

    def _warn(self) -> None:
        """Say which texts may be wrong; nothing is refused for that."""
        for sentence in self.tally.warnings():
            typer.echo(f"warning: {sentence}", err=True)

    def _write(self, spool: Iterable[list[Item]]) -> None:
        with Progress("imported", self.tally.new, lambda: self.tally.created) as shown:
            for batch in shown.each(iter(spool)):
                self.task.write(batch)

    def _looked_ahead(self) -> Preview:
        store, tally = self.task.dispatcher.store, self.tally
        stands = store.budget.credit()
        return Preview(
            rows=tally.rows,
            new=tally.new,
            existing=tally.existing,
            refused=tally.refused,
            do_not_call=tally.do_not_call,
            credits_=expected(tally.tariffs, store.budget.costs()),
            balance=left(stands),
            waiting=stands.waiting_needs,
            seconds=tally.seconds,
        )

    def _agreed(self, *, ask: bool) -> bool:
        if not ask or typer.confirm("Import?", err=True):
            return True
        raise Declined

    # -- what is said ----------------------------------------------------------------------

    def _refuse(self, record: Record, why: str) -> None:
        if self.refused:
            self.refused.add(record, why)
        if NO_CODE in why and self.tally.reasons.without_code > 1:
            return  # the same for all rows, with one cure: it is told once, and then counted
        self._shown += 1
        if self._shown <= SHOWN:
            hidden = output.visible(mask_text(why, asked=True))
            typer.echo(f"{self.file}:{record.line}: {hidden}", err=True)
        elif self._shown == SHOWN + 1:
            typer.echo("… and more", err=True)

    def _is_away(self, error: StoreUnavailable) -> None:
        typer.echo(f"waiting: {mask_text(str(error))}", err=True)

    def _report(self, took: float, *, json: bool) -> None:
        if json:
            output.as_json(self._as_json(took))
        else:
            for sentence in self._words(took):
                typer.echo(sentence)
        if self.problem:
            typer.echo(f"error: {mask_text(self.problem)}{self._how_far()}", err=True)

    def _how_far(self) -> str:
        tally = self.tally
        if not self.writing:
            return "" if self.dry_run else "; nothing was imported"
        of_all = f"{tally.created:,} of " if self.preview else ""
        jobs = counted(tally.new if self.preview else tally.created, "job")
        return (
            f"; at least {of_all}{jobs} created."
            " Run the same command again to continue: no job is made twice"
        )

    def _words(self, took: float) -> Iterator[str]:
        tally = self.tally
        if self.writing:
            pace = f" in {spoken(took)}, {tally.rows / took:,.0f} rows a second" if took > 1 else ""
            counts = f"{tally.existing:,} already enqueued, {tally.refused:,} refused"
            yield f"{counted(tally.created, 'job')} created, {counts}{pace}"
        if tally.existing and not tally.created and not self.dry_run:
            yield (
                "A row makes one job, however often it is imported:"
                " to call again, give the import another --id"
            )
        for reason, many in tally.reasons.counts.most_common(SHOWN):
            yield f"{many:>9,}  {output.visible(mask_text(reason, asked=True))}"
        if self.refused and self.refused.written:
            yield f"Refused rows are in {self.refused.path}: correct them and import that file"

    def _as_json(self, took: float) -> dict[str, Any]:
        tally, written = self.tally, self.refused is not None and self.refused.written
        return {
            "file": self.file,
            "dry_run": self.dry_run,
            "columns": self.columns,
            "rows": tally.rows,
            "new": tally.new,
            "created": tally.created,
            "existing": tally.existing,
            "refused": tally.refused,
            "do_not_call": tally.do_not_call,
            "reasons": {
                mask_text(reason, asked=True): n for reason, n in tally.reasons.counts.most_common()
            },
            "warnings": tally.warnings(),
            "refused_file": str(self.refused.path) if self.refused and written else None,
            "problem": mask_text(self.problem) if self.problem else self.problem,
            "seconds": round(took, 3),
            **(self.preview.as_json() if self.preview else {}),
        }
