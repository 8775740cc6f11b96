"""Alerts: from a report to the first call, and what a storm of them comes to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import requests

from benchmarks.figures import Column, Table, percentile
from benchmarks.stand import Bench, bench, numbers
from dispatcher.alerts.alerting import Alerting
from dispatcher.alerts.recording import record
from dispatcher.client.messages import wake
from dispatcher.model.alert import AlertEvent
from dispatcher.model.on_call import OnCall

SETTINGS = {
    "rate_limit": "100",
    "recipient_per_day": "none",
    "recipient_one_at_a_time": "false",
    "allowed_countries": "JP",
}
PAUSE = 0.1
"""Seconds between two alerts: the one before has rung."""
STORM, WITHIN = 500, 10.0
TEAM = 3
COLUMNS = (Column("p50", "ms"), Column("p99", "ms"))


def run(*, quick: bool) -> Iterator[Table]:
    """Measure the times to the first call, and the calls of a storm."""
    table = Table("From a report to the first call's arrival at the provider", COLUMNS)
    with bench(SETTINGS) as stack:
        alerting, store = _alerting(stack), stack.dispatcher.store
        people = list(numbers(2 * (40 if quick else 200)))
        _publish(stack, people)
        first, second = people[::2], people[1::2]
        waits = _waits(stack, first, alerting.receive)
        table.add("where the process that takes the report in calls", *_marks(waits))
        table.add(
            "where a worker finds the alert", *_marks(_waits(stack, second, partial(record, store)))
        )
    yield table
    with bench(SETTINGS) as stack:
        yield _storm(stack, 100 if quick else STORM)


def _alerting(stack: Bench) -> Alerting:
    store, messenger = stack.dispatcher.store, stack.dispatcher.messenger
    return Alerting(store, lambda: wake(store, messenger))


def _publish(stack: Bench, people: Sequence[str], *, together: bool = False) -> None:
    """Put a chain for each person in force, or one for all."""
    names = {f"p{place}": number for place, number in enumerate(people)}
    chains = {"all": list(names)} if together else {name: [name] for name in names}
    parts: dict[str, Any] = {
        "contacts": {name: {"number": number} for name, number in names.items()},
        "chains": {name: {"steps": [{"call": who}]} for name, who in chains.items()},
        "routes": [{"match": {"to": name}, "chain": name} for name in chains],
    }
    stack.dispatcher.store.on_call.publish(OnCall.model_validate(parts), by="bench")


def _event(name: str, to: str) -> AlertEvent:
    return AlertEvent("bench", name, True, "Disk full on db1", labels={"to": to})


Report = Callable[..., object]


def _waits(stack: Bench, people: Sequence[str], report: Report) -> list[float]:
    """Report an alert for each person; return how many seconds later their phones ring."""
    known = stack.dispatcher.store.on_call.get()
    assert known is not None
    names = {each.numbers[0]: name for name, each in known.on_call.contacts.items()}
    asked = {}
    for number in people:
        asked[number] = time.time()
        report([_event(f"alert of {number}", names[number])], actor="bench")
        stack.pause(PAUSE)
    stack.pause(2)
    came = _placed(stack)
    return [came[number] - at for number, at in list(asked.items())[10:]]


def _storm(stack: Bench, many: int) -> Table:
    """Report many alerts one by one, in ten seconds or as fast as they are taken in."""
    _publish(stack, list(numbers(TEAM)), together=True)
    alerting, took, began = _alerting(stack), [], time.monotonic()
    for each in range(many):
        stack.pause(max(0, began + each * WITHIN / many - time.monotonic()))
        asked = time.monotonic()
        alerting.receive([_event(f"alert {each}", "all")], actor="bench")
        took.append(time.monotonic() - asked)
    lasted = time.monotonic() - began
    stack.pause(3)
    counts = stack.dispatcher.store.alerts.counts()
    seen, placed = sum(counts.values()), len(_calls(stack))
    about = f"A storm of single reports in {lasted:.1f} s, for a team of {TEAM}"
    table = Table(about, (Column("calls"), Column("alerts that show"), *COLUMNS))
    table.add(f"{many} reports", placed, seen, *_marks(took))
    table.notes.append("Bundles show among the alerts; p50 and p99 are until a report is taken in.")
    return table


def _placed(stack: Bench) -> dict[str, float]:
    """Return when each number was called first, in seconds since the epoch."""
    found: dict[str, float] = {}
    for call in _calls(stack):
        at = datetime.fromisoformat(call["placed_at"]).astimezone(UTC).timestamp()
        found.setdefault(call["recipient"], at)
    return found


def _calls(stack: Bench) -> list[dict[str, Any]]:
    answer = requests.get(f"{stack.sandbox}/_sandbox/calls", timeout=60)
    return list(answer.json())


def _marks(seconds: Sequence[float]) -> list[float]:
    return [percentile(seconds, share) * 1000 for share in (0.5, 0.99)]
