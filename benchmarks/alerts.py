"""Alerts: from a report to the first call, and what a storm of them comes to."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import requests

from benchmarks.stand import Bench, bench, numbers
from dispatcher.alerts.alerting import Alerting
from dispatcher.client.messages import feed
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


def run(*, quick: bool) -> None:
    """Print the times to the first call, and the calls of a storm."""
    with bench(**SETTINGS) as stack:
        alerting = _alerting(stack)
        people = list(numbers(2 * (40 if quick else 200)))
        _publish(stack, people)
        print("| the first call comes after | p50 | p99 |\n|---|---|---|")
        first, second = people[::2], people[1::2]
        _print("where the process that takes the report in calls", stack, first, alerting.receive)
        _print("where a worker finds the alert", stack, second, alerting.record)
    with bench(**SETTINGS) as stack:
        _storm(stack, 100 if quick else STORM)


def _alerting(stack: Bench) -> Alerting:
    store, messenger = stack.dispatcher.store, stack.dispatcher.messenger
    return Alerting(store, lambda: feed(store, messenger))


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


def _print(what: str, stack: Bench, people: Sequence[str], report: Report) -> None:
    """Report an alert for each person, and print when their phones ring."""
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
    times = [came[number] - at for number, at in list(asked.items())[10:]]
    print(f"| {what} | {_part(times, 0.5)} | {_part(times, 0.99)} |")


def _storm(stack: Bench, many: int) -> None:
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
    print(f"\nA storm of {many} single reports in {lasted:.1f} s, for a team of {TEAM}:")
    print(f"{placed} calls; {seen} alerts show, bundles among them;")
    print(f"a report is taken in within {_part(took, 0.5)} (p50), {_part(took, 0.99)} (p99)")


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


def _part(times: Sequence[float], share: float) -> str:
    return f"{sorted(times)[int(share * (len(times) - 1))] * 1000:.0f} ms"
