"""What an import and a command cost: this checkout by turns with the one before (0.1.0)."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from benchmarks.figures import Column, Table
from workers.devstack.embedded_server import EmbeddedServer

BEFORE = "7fe0d7a"
ROOT = Path(__file__).resolve().parents[1]
JOBS = 50
FILL = f"""
import sys
from dispatcher import Dispatcher
rows = ({{"recipient": f"+8180{{n:08d}}", "say": "x"}} for n in range({JOBS}))
made = Dispatcher.from_url(sys.argv[1]).call_many(rows)
getattr(made, "collect", list)()  # 0.1.0 gave them all at once
"""
CLI = "from dispatcher.cli import main; main()"
COMMANDS: dict[str, tuple[str, ...]] = {
    "import dispatcher": ("import dispatcher",),
    "from dispatcher import Dispatcher": ("from dispatcher import Dispatcher",),
    "…, and from_url": (
        "import sys; from dispatcher import Dispatcher; Dispatcher.from_url(sys.argv[1])",
        "redis://127.0.0.1:6379",
    ),
    "voice-dispatcher --help": (CLI, "--help"),
    f"voice-dispatcher list ({JOBS} jobs)": (CLI, "list"),
}


@dataclass(frozen=True)
class Side:
    """A checkout, with the environment its commands run in, and what they took in seconds."""

    environment: Mapping[str, str]
    processor: dict[str, list[float]] = field(default_factory=dict)
    wall: dict[str, list[float]] = field(default_factory=dict)

    def run(self, *arguments: str) -> tuple[float, float]:
        """Run a Python; return its seconds of processor time and by the clock."""
        began = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", *arguments],
            env=self.environment,
            stdout=subprocess.DEVNULL,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, arguments
        return used.ru_utime + used.ru_stime, time.perf_counter() - began

    def measure(self, name: str) -> None:
        """Run a command once, and remember what it took."""
        processor, wall = self.run(*COMMANDS[name])
        self.processor.setdefault(name, []).append(processor)
        self.wall.setdefault(name, []).append(wall)


COLUMNS = (Column("processor", "s", ".2f"), Column("by the clock", "s", ".2f"))


def run(*, quick: bool) -> Iterator[Table]:
    """Measure medians of both, by turns, and what is left of the processor time."""
    tries = 5 if quick else 31
    with sides() as (before, now):
        for name, command in COMMANDS.items():
            for side in (before, now):
                side.run(*command)  # its modules are compiled by then
            for _ in range(tries):
                before.measure(name)
                now.measure(name)
    table = Table(f"Median of {tries}, by turns", COLUMNS)
    for name in COMMANDS:
        for when, side in {BEFORE: before, "now": now}.items():
            table.add(f"{name}, {when}", side.processor[name], side.wall[name])
        ratio = table.ratio(f"{name}, now", f"{name}, {BEFORE}", "processor")
        table.notes.append(f"{name}: {ratio:.2f} times the processor time.")
    yield table


@contextmanager
def sides() -> Iterator[tuple[Side, Side]]:
    """Give both checkouts, each with a Redis in which jobs wait."""
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedServer(Path(folder, "before")) as old,
        EmbeddedServer(Path(folder, "now")) as new,
    ):
        checkout = Path(folder, "checkout")
        _extract(checkout)
        found = _side(checkout, old.url), _side(ROOT, new.url)
        for side, url in zip(found, (old.url, new.url), strict=True):
            side.run(FILL, url)
        yield found


def _side(checkout: Path, url: str) -> Side:
    environment = {**os.environ, "PYTHONPATH": str(checkout), "DISPATCHER_REDIS_URL": url}
    return Side(environment)


def _extract(to: Path) -> None:
    """Write the code of the commit before into a folder; the packages of this environment do."""
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "archive", BEFORE], stdout=subprocess.PIPE, check=True
    )
    with tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        files.extractall(to, filter="data")
