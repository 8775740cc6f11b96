"""What a measurement finds: tables of figures, each with its unit and all of its rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

Figure = float | str | None | list[float]
"""A number, a word, nothing, or what each round gave: then the median of them counts."""


@dataclass(frozen=True)
class Column:
    """What the figures of a column are: `form` is a format specification of one number."""

    name: str
    unit: str = ""
    form: str = ",.0f"

    def shown(self, figure: Figure) -> str:
        """Return a figure as a table shows it."""
        value = middle(figure)
        if value is None or isinstance(value, str):
            return value or ""
        return f"{value:{self.form}}{' ' if self.unit else ''}{self.unit}"

    def record(self, figure: Figure) -> dict[str, Any]:
        """Return a figure as a file keeps it."""
        found: dict[str, Any] = {"value": middle(figure), "unit": self.unit}
        return found | ({"rounds": figure} if isinstance(figure, list) else {})


@dataclass
class Table:
    """Figures of one kind: what was done, the columns, and a row for each way of doing it."""

    about: str
    columns: Sequence[Column]
    rows: dict[str, Sequence[Figure]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(self, row: str, *figures: Figure) -> None:
        """Add a row, with a figure for each column."""
        assert len(figures) == len(self.columns), (row, figures)
        assert row not in self.rows, row
        self.rows[row] = figures

    def value(self, row: str, column: str) -> float:
        """Return one figure, the median of its rounds."""
        place = [each.name for each in self.columns].index(column)
        found = middle(self.rows[row][place])
        assert found is not None, (row, column)
        return float(found)

    def ratio(self, row: str, to: str, column: str) -> float:
        """Return a row's figure as a multiple of another row's."""
        return self.value(row, column) / self.value(to, column)

    def text(self) -> str:
        """Return it as Markdown."""
        lines = [["", *(each.name for each in self.columns)], ["---"] * (len(self.columns) + 1)]
        for row, figures in self.rows.items():
            cells = zip(self.columns, figures, strict=True)
            lines.append([row, *(column.shown(figure) for column, figure in cells)])
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return "\n\n".join([f"{self.about}:", table, *self.notes])

    def record(self) -> dict[str, Any]:
        """Return it as JSON keeps it."""
        rows = {
            row: {
                column.name: column.record(figure)
                for column, figure in zip(self.columns, figures, strict=True)
                if figure is not None
            }
            for row, figures in self.rows.items()
        }
        return {"about": self.about, "rows": rows, "notes": self.notes}


def middle(figure: Figure) -> float | str | None:
    """Return the median of the rounds, or the figure itself."""
    return median(figure) if isinstance(figure, list) else figure


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that this share (0 to 1) of the values does not exceed."""
    return sorted(values)[int(share * (len(values) - 1))]
