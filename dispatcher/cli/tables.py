"""Tables of the command line: one row on one line in a file, and what fits on a terminal.

Why not rich's: docs/explanation/decisions/tables-that-fit.md.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len

from dispatcher.cli import output

GAP = 2
Cell = str | tuple[str, str]
"""A text, or a text and its style."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `right`: of numbers. Where there is no room it is broken over several lines, if it
    may be (`least` columns of the terminal and no fewer); then those of the highest `rank` are
    left out, and those that say nothing. One of rank 0 stays.
    """

    name: str
    right: bool = False
    least: int = 0
    rank: int = 0


class Table:
    """Rows for people."""

    def __init__(self, *columns: Column | str, header: bool = True) -> None:
        self.columns = [each if isinstance(each, Column) else Column(each) for each in columns]
        self._header = header
        self._rows: list[tuple[Cell, ...]] = []

    def add(self, *cells: Cell) -> None:
        """Add a row: a cell for each column, of what others may have written."""
        self._rows.append(cells)

    def show(self, what: str = "") -> None:
        """Print it. `what` its rows are, for a list that may be empty: `no jobs`."""
        if what and not self._rows:
            output.line(f"no {what}")
            return
        room = output.width()
        for line in self.rendered(room, colours=output.colours()):
            sys.stdout.write(line + "\n")
        if room is not None and (missing := self.left_out(room)):
            words = f"no room for: {', '.join(missing)} (see --json)"
            sys.stderr.write("\n".join(output.folded(words, room)) + "\n")

    def left_out(self, room: int) -> list[str]:
        """Return the names of the columns that have no place in so many columns of a terminal."""
        there = self._layout(self._texts(), room)
        said = self._said(self._texts())
        return [self.columns[place].name for place in said if place not in there]

    def rendered(self, room: int | None, *, colours: bool = False) -> list[str]:
        """Return its lines, for so many columns of a terminal; None: for any."""
        texts = self._texts()
        sizes = self._layout(texts, room)
        found = []
        if self._header:
            names = [each.name for each in self.columns]
            found += self._lines(names, ["bold"] * len(names), sizes, room, colours=colours)
        for cells, row in zip(texts, self._rows, strict=True):
            styles = [each[1] if isinstance(each, tuple) else "" for each in row]
            found += self._lines(cells, styles, sizes, room, colours=colours)
        return found

    def _texts(self) -> list[list[str]]:
        return [[_text(each) for each in row] for row in self._rows]

    def _said(self, texts: Sequence[Sequence[str]]) -> list[int]:
        """Return the places of the columns that say something, or stay all the same."""
        return [
            place
            for place, column in enumerate(self.columns)
            if not column.rank or any(row[place] for row in texts)
        ]

    def _layout(self, texts: Sequence[Sequence[str]], room: int | None) -> dict[int, int]:
        """Return which columns are shown, by their places, and how wide each is."""
        names = [each.name if self._header else "" for each in self.columns]
        natural = [max(map(cell_len, each)) for each in zip(names, *texts, strict=True)]
        if room is None:
            return dict(enumerate(natural))
        return _fitting(self.columns, {place: natural[place] for place in self._said(texts)}, room)

    def _lines(
        self,
        cells: Sequence[str],
        styles: Sequence[str],
        sizes: dict[int, int],
        room: int | None,
        *,
        colours: bool,
    ) -> list[str]:
        """Return the lines of one row."""
        parts = {
            place: output.folded(cells[place], max(size, 1)) or [""]
            for place, size in sizes.items()
        }
        found = []
        for number in range(max(map(len, parts.values()))):
            line = ""
            for place, texts in parts.items():
                text = texts[number] if number < len(texts) else ""
                space = " " * (sizes[place] - cell_len(text))
                shown = text if room is None else output.isolated(text)
                shown = output.painted(shown, styles[place]) if colours and text else shown
                line += (space + shown if self.columns[place].right else shown + space) + " " * GAP
            found.append(line.rstrip())
        return found


def _text(cell: Cell) -> str:
    """Return what a cell says, in one line."""
    said = cell if isinstance(cell, str) else cell[0]
    return output.visible(" ".join(said.splitlines()))


def _fitting(columns: Sequence[Column], sizes: dict[int, int], room: int) -> dict[int, int]:
    """Return the sizes of those columns that fit, narrower where that is needed."""
    fitting = _narrowed(columns, sizes, room)
    droppable = [place for place in sizes if columns[place].rank]
    if _total(fitting) <= room or not droppable:
        return fitting
    least = max(droppable, key=lambda place: columns[place].rank)
    return _fitting(columns, {p: size for p, size in sizes.items() if p != least}, room)


def _narrowed(columns: Sequence[Column], sizes: dict[int, int], room: int) -> dict[int, int]:
    """Return the sizes with those columns narrower that may be broken, the widest first."""
    found = dict(sizes)
    for place in sorted(found, key=lambda place: -found[place]):
        over, least = _total(found) - room, columns[place].least
        if least and over > 0:
            found[place] = max(min(found[place], least), found[place] - over)
    return found


def _total(sizes: dict[int, int]) -> int:
    return sum(sizes.values()) + GAP * (len(sizes) - 1)
