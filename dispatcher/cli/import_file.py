"""The file of an import: opened, and told what it is."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

import typer

from dispatcher.cli.output import Format
from dispatcher.rows import no_tables, records
from dispatcher.rows.sheet_records import SheetRecords
from dispatcher.rows.text import Lines, UnusableInput


class Rows(Protocol):
    """The rows of a file, whatever it is. `columns` is None where each row has its own."""

    format: records.Format
    columns: list[str] | None
    delimiter: str

    @property
    def position(self) -> int:
        """How many bytes of the file were read."""

    def __iter__(self) -> Iterator[records.Record]: ...


@contextmanager
def opened(
    file: str,
    format_: Format | None,
    delimiter: str | None,
    encoding: str | None,
    sheet: str | None = None,
) -> Iterator[Rows]:
    """Yield the rows of a file, `-` for standard input. Raises UnusableInput, BadParameter."""
    with _stream(file) as stream:
        workbook = _is_workbook(file, stream)
        if sheet is not None and not workbook:
            raise UnusableInput(0, f"{file}: only a workbook (.xlsx) has sheets: leave out --sheet")
        try:
            if workbook:
                found: Rows = SheetRecords(stream, sheet)
            else:
                lines = Lines(stream, encoding)
                found = records.Records(lines, format_.value if format_ else None, delimiter)
        except UnusableInput as error:
            raise UnusableInput(error.line, f"{file}:{error.line or ''} {error}") from None
        yield found


@contextmanager
def _stream(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        stream = Path(file).open("rb", buffering=0)  # noqa: SIM115 - closed below
    except IsADirectoryError:
        raise UnusableInput(0, f"{file}: {no_tables.folder(file)}") from None
    except OSError as error:
        raise typer.BadParameter(f"{file}: {error.strerror}", param_hint="FILE") from None
    with stream:
        yield stream


def _is_workbook(file: str, stream: BinaryIO) -> bool:
    """Whether a file is a ZIP archive, which no pipe can be: it is read from its end."""
    if file == "-" or not stream.seekable():
        return False
    head = stream.read(len(no_tables.ZIP))
    stream.seek(0)
    return head == no_tables.ZIP
