"""Whether anybody can be called at all, and why not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from dispatcher.model.credit import BLIND_AFTER
from dispatcher.model.process import Process, Role
from dispatcher.policy.can_call import URGENT_WAITS, Situation, obstacle
from dispatcher.policy.processes import SILENT_AFTER, STILL_AFTER, Roll
from dispatcher.store.values import Hold
from support.credits import NOW, account


def process(role: Role, **changes: float) -> Process:
    began = NOW - 10 * STILL_AFTER * 1000
    made = Process("id", role, role, "host", 7, "0.2.0", {}, began, NOW - 1000)
    return replace(made, **changes)  # type: ignore[arg-type]


WORKER, BEAT = process(Role.WORKER, still=0.2), process(Role.BEAT)


def standing(*processes: Process, **changes: object) -> Situation:
    return replace(Situation(Roll(NOW, processes or (WORKER, BEAT))), **changes)  # type: ignore[arg-type]


def hold(name: str) -> Hold:
    return Hold(name, NOW - 60_000, "because", 0, half_open=False)


def cause(now: Situation) -> str | None:
    found = obstacle(now)
    return found.cause if found else None


def test_with_a_worker_and_beat_people_can_be_called() -> None:
    assert obstacle(standing()) is None
    assert obstacle(standing(WORKER, BEAT, process(Role.GATEWAY))) is None


@pytest.mark.parametrize(
    ("processes", "found"),
    [
        ((BEAT,), "no_worker"),
        ((process(Role.WORKER, heard=NOW - SILENT_AFTER - 1), BEAT), "no_worker"),
        ((WORKER,), "no_beat"),
        ((process(Role.WORKER, still=STILL_AFTER + 1), BEAT), "workers_stuck"),
        ((process(Role.WORKER, still=STILL_AFTER + 1), WORKER, BEAT), None),
        ((process(Role.GATEWAY),), "no_worker"),
    ],
)
def test_processes_without_which_nobody_is_called(
    processes: tuple[Process, ...], found: str | None
) -> None:
    assert cause(standing(*processes)) == found


def test_it_is_said_when_one_was_heard_of_last() -> None:
    gone = process(Role.WORKER, heard=NOW - 240_000)
    found = obstacle(standing(gone, BEAT))
    assert found is not None
    assert found.why == "no worker runs (last heard of 4 min ago)"


@pytest.mark.parametrize(
    "name",
    ["credit", "auth", "provider_down", "replicas", "restored", "unusual", "limit:account"],
)
def test_a_hold_of_all_calls_keeps_everybody_from_being_called(name: str) -> None:
    assert cause(standing(holds=(hold(name),))) == name.partition(":")[0]
    trying = replace(hold(name), half_open=True)  # one call at a time is no way to call people
    assert cause(standing(holds=(trying,))) == name.partition(":")[0]


@pytest.mark.parametrize(
    "name",
    ["limit:tag:spring", "credit:tariff:tts:JP", "limit:client:billing", "paused:tag:spring"],
)
def test_a_hold_of_some_calls_does_not(name: str) -> None:
    assert obstacle(standing(holds=(hold(name),), ringing=1)) is None


@pytest.mark.parametrize("name", ["paused", "paused:priority:urgent"])
def test_a_pause_is_what_somebody_wanted_until_something_urgent_waits(name: str) -> None:
    paused = standing(holds=(hold(name),))
    assert obstacle(paused) is None
    assert obstacle(replace(paused, urgent_since=NOW - URGENT_WAITS + 1000)) is None
    assert cause(replace(paused, urgent_since=NOW - URGENT_WAITS - 1000)) == "paused"
    assert cause(replace(paused, ringing=1)) == "paused"


def test_a_pause_of_what_is_not_urgent_stops_no_urgent_call() -> None:
    paused = standing(holds=(hold("paused:priority:bulk"),), ringing=1)
    assert obstacle(paused) is None


def test_a_redis_that_refuses_comes_before_what_it_says() -> None:
    says = "Redis is full (OOM): raise maxmemory, or purge old jobs"
    found = obstacle(standing(BEAT, refusal=says, holds=(hold("credit"),)))
    assert found is not None
    assert (found.cause, found.why) == ("redis", "Redis is full (OOM)")
    assert found.remedy == "raise maxmemory, or purge old jobs"


def test_credit_that_is_below_the_floor_is_known_before_a_call_meets_it() -> None:
    """No hold stands before: with no call for days, the first would be the alert at night."""
    assert obstacle(standing(credit=account(balance=Decimal(50)))) is None
    found = obstacle(standing(credit=account(balance=Decimal(60), spent_since=Decimal(11))))
    assert found is not None
    assert (found.cause, found.why) == ("credit", "49 credits are left, and the floor is 50")
    assert obstacle(standing(credit=account(balance=Decimal(1), floor=None))) is None
    assert obstacle(standing(credit=account(balance=None))) is None  # never checked: it tells none
    # calls under way may cost less than is reserved, and new ones are held for it as well
    assert obstacle(standing(credit=account(balance=Decimal(60), in_flight=Decimal(40)))) is None


def test_a_provider_that_answers_no_balance_check_is_told_unless_calls_come_about() -> None:
    silent = account(failed_checks=BLIND_AFTER)
    found = obstacle(standing(credit=silent))
    assert found is not None
    assert found.cause == "provider_unseen"
    assert "the last 3 balance checks failed, and nobody was reached" in found.why
    assert obstacle(standing(credit=silent, reached=True)) is None
    assert obstacle(standing(credit=replace(silent, failed_checks=BLIND_AFTER - 1))) is None
