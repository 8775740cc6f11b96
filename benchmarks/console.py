"""How long the console's pages take over HTTP with a million jobs in Redis."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from benchmarks.figures import Column, Table
from benchmarks.stand import numbers
from benchmarks.taking import NO_LIMIT, settle, taken
from dispatcher.model.api_key import Scope
from dispatcher.model.call import CallRef, CallReport
from dispatcher.model.outcome import Outcome
from dispatcher.model.request import JobRequest
from dispatcher.model.states import State
from dispatcher.policy import Decision, Policy, after_placing, after_report
from dispatcher.store import Store
from workers.devstack.embedded_server import EmbeddedServer
from workers.devstack.ports import Ports

BATCH = 1000
MOST = 100.0  # ms: what a page may take
LARGEST = 60_000  # bytes: how large it may be
ASKED = 50  # times, each page
ENDED = 0.3  # of the jobs; the others wait in line


COLUMNS = (
    Column("p50", "ms", ".1f"),
    Column("worst", "ms", ".1f"),
    Column("size", "KB", ".1f"),
)


def run(*, quick: bool) -> Iterator[Table]:
    """Fill a Redis, and measure each page."""
    table = Table(f"Pages over HTTP, {ASKED} times each", COLUMNS)
    jobs = 100_000 if quick else 1_000_000
    with tempfile.TemporaryDirectory() as folder, EmbeddedServer(Path(folder, "redis")) as redis:
        store = Store.from_url(redis.url)
        started = time.monotonic()
        some = _fill(store, jobs)
        table.notes.append(f"{jobs:,} jobs, written in {time.monotonic() - started:.0f} s.")
        key = store.api_keys.create("bench", [Scope.OPERATE])[1]
        with _gateway(redis.url) as url, requests.Session() as session:
            _log_in(session, url, key)
            for name, path in _pages(session, url, some):
                took, size = _measure(session, url, path)
                table.add(name, took, max(took), size / 1000)
                assert size <= LARGEST, f"{name} has {size} bytes, which is more than {LARGEST}"
    yield table
    slowest = max(table.rows, key=lambda page: table.value(page, "p50"))
    median = table.value(slowest, "p50")
    assert median <= MOST, f"{slowest} took {median:.0f} ms, which is more than {MOST}"


def _fill(store: Store, jobs: int) -> str:
    """Write jobs, some of them ended in one way or another; return the id of one."""
    store.limiter.publish(NO_LIMIT)
    ends = _ends(store)
    people = numbers(jobs)
    for start in range(0, jobs, BATCH):
        batch = [_request(n, next(people)) for n in range(start, start + BATCH)]
        ids = [
            outcome.id for outcome in store.jobs.enqueue_many(batch, actor=f"client-{start % 7}")
        ]
        if start < jobs * ENDED:
            for claims in taken(store, len(ids)):
                for number, decisions in enumerate(ends):
                    for decision in decisions:
                        settle(store, claims[number :: len(ends)], decision)
    return ids[0]


def _request(n: int, number: str) -> JobRequest:
    # Not validated: this measures pages, not enqueueing.
    return JobRequest.model_construct(
        recipient=number,
        say="Disk full on db1",
        lang="en",
        tags=(f"campaign:{n % 50}",),
        key=f"k-{n}",
    )


def _ends(store: Store) -> list[tuple[Decision, ...]]:
    """Return what may become of a job: six in ten answer, three do not, one is refused."""
    job = store.jobs.get(store.jobs.enqueue(_request(-1, "+81801230000")).id)
    placed = after_placing(CallRef(("",)), Policy())
    answered = after_report(CallReport(Outcome.ANSWERED, "ANSWERED", duration=23), job, Policy())
    unanswered = after_report(CallReport(Outcome.NO_ANSWER, "NO ANSWER"), job, Policy())
    assert answered
    assert unanswered
    refused = Decision(State.FAILED, "invalid_request", "no such number", "invalid_request")
    return [(placed, answered)] * 6 + [(placed, unanswered)] * 3 + [(refused,)]


@contextmanager
def _gateway(redis_url: str) -> Iterator[str]:
    """Run a gateway; yield where it is."""
    with Ports() as ports:
        port = ports.choose("127.0.0.1", 8080, "DISPATCHER_GATEWAY_PORT", asked=False)
        settings = {"DISPATCHER_REDIS_URL": redis_url, "DISPATCHER_GATEWAY_PORT": str(port)}
        with subprocess.Popen(
            [sys.executable, "-m", "workers.run", "gateway"],
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                assert process.stdout
                yield process.stdout.readline().split()[-1]
            finally:
                process.terminate()


def _log_in(session: requests.Session, url: str, key: str) -> None:
    page = session.get(f"{url}/console/login", timeout=30).text
    token = page.partition('name="csrf" value="')[2].partition('"')[0]
    answer = session.post(f"{url}/console/login", {"csrf": token, "key": key}, timeout=30)
    assert "Log out" in answer.text, answer.text


def _pages(session: requests.Session, url: str, some: str) -> list[tuple[str, str]]:
    """Return what is measured: in words, and its path."""
    first = session.get(f"{url}/console/jobs", timeout=30).text
    older = "/console/jobs?" + first.partition('href="/console/jobs?')[2].partition('"')[0]
    return [
        ("overview", "/console"),
        ("overview of a week", "/console?span=week"),
        ("jobs, first page", "/console/jobs"),
        ("jobs, second page", older),
        ("by state and reason", "/console/jobs?state=failed&reason=no_answer"),
        ("by tag and state", "/console/jobs?tag=campaign%3A7&state=failed"),
        ("by last digits", "/console/jobs?recipient=4711"),
        ("by producer and time", "/console/jobs?producer=client-3&since=1h"),
        ("a search that finds nothing", "/console/jobs?producer=nobody"),
        ("one job", f"/console/jobs/{some}"),
        ("search, by key", "/console/find?q=k-4711"),
        ("search, of what is not there", "/console/find?q=nothing"),
        ("alerts", "/console/alerts"),
        ("campaigns", "/console/campaigns"),
        ("campaigns, by a part of the name", "/console/campaigns?name=4"),
        ("one campaign", "/console/campaigns/7"),
        ("actions", "/console/actions"),
        ("on call", "/console/on-call"),
        ("do-not-call list", "/console/do-not-call"),
        ("audit", "/console/audit"),
        ("audit, by who", "/console/audit?who=nobody"),
    ]


def _measure(session: requests.Session, url: str, path: str) -> tuple[list[float], int]:
    """Return how long a page took each time (ms), and how large it is (bytes)."""
    took, size = [], 0
    for _ in range(ASKED):
        started = time.perf_counter()
        answer = session.get(url + path, timeout=30)
        took.append((time.perf_counter() - started) * 1000)
        found = answer.status_code in {requests.codes.ok, requests.codes.not_found}
        assert found, answer.text  # not_found: the search that finds nothing
        size = len(answer.content)
    return took, size
