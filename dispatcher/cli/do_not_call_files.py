"""`dnc import` and `dnc export`: the do-not-call list as a file."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from dispatcher.cli import connection, output
from dispatcher.cli.export import written_to
from dispatcher.cli.import_file import opened
from dispatcher.cli.numbers_option import Plus, numbers_of
from dispatcher.cli.output import AsJson, Format
from dispatcher.cli.person import actor
from dispatcher.cli.region_option import Region
from dispatcher.cli.status import Status
from dispatcher.model.do_not_call import OtherKey, Wish
from dispatcher.rows.do_not_call import RefusedRow, Usual, wishes, write
from dispatcher.security_log import SecurityEvent, tell
from dispatcher.store.do_not_call import AT_ONCE, DoNotCallList
from dispatcher.values.counts import counted

SHOWN = 20
"""Refused lines that are told one by one."""


def import_(
    context: typer.Context,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="CSV with the columns number (or hash), reason, until, tag; or one number on each"
            " line. - is stdin.",
        ),
    ],
    *,
    reason: Annotated[str, typer.Option(help="For rows without one of their own.")] = "",
    until: Annotated[str | None, typer.Option(help="For rows without one of their own.")] = None,
    tag: Annotated[str | None, typer.Option(help="For rows without one of their own.")] = None,
    hash_: Annotated[
        bool, typer.Option("--hash", help="Keep no numbers, only their keyed hashes.")
    ] = False,
    region: Region = None,
    plus: Plus = False,
    encoding: Annotated[str | None, typer.Option(help="Such as cp932; default UTF-8.")] = None,
    json: AsJson = False,
) -> None:
    """Put the numbers of a file on the list. A wrong line stops none of the others."""
    numbers = numbers_of(context, region, plus=plus)
    usual = Usual(reason, until, tag, keep=not hash_, numbers=numbers)
    Wish.of("+818012340001", reason=reason, until=until, tag=tag)  # what all have, before any row
    with opened(file, Format.CSV, None, encoding) as rows:
        run = _Import(connection.dispatcher(context).store.do_not_call, file)
        run.take(wishes(rows, rows.columns or [], usual))
    run.report(json=json)
    if run.refused:
        raise typer.Exit(1)


class _Import:
    """Takes rows in, a batch at a time."""

    def __init__(self, list_: DoNotCallList, file: str) -> None:
        self._list, self._file = list_, file
        self.refused = 0
        self._answers: list[str] = []
        self._calling: set[str] = set()
        self._status = Status()

    def take(self, rows: Iterable[tuple[int, Wish] | RefusedRow]) -> None:
        all_ = iter(rows)
        with self._status:
            while batch := list(islice(all_, AT_ONCE)):
                self._take(batch)
                self._status.show(f"{counted(len(self._answers), 'entry')} taken in")

    def _take(self, batch: list[tuple[int, Wish] | RefusedRow]) -> None:
        right = []
        for row in batch:
            if isinstance(row, RefusedRow):
                self.refuse(row)
            else:
                right.append(row)
        self._add(right)

    def _add(self, rows: list[tuple[int, Wish]]) -> None:
        try:
            done = self._list.add([wish for _, wish in rows], actor=actor())
        except OtherKey as error:
            if len(rows) == 1:
                self.refuse(RefusedRow(rows[0][0], str(error)))
                return
            for row in rows:  # nothing of the batch was written
                self._add([row])
            return
        self._answers += done.answers
        self._calling |= set(done.calling)

    def refuse(self, row: RefusedRow) -> None:
        self.refused += 1
        if self.refused <= SHOWN:
            self._status.echo(f"{self._file}:{row.line}: {row.why}")

    def report(self, *, json: bool) -> None:
        counts = {each: self._answers.count(each) for each in ("new", "longer", "known")}
        if self.refused > SHOWN:
            typer.echo(f"… and {self.refused - SHOWN:,} more lines refused", err=True)
        if json:
            facts = {"refused": self.refused, "calling": sorted(self._calling)}
            output.as_json({**counts, **facts})
            return
        told = f"{counts['new']:,} new, {counts['longer']:,} for longer, {counts['known']:,} known"
        output.lines([f"{counted(len(self._answers), 'entry')}: {told}"])
        for id_ in sorted(self._calling):
            typer.echo(f"warning: job {id_} may be calling one of them now", err=True)


def export(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="File to write, readable by you only.")
    ],
    *,
    hashed: Annotated[
        bool, typer.Option("--hashed", help="Keyed hashes instead of numbers: it reveals nobody.")
    ] = False,
) -> None:
    """Write the list to a CSV file, as `dnc import` reads it: with whole numbers, unless hashed."""
    store = connection.dispatcher(context).store
    store.server.check_schema()
    store.audit.record(actor(), "dnc.export", "do-not-call list", unmasked=not hashed)
    tell(SecurityEvent.EXPORTED, actor=actor(), target="do-not-call list", unmasked=not hashed)
    with written_to(file) as stream, Status(f"writing {file} …"):
        done = write(stream, store.do_not_call.all(), hashed=hashed)
    typer.echo(f"{counted(done, 'entry')} written to {file}", err=True)
