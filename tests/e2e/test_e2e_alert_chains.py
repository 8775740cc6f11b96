"""Alerts ring one person after another until somebody has them, and nobody after that: by the books
of the provider's sandbox, with real processes, also where these are killed on the way.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dispatcher.alerts.alerting import Alerting
from dispatcher.client.messages import wake
from dispatcher.model.alert import Acknowledgement, Alert, AlertEvent, AlertState, Severity
from dispatcher.model.on_call import OnCall
from dispatcher.store.errors import StoreUnavailable
from support.e2e_stack import QUICK, STARTS_WITHIN, Up, number
from support.polling import eventually
from workers.devstack.embedded_server import EmbeddedServer

NO_ANSWER, ANSWERED, FOR_LONG = "0002", "0001", "0004"
ACKNOWLEDGE_WITHIN = 15.0
STORM = 500
PATIENT = {"DISPATCHER_EVIDENCE_WINDOW": "20s"}
"""A process that is killed comes again before it is over."""


def of(chain: str) -> AlertEvent:
    """Return a new incident that goes to a chain."""
    return AlertEvent(
        source="test",
        fingerprint=os.urandom(8).hex(),
        firing=True,
        summary="Disk full on db1",
        severity=Severity.CRITICAL,
        started_at=datetime.now(UTC),
        labels={"team": chain},
    )


def in_turn(numbers: Sequence[str]) -> list[dict[str, Any]]:
    return [{"call": [f"p{each[1:]}"]} for each in numbers]


class Watched:
    """A stack, the chains that are in force on it, and who is on them."""

    def __init__(self, up: Up) -> None:
        self.up, self.store = up, up.dispatcher.store
        self.alerting = Alerting(self.store, lambda: wake(self.store, up.dispatcher.messenger))
        self._parts: dict[str, Any] = {"contacts": {}, "chains": {}, "routes": []}

    def chain(self, name: str, steps: list[dict[str, Any]], **rules: Any) -> None:
        """Put a chain in force, to which alerts of the team of its name go."""
        usual = {"acknowledge_within": f"{ACKNOWLEDGE_WITHIN}s", "move_on_after": "10s"}
        self._parts["chains"][name] = {"steps": steps, **usual, **rules}
        self._parts["routes"].append({"match": {"team": name}, "chain": name})
        for each in (person for step in steps for person in step["call"]):
            self._parts["contacts"][each] = {"number": f"+{each[1:]}"}
        self.store.on_call.publish(OnCall.model_validate(self._parts), by="test")

    def ring(self, chain: str) -> str:
        """Report an incident, until that is taken in; return the alert's id."""
        event = of(chain)

        def reported() -> str:
            with suppress(StoreUnavailable):
                return self.alerting.receive([event], actor="test")[0].id
            return ""

        return eventually(reported, "the report is taken in", STARTS_WITHIN)

    def called(self, number_: str) -> int:
        return self.up.sandbox.books()[number_]

    def wait_for_call(self, *numbers: str) -> None:
        """Wait until one of them was called."""
        eventually(lambda: any(map(self.called, numbers)), f"a call to {numbers}", STARTS_WITHIN)

    def answered(self, id_: str) -> bool:
        """Whether somebody answered a call of the alert."""
        calls = [call.job_id for call in self.store.alerts.get(id_).calls if call.job_id]
        return any(job and job.state == "completed" for job in self.store.jobs.get_many(calls))

    def acknowledge(self, id_: str) -> None:
        """Say that one has the alert, as soon as somebody has answered."""
        eventually(lambda: self.answered(id_), f"an answer for {id_}", STARTS_WITHIN)
        self.store.alerts.acknowledge(id_, by="who answered", how=Acknowledgement.CLI)


@contextmanager
def watched(folder: Path, **settings: str) -> Iterator[Watched]:
    with Up(folder, "--no-flower", **{**QUICK, **settings}) as up:
        up.sandbox.options(ring=0.5)
        yield Watched(up)


@dataclass(frozen=True)
class Night:
    """What a night came to, and by the books how often each was called."""

    books: Counter[str]
    first_ring: float
    in_turn: list[str]
    resolved: list[str]
    team: list[str]
    alerts: list[Alert]
    told: list[str]


def night(folder: Path) -> Night:
    """An alert that is acknowledged, one that is resolved, and a storm, on one stack."""
    with watched(folder) as stack:
        people = [number(each) for each in (NO_ANSWER, NO_ANSWER, ANSWERED, ANSWERED)]
        others = [number(each) for each in (FOR_LONG, ANSWERED)]
        team = [number(ANSWERED) for _ in range(3)]
        stack.chain("night", in_turn(people), repeat=2)
        stack.chain("day", in_turn(others))
        everybody = [f"p{each[1:]}" for each in team]
        stack.chain("team", [{"call": everybody}], acknowledge_within="5m")
        asked = time.monotonic()
        acknowledged = stack.ring("night")
        stack.wait_for_call(people[0])
        first_ring = time.monotonic() - asked
        resolved(stack, others)
        stack.acknowledge(acknowledged)
        since = time.monotonic()
        storm(stack)
        time.sleep(max(0, since + ACKNOWLEDGE_WITHIN + 3 - time.monotonic()))
        alerts = list(every_alert(stack))
        told = [line.what for line in stack.store.alerts.get(acknowledged).timeline]
        return Night(stack.up.sandbox.books(), first_ring, people, others, team, alerts, told)


