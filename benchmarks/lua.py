"""Server time of single operations: as scripts of 0.1.0, one by one, and many in one step."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from statistics import quantiles
from typing import Any

import redis

from benchmarks.circumstances import ROOT
from benchmarks.figures import Column, Table
from benchmarks.taking import LEASE, NO_LIMIT, own_call
from dispatcher.model.call import CallRef, CallReport
from dispatcher.model.decision import Decision
from dispatcher.model.outcome import Outcome
from dispatcher.model.request import JobRequest
from dispatcher.policy import Policy, after_placing, after_report
from dispatcher.store import Store
from dispatcher.store.accepting import as_list
from dispatcher.store.calls import Answer, as_row
from dispatcher.store.connection import Call, Connection, milliseconds
from dispatcher.store.library import library
from dispatcher.store.packing import packed
from dispatcher.store.redis_url import connect
from dispatcher.store.values import Packed
from dispatcher.values.namespace import DEFAULT_NAMESPACE
from workers.devstack.embedded_server import EmbeddedServer

BEFORE = "7fe0d7a"
"""The last commit whose operations were scripts, each with all helpers before it."""
ROUNDS = 5
STEPS = {
    "enqueued": ("enqueue",),
    "chosen and claimed": ("dispatch", "claim", "take"),
    "settled, call placed": ("placed",),
    "settled, call ended": ("ended",),
    "a connection given back": ("release_connection",),
}
"""What a job goes through -> the operations that take it there. The last one is the smallest: it
takes one member out of a sorted set, now as then, so all the rest of it is what any one costs."""
ALONE = "release_connection"
"""What is done for one at a time."""

_SIDE_BEFORE = """
import json, sys
from decimal import Decimal
from dispatcher.policy import Policy, Report, after_placing, after_report
from dispatcher.rate import Rate
from dispatcher.redis_url import connect
from dispatcher.request import JobRequest
from dispatcher.rules import Rules
from dispatcher.store import Store, codec

class Batched(Store):
    def run(self, operation, *arguments):
        self._script(operation)([self.root], self._arguments(arguments), self.pipe)
        return {"claim": b"gone", "settle": (b"", b"")}.get(operation, b"")

now, policy = 1e12, Policy()
store = Store(connect(sys.argv[1]), clock=lambda: now)
batch = Batched(store.redis, clock=lambda: now)
batch.pipe = store.redis.pipeline(transaction=False)
store.publish(Rules(rate=Rate.parse("50/s"), connections=100))
for n in range(0, int(sys.argv[2]), 20):
    own = [{"key": str(n + i), "recipient": f"+8180{n + i:08d}"} for i in range(20)]
    rows = [codec.packed(JobRequest.of(json.loads(sys.argv[3]) | each)) for each in own]
    for row in rows:
        batch.run("enqueue", "producer", f"[{row.text}]")
    for row in rows:
        now += 400
        batch.feed(1)
    for row in rows:
        now += 400
        batch.claim(row.id, token=row.id, lease=60)
    for row in rows:
        batch.settle(row.id, 1, after_placing({"callid": row.id}, policy))
    batch.pipe.execute()
    report = Report("ANSWERED", True, cost=Decimal("12.5"), duration=23)
    ended = after_report(report, store.get(rows[0].id), policy)
    for row in rows:
        batch.settle(row.id, 1, ended)
    for row in rows:
        batch.give_back("nobody")
    batch.pipe.execute()
