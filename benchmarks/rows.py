"""Many rows in and out, by the command line as people run it: pace, memory, again, interrupted."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Column, Table
from benchmarks.stand import numbers
from dispatcher.model.states import State
from dispatcher.store import Store
from dispatcher.store.redis_url import connect
from workers.devstack.embedded_server import EmbeddedServer

COMMAND = "from dispatcher.cli import main; main()"
SAY = "Dear {name}, your appointment is tomorrow at ten. Please be there a little earlier."


@dataclass(frozen=True)
class Ran:
    """What a run took, and what it said."""

    seconds: float
    megabytes: float
    out: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


COLUMNS = (
    Column("rows"),
    Column("took", "s", ".1f"),
    Column("pace", "rows/s"),
    Column("peak memory", "MB"),
    Column("what came"),
)


def run(*, quick: bool) -> Iterator[Table]:
    """Measure each way to bring rows in and out."""
    rows = 10_000 if quick else 100_000
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where we run behind a shell
    with tempfile.TemporaryDirectory() as name, EmbeddedServer(Path(name, "redis")) as redis:
        folder, store, client = Path(name), Store.from_url(redis.url), connect(redis.url)
        os.environ["DISPATCHER_REDIS_URL"] = redis.url
        for size in (rows // 10, rows):
            _write(folder / f"{size}.csv", size)
        table = Table("Rows in and out, by the command line", COLUMNS)
        for size in (rows // 10, rows):
            client.flushall()
            _import(table, folder, size, f"checked, previewed, imported: {size:,}")
        _import(table, folder, rows, "the same once more")
        for format_ in ("csv", "jsonl"):
            ran = _ran(folder, "export", "--format", format_, "--unmask", "--output", "out")
            size = (folder / "out").stat().st_size
            _add(table, f"exported as {format_}", rows, ran, f"{size:,} bytes")
        client.flushall()
        _interrupted(table, folder, rows, store)
    yield table


def _import(table: Table, folder: Path, size: int, what: str) -> None:
    ran = _ran(folder, *_import_of(size))
    found = ran.json
    _add(
        table, what, size, ran, f"{found['created']:,} made, {found['existing']:,} already enqueued"
    )
    assert found["created"] + found["existing"] == size


def _interrupted(table: Table, folder: Path, size: int, store: Store) -> None:
    process = _started(folder, *_import_of(size))
    while _queued(store) < size / 3:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    first = _ended(process, time.monotonic())
    assert process.returncode == 130, process.returncode
    ran = _ran(folder, *_import_of(size))
    made, same = ran.json["created"], ran.json["existing"]
    assert made + same == size == _queued(store)
    before = first.json["created"]
    said = f"{before:,} made when interrupted, then {made:,}; {_queued(store):,} jobs"
    _add(table, "interrupted, and once more", size, ran, said)


def _queued(store: Store) -> int:
    return sum(store.search.counts()[State.QUEUED].values())


def _import_of(size: int) -> tuple[str, ...]:
    return ("import", f"{size}.csv", "--say", SAY, "--set", "priority=bulk", "--yes", "--json")


def _write(path: Path, size: int) -> None:
    with path.open("w") as file:
        file.write("name,phone,tags\n")
        for n, number in enumerate(numbers(size)):
            file.write(f"Person {n},{number},campaign:{n % 20}\n")


def _ran(folder: Path, *arguments: str) -> Ran:
    began = time.monotonic()
    return _ended(_started(folder, *arguments), began)


def _started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )


def _ended(process: subprocess.Popen[str], began: float) -> Ran:
    assert process.stdout
    out = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Ran(time.monotonic() - began, used.ru_maxrss / 1024, out)


def _add(table: Table, what: str, rows: int, ran: Ran, said: str) -> None:
    table.add(what, rows, ran.seconds, rows / ran.seconds, ran.megabytes, said)
