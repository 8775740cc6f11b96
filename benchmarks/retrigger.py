"""Failed jobs retried at once: what the preview says, what happens, and what each step takes."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.figures import Column, Figure, Table
from benchmarks.stand import Bench, bench, numbers
from dispatcher.model.account_config import AccountConfig
from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.filters import Filter
from dispatcher.model.request import JobRequest
from dispatcher.model.states import State
from dispatcher.store import Store
from dispatcher.store.holds import PauseScope
from workers.devstack.embedded_server import EmbeddedServer

SETTINGS = {
    "rate_limit": "none",
    "max_connections": "32",
    "recipient_per_day": "none",
    "recipient_one_at_a_time": "false",
}
TAG = "campaign:night"
NIGHT = Filter(tag=TAG)
SECOND_TIME = 10_000
"""How many different numbers there are that the sandbox answers when called again."""

T = TypeVar("T")


STEPS = (
    Column("preview", "s", ".2f"),
    Column("kept and begun", "s", ".2f"),
    Column("reopened", "s", ".2f"),
    Column("50 of them", "ms", ".1f"),
    Column("the longest of these", "ms", ".1f"),
    Column("all paused, by the tag", "ms", ".1f"),
)


def run(*, quick: bool) -> Iterator[Table]:
    """Measure the whole way, then what the steps take."""
    failed = SECOND_TIME // 10 if quick else SECOND_TIME
    yield _whole(failed, reached=failed // 10)
    table = Table("The steps alone", STEPS)
    for size in (1_000, 5_000) if quick else (10_000, 50_000):
        table.add(f"{size:,} failed jobs", *_steps(size))
    yield table


def _whole(failed: int, reached: int) -> Table:
    """Have calls ring in vain, retry them all, and compare what was said with what came."""
    with bench(SETTINGS, sandbox=("--ring=0.2",)) as stand:
        store = stand.dispatcher.store
        in_vain = (f"+8180{n:04d}0005" for n in range(failed))
        _enqueue(stand, in_vain)
        _enqueue(stand, numbers(reached))
        stand.until(lambda: len(_waiting(store)) == 0, 900)
        before, spent = stand.stats(), store.budget.credit().spent
        seen, previewed = _timed(lambda: store.bulk.preview(BulkActionKind.RETRY, NIGHT))
        began = time.monotonic()
        store.bulk.create(seen)
        store.bulk.begin(seen.id, actor="cli:bench")
        stand.dispatcher.messenger.retrigger([seen.id])
        stand.until(lambda: store.bulk.get(seen.id).over, 300)
        reopened = time.monotonic() - began
        stand.until(lambda: len(_waiting(store)) == 0, 900)
        done = time.monotonic() - began
        report, after = store.bulk.get(seen.id), stand.stats()
        found = [job for job in store.jobs.get_many(seen.ids) if job]
        placed = after["calls"]["placed"] - before["calls"]["placed"]
        cost = store.budget.credit().spent - spent
        left = {each.reason: each.count for each in report.excluded}
        states = dict(Counter(job.state.value for job in found))
    about = f"{failed:,} calls that rang in vain and {reached:,} that were answered"
    table = Table(about, (Column("the preview said"), Column("what came")))
    refused = sum(each.count for each in report.skipped)
    attempts = dict(Counter(len(job.attempts) for job in found))
    table.add("jobs retried", len(seen.ids), report.done)
    table.add("left out", str(left), f"refused: {refused}")
    table.add("credits", float(seen.credits), float(cost))
    table.add("credits if all are answered", float(seen.credits_if_answered), None)
    table.add("calls, by the sandbox's books", len(seen.ids), placed)
    table.add("attempts of each", "2", str(attempts))
    table.add("and then", None, str(states))
    table.notes.append(
        f"Preview {previewed:.2f} s, reopened {reopened:.1f} s (by the workers, who were"
        f" dialling already), all called {done:.0f} s after the click."
    )
    return table


def _enqueue(stand: Bench, recipients: Any) -> None:
    made = stand.dispatcher.call_many(
        {"recipient": each, "say": "x", "lang": "en", "tags": [TAG]} for each in recipients
    ).collect()
    assert not made.refused


def _waiting(store: Store) -> list[str]:
    """Return the first of those that have not ended; their indexes are small at the end."""
    live = tuple(state for state in State if state not in {State.FAILED, State.COMPLETED})
    return [job.id for job in islice(store.search.find(Filter(states=live)), len(live))]


def _steps(size: int) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder, EmbeddedServer(Path(folder, "r")) as redis:
        store = Store.from_url(redis.url)
        store.limiter.publish(AccountConfig(one_at_a_time=False))
        _fail(store, size)
        seen, previewed = _timed(lambda: store.bulk.preview(BulkActionKind.RETRY, NIGHT))
        _, kept = _timed(lambda: store.bulk.create(seen))
        _, begun = _timed(lambda: store.bulk.begin(seen.id, actor="cli:bench"))
        began, steps = time.perf_counter(), []
        left = size
        while left:
            (_, left), took = _timed(lambda: store.bulk.advance(seen.id))
            steps.append(took * 1000)
        reopened = time.perf_counter() - began
        report = store.bulk.get(seen.id)
        assert (len(seen.ids), report.done, report.skipped) == (size, size, ())
        _, paused = _timed(lambda: store.holds.pause(PauseScope(tag=report.tag), actor="cli:bench"))
        return [previewed, kept + begun, reopened, steps, max(steps), paused * 1000]


def _fail(store: Store, size: int) -> None:
    """Have jobs fail without a call: the calling hours of each never open."""
    for start in range(0, size, 1000):
        requests = [
            JobRequest.of({"recipient": number, "say": "x", "lang": "en", "tags": [TAG]})
            for number in numbers(min(1000, size - start), start)
        ]
        for made in store.jobs.enqueue_many(requests):
            store.queue.set_calling_window(made.id, None, "its hours never open", "")


def _timed(act: Callable[[], T]) -> tuple[T, float]:
    began = time.perf_counter()
    return act(), time.perf_counter() - began
