"""Server time of single operations: as scripts of 0.1.0, as scripts with requires, as functions."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from statistics import quantiles
from typing import Any, Self

import redis

from benchmarks.figures import Column, Table
from dispatcher.model.account_config import AccountConfig
from dispatcher.model.call import CallRef, CallReport
from dispatcher.model.outcome import Outcome
from dispatcher.model.request import JobRequest
from dispatcher.policy import Policy, after_placing, after_report
from dispatcher.store import codec
from dispatcher.store.calls import Calls
from dispatcher.store.connection import Connection
from dispatcher.store.jobs import Jobs
from dispatcher.store.library import library, modules, operations
from dispatcher.store.limiter import Limiter
from dispatcher.store.queue import Queue
from dispatcher.values.namespace import DEFAULT_NAMESPACE
from dispatcher.values.rate import Rate
from workers.devstack.embedded_server import EmbeddedServer

BEFORE = "7fe0d7a"
"""The last commit whose operations were scripts, each with all helpers before it."""
ROUNDS = 5
OPERATIONS = {
    "enqueue": "enqueue, one job",
    "dispatch": "dispatch, one job",
    "claim": "claim",
    "placed": "settle, call placed",
    "ended": "settle, call ended",
    "release_connection": "release a connection",
}
STEP = 400.0  # ms of the clock between two requests: the rate is not what is measured

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
"""Operations of a kind that follow each other: Redis finds them warm, as under load."""
JOB = {
    "say": "The disk of the database is full",
    "tags": ["campaign:spring"],
}


def run(*, quick: bool) -> Iterator[Table]:
    """Measure all ways in turn, several rounds."""
    jobs = 100 if quick else 400
    with tempfile.TemporaryDirectory() as folder:
        before = _checkout(Path(folder, "before"))
        ways: dict[str, Callable[[str], Names]] = {
            "0.1.0": lambda url: _drive_before(before, url, jobs),
            "scripts": lambda url: _drive(url, jobs, Scripts),
            "functions": lambda url: _drive(url, jobs, Connection),
        }
        found: dict[str, list[dict[str, float]]] = defaultdict(list)
        for number in range(ROUNDS):
            for name, drive in ways.items():
                found[name].append(_measure(Path(folder, f"{name}{number}"), drive))
    yield _table(found)


Names = dict[str, str]
"""What the server calls an operation (its sha or function) -> the operation."""


def _measure(folder: Path, drive: Callable[[str], Names]) -> dict[str, float]:
    """Return µs of server time by operation, as the slow log of a server of its own says.

    Of the calls in a round the tenth percentile: whatever else runs on the machine only adds.
    """
    with EmbeddedServer(folder) as server, redis.Redis.from_url(server.url) as client:
        client.config_set("slowlog-max-len", 100_000)
        client.config_set("slowlog-log-slower-than", 0)
        names = drive(server.url)
        client.config_set("slowlog-log-slower-than", -1)
        entries: Any = client.slowlog_get(100_000)
        ended: Any = [
            client.zcard(name) for name in ("{vd}:idx:completed", "{vd}:by_state:completed")
        ]
    took: dict[str, list[int]] = defaultdict(list)
    for entry in reversed(entries):
        words = entry["command"].decode("utf-8", "replace").split(" ")
        if words[0] in {"EVALSHA", "FCALL"} and words[1] in names:
            took[names[words[1]]].append(entry["duration"])
    for place, duration in enumerate(took["settle"]):
        took["ended" if place // BATCH % 2 else "placed"].append(duration)
    assert len(took["ended"]) == sum(ended), "not every job went its whole way"
    return {name: quantiles(took[name], n=10)[0] for name in OPERATIONS}


def _table(found: Mapping[str, list[dict[str, float]]]) -> Table:
    table = Table("Server time of one operation", [Column(way, "µs") for way in found])
    for name, words in OPERATIONS.items():
        table.add(words, *([each[name] for each in rounds] for rounds in found.values()))
        ratio = table.value(words, "functions") / table.value(words, "0.1.0")
        table.notes.append(f"{words}: {ratio:.2f} times that of 0.1.0.")
    return table


def _checkout(folder: Path) -> Path:
    """Put the code of BEFORE into a folder."""
    here = Path(__file__).resolve().parents[1]
    command = ["git", "-C", str(here), "archive", BEFORE, "dispatcher"]
    packed = subprocess.run(command, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")
    return folder


def _drive_before(folder: Path, url: str, jobs: int) -> Names:
    command = [sys.executable, "-c", _SIDE_BEFORE, url, str(jobs), json.dumps(JOB)]
    env = {**os.environ, "PYTHONPATH": str(folder)}
    told = subprocess.run(command, check=True, capture_output=True, env=env, cwd=folder).stdout
    names: Names = json.loads(told)
    return names


def _drive(url: str, jobs: int, way: type[Connection]) -> Names:
    clock = Clock()
    with redis.Redis.from_url(url) as client:
        connection = way(client, DEFAULT_NAMESPACE, clock)
        limiter = Limiter(connection)
        limiter.publish(AccountConfig(rate=Rate.parse("50/s"), connections=100))
        for start in range(0, jobs, BATCH):
            _batch(connection, clock, range(start, start + BATCH))
        return connection.names if isinstance(connection, Scripts) else _functions()


def _batch(connection: Connection, clock: Clock, numbers: range) -> None:
    """Take jobs from their requests to their ends, each step for all of them."""
    own = [{"key": str(n), "recipient": f"+8180{n:08d}"} for n in numbers]
    rows = [codec.packed(JobRequest.of(JOB | each)) for each in own]
    with Batched(connection) as step:
        for row in rows:
            step.run("enqueue", actor="producer", jobs=f"[{row.text}]")
        for _ in rows:
            clock.now += STEP
            Queue(step).feed(1)
        for row in rows:
            clock.now += STEP
            Queue(step).claim(row.id, token=row.id, lease=60, provider="xoxzo")
        for row in rows:
            _calls(step).settle(row.id, 1, after_placing(CallRef((row.id,)), Policy()))
    report = CallReport(Outcome.ANSWERED, "ANSWERED", cost=Decimal("12.5"), duration=23)
    ended = after_report(report, Jobs(connection).get(rows[0].id), Policy())
    assert ended is not None
    with Batched(connection) as step:
        for row in rows:
            _calls(step).settle(row.id, 1, ended)
        for _ in rows:
            Limiter(step).give_back("nobody")


def _calls(connection: Connection) -> Calls:
    return Calls(connection, Limiter(connection))


class Batched(Connection):
    """Operations that go to Redis together; their answers are only checked."""

    def __init__(self, to: Connection) -> None:
        super().__init__(to.redis, DEFAULT_NAMESPACE, None)
        self._to, self._calls = to, list[list[Any]]()

    def run(self, operation: str, **arguments: Any) -> Any:
        """Put an operation into the batch."""
        self._calls.append(self._to._command(operation, arguments))  # noqa: SLF001 - timed as sent
        return {"claim": b"gone", "settle": (b"", b"")}.get(operation, b"")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pipe = self.redis.pipeline(transaction=False)
        for command in self._calls:
            pipe.execute_command(*command)
        pipe.execute()


def _functions() -> Names:
    return {library().function(name): name for name in operations()}


class Clock:
    """A clock that is set by hand, in ms since the epoch."""

    def __init__(self) -> None:
        self.now = 1e12

    def __call__(self) -> float:
        return self.now


class Scripts(Connection):
    """The other way: each operation a script of its own, with the modules that it requires."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.names: Names = {}
        self._shas: dict[str, str] = {}

    def _command(self, operation: str, arguments: Mapping[str, Any]) -> list[Any]:
        _, _, *rest = super()._command(operation, arguments)
        return ["EVALSHA", self._sha(operation), *rest]

    def _sha(self, operation: str) -> str:
        if operation not in self._shas:
            sha: Any = self.redis.script_load(_script(f"ops/{operation}"))
            self._shas[operation] = sha.decode() if isinstance(sha, bytes) else sha
            self.names[self._shas[operation]] = operation
        return self._shas[operation]


def _script(name: str) -> str:
    """Return the text of a script: the modules it requires, in their order, and a call."""
    order: list[str] = []
    for needed in ("lib/call", "lib/guard", name):
        _collect(needed, order)
    texts = modules()
    parts = [f"modules['{each}'] = (function()\n{texts[each]}\nend)()" for each in order]
    call = (
        "local call = require('lib/call').new(KEYS, ARGV)\n"
        f"return require('lib/guard').refuse(call, true) or require('{name}').run(call)"
    )
    head = "local modules = {}\nlocal function require(name) return modules[name] end"
    return "\n".join([head, *parts, call])


def _collect(name: str, order: list[str]) -> None:
    if name not in order:
        for needed in re.findall(r"require\('([^']+)'\)", modules()[name]):
            _collect(needed, order)
        order.append(name)
