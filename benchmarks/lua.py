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
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any

import redis

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.request import JobRequest
from dispatcher.policy import Policy, Report, after_placing, after_report
from dispatcher.store import Store
from dispatcher.store.connection import Connection
from dispatcher.store.library import modules
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
STEP = 25.0  # ms of the clock between two jobs: the rate is not what is measured

_SIDE_BEFORE = """
import json, sys, uuid
from decimal import Decimal
from dispatcher.policy import Policy, Report, after_placing, after_report
from dispatcher.rate import Rate
from dispatcher.redis_url import connect
from dispatcher.request import JobRequest
from dispatcher.rules import Rules
from dispatcher.store import Store

now = 1e12
store = Store(connect(sys.argv[1]), clock=lambda: now)
store.publish(Rules(rate=Rate.parse("50/s")))
policy, names = Policy(), {}
for n in range(int(sys.argv[2])):
    now += 25.0
    id_ = store.enqueue(JobRequest.of(json.loads(sys.argv[3]))).id
    store.feed()
    claim = store.claim(id_, token=str(n), lease=60)
    store.settle(id_, 1, after_placing({"callid": f"call-{n}"}, policy))
    ended = after_report(Report("ANSWERED", True, cost=Decimal("12.5"), duration=23), claim.job, policy)
    store.settle(id_, 1, ended)
    store.give_back("nobody")
given = {"feed": "dispatch", "give_back": "release_connection"}
print(json.dumps({store._scripts[name].sha: given.get(name, name) for name in store._scripts}))
"""
JOB = {
    "recipient": "+818011234567",
    "say": "The disk of the database is full",
    "tags": ["campaign:spring"],
}


def run(*, quick: bool) -> None:
    """Measure all ways in turn, several rounds, and print medians and ratios."""
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
    _print({name: _medians(rounds) for name, rounds in found.items()})


Names = dict[str, str]
"""What the server calls an operation (its sha or function) -> the operation."""


def _measure(folder: Path, drive: Callable[[str], Names]) -> dict[str, float]:
    """Return µs of server time by operation, as the slow log of a server of its own says."""
    with EmbeddedServer(folder) as server, redis.Redis.from_url(server.url) as client:
        client.config_set("slowlog-max-len", 100_000)
        client.config_set("slowlog-log-slower-than", 0)
        names = drive(server.url)
        client.config_set("slowlog-log-slower-than", -1)
        entries: Any = client.slowlog_get(100_000)
    took: dict[str, list[int]] = defaultdict(list)
    for entry in reversed(entries):
        words = entry["command"].decode("utf-8", "replace").split(" ")
        if words[0] in {"EVALSHA", "FCALL"} and words[1] in names:
            took[names[words[1]]].append(entry["duration"])
    took["placed"], took["ended"] = took["settle"][::2], took["settle"][1::2]
    return {name: median(took[name]) for name in OPERATIONS}


def _medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: median(each[name] for each in rounds) for name in OPERATIONS}


def _print(found: Mapping[str, Mapping[str, float]]) -> None:
    print("| server time, µs | 0.1.0 | scripts with requires | functions | functions : 0.1.0 |")
    print("|---|---|---|---|---|")
    for name, words in OPERATIONS.items():
        before, scripts, functions = (found[way][name] for way in found)
        ratio = f"{functions / before:.2f}"
        print(f"| {words} | {before:.0f} | {scripts:.0f} | {functions:.0f} | {ratio} |")


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
    clock = [1e12]
    with redis.Redis.from_url(url) as client:
        store = Store(client, clock=lambda: clock[0])
        connection = way(client, "vd", lambda: clock[0])
        for repository in (store.jobs, store.queue, store.calls, store.limiter):
            repository._connection, repository._run = connection, connection.run
        store.limiter.publish(AccountConfig(rate=Rate.parse("50/s")))
        for n in range(jobs):
            clock[0] += STEP
            _one_job(store, n)
        words = ("enqueue", "dispatch", "claim", "settle", "release_connection")
        return {connection._command(name, {})[1]: name for name in words}


def _one_job(store: Store, n: int) -> None:
    policy = Policy()
    id_ = store.jobs.enqueue(JobRequest.of(JOB)).id
    store.queue.feed()
    claim: Any = store.queue.claim(id_, token=str(n), lease=60, provider="xoxzo")
    store.calls.settle(id_, 1, after_placing({"callid": f"call-{n}"}, policy))
    ended = after_report(
        Report("ANSWERED", True, cost=Decimal("12.5"), duration=23), claim.job, policy
    )
    assert ended is not None
    store.calls.settle(id_, 1, ended)
    store.limiter.give_back("nobody")


class Scripts(Connection):
    """The other way: each operation a script of its own, with the modules that it requires."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._shas: dict[str, str] = {}

    def _command(self, operation: str, arguments: Mapping[str, Any]) -> list[Any]:
        _, _, *rest = super()._command(operation, arguments)
        return ["EVALSHA", self._sha(operation), *rest]

    def _sha(self, operation: str) -> str:
        if operation not in self._shas:
            sha: Any = self.redis.script_load(_script(f"ops/{operation}"))
            self._shas[operation] = sha.decode() if isinstance(sha, bytes) else sha
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