given = {"feed": "dispatch", "give_back": "release_connection"}
print(json.dumps({made.sha: given.get(name, name) for name, made in batch._scripts.items()}))
"""
BATCH = 20
"""Operations of a kind that follow each other, sent together: Redis finds them warm."""
CLAIM = 5
"""What `take` answers of each job that it claims."""
JOB = {
    "say": "The disk of the database is full",
    "tags": ["campaign:spring"],
}
Names = dict[str, str]
"""What the server calls an operation (its sha or function) -> the operation."""


def run(*, quick: bool) -> Iterator[Table]:
    """Measure all ways in turn, several rounds."""
    jobs = 100 if quick else 400
    with tempfile.TemporaryDirectory() as folder:
        before = _checkout(Path(folder, "before"))
        ways: dict[str, Callable[[str], Names]] = {
            "0.1.0": lambda url: _drive_before(before, url, jobs),
            "one by one": lambda url: _drive(url, jobs, 1),
            f"{BATCH} at once": lambda url: _drive(url, jobs, BATCH),
        }
        found: dict[str, list[dict[str, float]]] = defaultdict(list)
        for number in range(ROUNDS):
            for place, (name, drive) in enumerate(ways.items()):
                at_once = BATCH if name.startswith(str(BATCH)) else 1
                server = Path(folder, f"{place}-{number}")
                found[name].append(_measure(server, drive, at_once))
    yield _table(found)


def _table(found: dict[str, list[dict[str, float]]]) -> Table:
    about = f"Server time for each job, median of {ROUNDS} rounds by turns"
    table = Table(about, [Column(way, "µs") for way in found])
    for step in STEPS:
        table.add(step, *([each[step] for each in rounds] for rounds in found.values()))
        before, *now = (table.value(step, way) for way in found)
        told = " and ".join(f"{each / before:.2f}" for each in now)
        table.notes.append(f"{step}: {told} times that of 0.1.0.")
    return table


def _measure(folder: Path, drive: Callable[[str], Names], at_once: int) -> dict[str, float]:
    """Return µs of server time for each job by step, as the slow log of a server of its own says.

    Of the calls in a round the tenth percentile: whatever else runs on the machine only adds.
    """
    with EmbeddedServer(folder) as server, redis.Redis.from_url(server.url) as client:
        client.config_set("slowlog-max-len", 100_000)
        client.config_set("slowlog-log-slower-than", 0)
        names = drive(server.url)
        client.config_set("slowlog-log-slower-than", -1)
        entries: Any = client.slowlog_get(100_000)
    took: dict[str, list[float]] = defaultdict(list)
    for entry in reversed(entries):
        words = entry["command"].decode("utf-8", "replace").split(" ")
        if words[0] in {"EVALSHA", "FCALL"} and words[1] in names:
            name = names[words[1]]
            took[name].append(entry["duration"] / (1 if name == ALONE else at_once))
    for place, duration in enumerate(took["settle"]):
        took["ended" if place * at_once // BATCH % 2 else "placed"].append(duration)
    return {
        step: sum(quantiles(took[name], n=10)[0] for name in names_of if name in took)
        for step, names_of in STEPS.items()
    }


def _checkout(folder: Path) -> Path:
    """Put the code of BEFORE into a folder."""
    command = ["git", "-C", str(ROOT), "archive", BEFORE, "dispatcher"]
    archived = subprocess.run(command, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archived)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _drive_before(folder: Path, url: str, jobs: int) -> Names:
    command = [sys.executable, "-c", _SIDE_BEFORE, url, str(jobs), json.dumps(JOB)]
    env = {**os.environ, "PYTHONPATH": str(folder)}
    told = subprocess.run(command, check=True, capture_output=True, env=env, cwd=folder).stdout
    names: Names = json.loads(told)
    return names


def _drive(url: str, jobs: int, at_once: int) -> Names:
    """Take jobs from their requests to their ends, each step for a batch of them, sent together."""
    store, policy = Store.from_url(url), Policy()
    store.limiter.publish(NO_LIMIT)
    connection = Connection(connect(url), DEFAULT_NAMESPACE, None)
    placed = after_placing(CallRef(("",)), policy)
    report = CallReport(Outcome.ANSWERED, "ANSWERED", cost=Decimal("12.5"), duration=23)
    for start in range(0, jobs, BATCH):
        own = [{"key": str(n), "recipient": f"+8180{n:08d}"} for n in range(start, start + BATCH)]
        rows = [packed(JobRequest.of(JOB | each)) for each in own]
        groups = [rows[first : first + at_once] for first in range(0, BATCH, at_once)]
        connection.run_all([_enqueue(group) for group in groups])
        taken = connection.run_all([_take(at_once) for _ in groups])
        assert all(len(claims) == at_once * CLAIM for *_, claims, _ in taken), "not all were taken"
        connection.run_all([_settle(group, placed) for group in groups])
        ended = after_report(report, store.jobs.get(rows[0].id), policy)
        assert ended is not None
        connection.run_all([_settle(group, ended) for group in groups])
        connection.run_all([(ALONE, {"holder": "nobody"})] * BATCH)
    return {library().function(name): name for name in ("enqueue", "take", "settle", ALONE)}


def _enqueue(rows: Sequence[Packed]) -> Call:
    return "enqueue", {"actor": "producer", "jobs": as_list(rows)}


def _take(most: int) -> Call:
    how = {"token": uuid.uuid4().hex, "lease": milliseconds(LEASE), "provider": "xoxzo"}
    return "take", {"most": most, "actor": "worker", **how}


def _settle(rows: Sequence[Packed], decision: Decision) -> Call:
    answers = [as_row(Answer(row.id, 1, own_call(decision))) for row in rows]
    return "settle", {"answers": answers}
