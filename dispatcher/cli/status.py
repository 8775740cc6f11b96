"""What a command is doing or waiting for: one line on a terminal's stderr, and nowhere else."""

from __future__ import annotations

import shutil
import sys
from typing import Self

import typer
from rich.cells import set_cell_size

from dispatcher.cli.output import visible


class Status:
    """One line that says what is under way, and goes at the end of its `with` block."""

    def __init__(self, text: str = "") -> None:
        self.moves = sys.stderr.isatty() and not _is_dumb()
        self._text, self._shown = text, False

    def __enter__(self) -> Self:
        if self._text:
            self.show(self._text)
        return self

    def __exit__(self, *_: object) -> None:
        self._write("")

    def show(self, text: str) -> None:
        """Say it instead of what was said, cut to one line of the terminal."""
        self._write(visible(text).replace("\n", " "))

    def echo(self, text: str) -> None:
        """Print a line that stays, on stderr."""
        self._write("")
        typer.echo(text, err=True)

    def _write(self, text: str) -> None:
        if self.moves and (text or self._shown):
            self._shown = bool(text)
            room = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r\x1b[K{set_cell_size(text, room).rstrip()}")
            sys.stderr.flush()


def _is_dumb() -> bool:
    """Whether the terminal knows no way to write over a line."""
    from rich.console import Console  # noqa: PLC0415 - only a terminal needs it

    return Console(file=sys.stderr).is_dumb_terminal