def resolved(stack: Watched, people: Sequence[str]) -> None:
    """Have an incident be over while the first call for it goes on."""
    event = of("day")
    stack.alerting.receive([event], actor="test")
    stack.wait_for_call(people[0])
    over = AlertEvent(event.source, event.fingerprint, False, "", started_at=event.started_at)
    stack.alerting.receive([over], actor="test")


def storm(stack: Watched) -> None:
    """Report many alerts, one by one, in ten seconds."""
    began = time.monotonic()
    for each in range(STORM):
        time.sleep(max(0, began + each * 10 / STORM - time.monotonic()))
        stack.alerting.receive([of("team")], actor="test")


def every_alert(stack: Watched) -> Iterator[Alert]:
    cursor = None
    while True:
        page = stack.store.alerts.page(limit=100, cursor=cursor)
        yield from page.alerts
        if (cursor := page.cursor) is None:
            return


@pytest.mark.played(by=night)
def test_the_first_call_is_made_within_seconds(outcome: Night) -> None:
    """Three, where nothing else keeps the machine busy."""
    assert outcome.first_ring < 20


@pytest.mark.played(by=night)
def test_one_after_another_is_called_until_somebody_has_it_and_nobody_then(outcome: Night) -> None:
    assert [outcome.books[each] for each in outcome.in_turn] == [1, 1, 1, 0], outcome.told


@pytest.mark.played(by=night)
def test_nobody_is_called_for_what_is_over(outcome: Night) -> None:
    assert [outcome.books[each] for each in outcome.resolved] == [1, 0]


@pytest.mark.played(by=night)
def test_a_storm_rings_no_more_than_its_chain_says_and_all_of_it_shows(outcome: Night) -> None:
    """Five alerts ring by themselves, then one bundle: each rings the team once."""
    team = [alert for alert in outcome.alerts if alert.chain == "team"]
    assert sum(alert.source == "test" for alert in team) == STORM
    assert sum(alert.state is AlertState.FOLDED for alert in team) == STORM - 5
    (bundle,) = (alert for alert in team if alert.is_bundle)
    assert bundle.firing_members == STORM - 5
    assert {outcome.books[each] for each in outcome.team} == {6}


@dataclass(frozen=True)
class Killed:
    """Who was called for alerts whose processes were killed meanwhile, and when."""

    people: list[list[str]]
    alerts: list[Alert]
    calls: list[dict[str, Any]]

    @property
    def books(self) -> Counter[str]:
        return Counter(call["recipient"] for call in self.calls)


def killed(folder: Path) -> Killed:
    """Kill a worker, the gateway, beat and Redis, each while other alerts are at other steps."""
    server = EmbeddedServer(folder / "redis", appendfsync="always")
    with server, watched(folder, DISPATCHER_REDIS_URL=server.url, **PATIENT) as stack:
        people, ids = [], []
        for place in range(5):
            people.append([number(each) for each in (NO_ANSWER, NO_ANSWER, ANSWERED, ANSWERED)])
            stack.chain(f"chain{place}", in_turn(people[-1]))
        for place, what in enumerate(("dial", "redis", "gateway", "beat", "dial")):
            ids.append(stack.ring(f"chain{place}"))
            kill(stack, server, what)
            stack.wait_for_call(*people[place])
        kill(stack, server, "dial")
        acknowledge_all(stack, ids)
        time.sleep(ACKNOWLEDGE_WITHIN + 3)
        alerts = stack.store.alerts.get_many(ids)
        return Killed(people, alerts, stack.up.sandbox.calls())


def kill(stack: Watched, server: EmbeddedServer, what: str) -> None:
    if what == "redis":
        server.kill()
        time.sleep(1)
        server.start()
    else:
        os.kill(stack.up.pid_of(what), signal.SIGKILL)


def acknowledge_all(stack: Watched, ids: Sequence[str]) -> None:
    """Acknowledge each alert for which somebody answers, until all are."""
    left = set(ids)

    def done() -> bool:
        for id_ in sorted(left):
            if stack.answered(id_):
                stack.store.alerts.acknowledge(id_, by="who answered", how=Acknowledgement.CLI)
                left.discard(id_)
        return not left

    eventually(done, "all are acknowledged", STARTS_WITHIN)


@pytest.mark.played(by=killed)
def test_whatever_is_killed_nobody_is_called_twice_and_somebody_has_each(outcome: Killed) -> None:
    """Who was about to be called by a worker that was killed may be left out: nobody knows whether
    their phone rang, and the next one is called.
    """
    told = {
        alert.id: [(line.at.isoformat(), line.what) for line in alert.timeline]
        for alert in outcome.alerts
    }
    assert {alert.state for alert in outcome.alerts} == {AlertState.ACKNOWLEDGED}, told
    assert set(outcome.books.values()) == {1}, told


@pytest.mark.played(by=killed)
def test_whatever_is_killed_nobody_is_called_after_the_acknowledgement(outcome: Killed) -> None:
    for alert, people in zip(outcome.alerts, outcome.people, strict=True):
        assert alert.acknowledged_at is not None
        until = alert.acknowledged_at + timedelta(seconds=1)  # a call was on its way
        placed = [
            datetime.fromisoformat(call["placed_at"])
            for call in outcome.calls
            if call["recipient"] in people
        ]
        assert max(placed) <= until, [line.what for line in alert.timeline]
