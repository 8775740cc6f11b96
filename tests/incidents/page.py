"""The tables of the page on incidents: of problems, and of those that were brought about."""

from __future__ import annotations

from pathlib import Path

from dispatcher.problems.catalogue import CATALOGUE, Entry
from dispatcher.values.counts import counted
from incidents.recording import Recording, recordings

ROOT = Path(__file__).resolve().parents[2]
OF_RULES, OF_INCIDENTS = "<!-- made by `make rules` -->", "<!-- made by `make incidents` -->"
END = "<!-- end -->"


def page() -> Path:
    """Return the page, wherever it lies in docs/."""
    (found,) = (ROOT / "docs").rglob("incidents.md")
    return found


def problems() -> str:
    """Return the table of the catalogue."""
    head = "| problem | says | what to do | alert |"
    rows = (
        f"| `{name}` | {entry.summary} | {entry.remedy} | {_alert(entry)} |"
        for name, entry in CATALOGUE.items()
    )
    return "\n".join([head, "|---" * 4 + "|", *rows])


def _alert(entry: Entry) -> str:
    if entry.severity is None:
        return "none"
    return f"{entry.severity}, after {counted(entry.minutes, 'minute')}"


def incidents() -> str:
    """Return the table of the recordings."""
    head = "| what goes wrong | `doctor` | console | what `doctor` says | alert |"
    made = [Recording.read(path) for path in recordings()]
    return "\n".join([head, "|---" * 5 + "|", *(_row(each) for each in made if each.problem)])


def _row(made: Recording) -> str:
    times = [_seconds(made.named.get(who)) for who in ("doctor", "page")]
    said = made.says.replace("|", "\\|")
    return f"| **{made.title}**: {made.how} | {' | '.join(times)} | {said} | `{made.alert}` |"


def _seconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds:.0f} s"


def with_tables(text: str) -> str:
    """Return the text of the page with the tables of now."""
    return _with(_with(text, OF_RULES, problems()), OF_INCIDENTS, incidents())


def _with(text: str, begin: str, table: str) -> str:
    before, _, rest = text.partition(begin)
    after = rest.partition(END)[2]
    return f"{before}{begin}\n{table}\n{END}{after}"


def write_page() -> None:
    """Put the tables into the page."""
    page().write_text(with_tables(page().read_text()))


if __name__ == "__main__":
    write_page()
