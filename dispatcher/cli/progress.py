"""How far a long command has come: a bar on a terminal's stderr, and nothing anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Self, TypeVar

from rich import progress
from rich.console import Console

T = TypeVar("T")


class Progress:
    """A bar with rows, their rate and the time that remains.

    `rows` tells how many are done, `done` how much of `total` (the rows, unless told); without a
    total there is no end to show. `shown`: whether there is to be a bar at all.
    """

    def __init__(
        self,
        what: str,
        total: int | None,
        rows: Callable[[], int],
        done: Callable[[], int] | None = None,
        *,
        shown: bool = True,
    ) -> None:
        self._rows, self._done = rows, done or rows
        self._bar = progress.Progress(
            progress.TextColumn("{task.description}"),
            progress.BarColumn(),
            progress.TaskProgressColumn(),
            progress.TextColumn("{task.fields[rows]:,} rows"),
            progress.TextColumn("{task.fields[rate]:,.0f}/s"),
            progress.TimeRemainingColumn(),
            console=Console(file=sys.stderr),
            disable=not (shown and sys.stderr.isatty()),
            transient=True,
            redirect_stdout=False,  # it may be a file: what is written there is not to be shown
        )
        self._task = self._bar.add_task(what, total=total, rows=0, rate=0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def each(self, batches: Iterator[T]) -> Iterator[T]:
        """Yield the batches, with the bar moved on after each."""
        for batch in batches:
            yield batch
            self.move()

    def move(self) -> None:
        """Show how far it is now."""
        took = self._bar.tasks[0].elapsed or 0
        rows = self._rows()
        rate = rows / took if took else 0
        self._bar.update(self._task, completed=self._done(), rows=rows, rate=rate)
