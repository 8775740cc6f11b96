"""Credit that runs out and comes back, wrong credentials, a provider that is down."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dispatcher.model.credit import Credit
from dispatcher.model.job import Job
from dispatcher.model.states import State
from dispatcher.sandbox.options import CREDITS_PAGES
from support.e2e_stack import QUICK, OwnSandbox, Sandbox, Up, numbers
from support.polling import eventually

TTS = 20
"""What a call costs at the sandbox."""
TWO = ("--no-sandbox", "--no-flower", "--workers", "2")
MANY = 120
SLOW = {"DISPATCHER_RATE_LIMIT": "40"}
"""So that trouble comes in the middle of so many, on a busy machine as well."""
CLOSES, ON_THEIR_WAY = 5, 8
"""Failures in a row that close the gate; requests at once, which may fail after those."""


def held(up: Up) -> int:
    return sum(up.dispatcher.store.search.counts()[State.HELD].values())


def settled(up: Up, sandbox: Sandbox) -> int:
    """Return the calls placed, when none is under way any more and everybody else is held."""

    def quiet() -> int:
        placed = sandbox.placed()
        waits = placed + held(up) == MANY and not up.dispatcher.store.budget.credit().in_flight
        return placed if waits and not sandbox.stats()["calls"]["in_progress"] else 0

    return eventually(quiet, "what the credit pays for is called, the rest is held")


@dataclass
class Story:
    """What was seen while the credit ran out, was topped up in part, and in full."""

    first: int
    resumed_after: float
    second: int
    refused: int
    untouched: list[Job]
    stats: dict[str, Any]
    jobs: list[Job]
    account: Credit
    charged: float
    kinds: Counter[str]


def out_of_credit(folder: Path) -> Story:
    """Credit for 20 calls and many more jobs; a top-up for 12 more; a full one."""
    with (
        OwnSandbox("--ring=0.3", f"--credits={50 + 19 * TTS}") as sandbox,
        Up(folder, *TWO, **QUICK, **sandbox.account) as up,
    ):
        store = up.dispatcher.store
        eventually(lambda: store.budget.credit().balance is not None, "the balance is seen")
        ids = up.enqueue(numbers("0001", MANY))
        first = settled(up, sandbox)
        found = [job for job in store.jobs.get_many(ids) if job]
        untouched = [job for job in found if job.state is State.HELD]
        stats = up.json("stats")
        began = time.monotonic()
        sandbox.top_up(12 * TTS)
        eventually(lambda: sandbox.placed() > first, "calls go on after a top-up")
        resumed = time.monotonic() - began
        eventually(lambda: sandbox.placed() >= first + 10, "the top-up is used")
        second = settled(up, sandbox) - first
        refused = sandbox.answered(403)
        sandbox.top_up(1_000_000)
        jobs = up.ended(ids, 120)
        charged = sandbox.stats()["credits"]["charged"]
        kinds = Counter(each.kind for each in store.events.after())
        return Story(
            first,
            resumed,
            second,
            refused,
            untouched,
            stats,
            jobs,
            store.budget.credit(),
            charged,
            kinds,
        )


@pytest.mark.played(by=out_of_credit)
def test_what_the_credit_pays_for_is_called_and_next_to_nothing_is_refused(outcome: Story) -> None:
    assert outcome.first in {19, 20}
    assert outcome.resumed_after < 30  # 5, where nothing else keeps the machine busy
    assert 11 <= outcome.second <= 13
    assert outcome.refused <= 5


@pytest.mark.played(by=out_of_credit)
def test_those_who_wait_for_credit_have_spent_nothing_and_say_why(outcome: Story) -> None:
    assert len(outcome.untouched) >= MANY - 20
    for job in outcome.untouched:
        assert (job.spent, job.attempts, job.hold_reason) == (0, (), "credit")
        assert "needs 50" in job.timeline[-1].why
    (gate,) = outcome.stats["holds"]
    assert gate["name"] == "credit"
    assert any(
        "waiting jobs need about" in sentence for sentence in outcome.stats["credit_forecast"]
    )


@pytest.mark.played(by=out_of_credit)
def test_after_a_full_top_up_all_are_called_once_and_the_books_agree(outcome: Story) -> None:
    assert Counter(job.state for job in outcome.jobs) == {State.COMPLETED: MANY}
    assert {job.spent for job in outcome.jobs} == {1}
    assert outcome.account.spent == Decimal(str(outcome.charged)) == MANY * TTS
    assert outcome.account.in_flight == 0
    assert outcome.kinds["hold.started"] >= 2
    assert outcome.kinds["credit.low"] >= 1


def too_dear(folder: Path) -> tuple[Job, list[Job], list[str], State]:
    """Ask for a call that the provider refuses, and for others that the credit pays for."""
    with (
        OwnSandbox("--ring=0.3", "--credits=500") as sandbox,
        Up(folder, *TWO, **QUICK, **sandbox.account) as up,
    ):
        store = up.dispatcher.store
        eventually(lambda: store.budget.credit().balance is not None, "the balance is seen")
        (dear,) = up.enqueue(["+14155550015"])
        eventually(lambda: sandbox.answered(403), "it is refused")
        held = eventually(
            lambda: next((job for job in [store.jobs.get(dear)] if job.state is State.HELD), None),
            "it is held",
        )
        others = up.ended(up.enqueue(numbers("0001", 3)), 180)
        holds = [hold.name for hold in store.holds.all()]
        sandbox.top_up(1000)
        (job,) = up.ended([dear], 180)
        return held, others, holds, job.state


@pytest.mark.played(by=too_dear)
def test_a_call_that_the_provider_refuses_as_too_dear_holds_no_other(
    outcome: tuple[Job, list[Job], list[str], State],
) -> None:
    held, others, holds, ended = outcome
    assert (held.hold_reason, held.spent) == ("credit", 0)
    assert {job.state for job in others} == {State.COMPLETED}
    assert holds == ["credit:tariff:tts:US"]
    assert ended is State.COMPLETED


@dataclass
class Stop:
    """What was seen while the provider refused everybody for a while."""

    failures: int
    lasted: float  # seconds
    jobs: list[Job]
    seconds_to_end: float
    held: int


def stopped_twice(folder: Path) -> dict[int, Stop]:
    """Refuse the token for some seconds in the middle of many jobs; be down for as many others."""
    gate = {
        "DISPATCHER_BREAKER_FAILURES": str(CLOSES),
        "DISPATCHER_MAX_CONNECTIONS": str(ON_THEIR_WAY),
    }
    with (
        OwnSandbox("--ring=0.3") as sandbox,
        Up(folder, *TWO, **{**QUICK, **SLOW}, **sandbox.account, **gate) as up,
    ):
        return {
            401: _stopped(up, sandbox, {"token": "another"}, 401),
            503: _stopped(up, sandbox, {"down": "503"}, 503),
        }


def _stopped(up: Up, sandbox: OwnSandbox, trouble: dict[str, str], status: int) -> Stop:
    """Make trouble for some seconds in the middle of many jobs."""
    before = sandbox.placed()
    ids = up.enqueue(numbers("0001", MANY))
    eventually(lambda: sandbox.placed() - before > MANY / 10, "calls are placed")
    sandbox.options(**trouble)
    troubled = time.monotonic()
    eventually(up.dispatcher.store.holds.all, "the gate is closed")
    time.sleep(8)  # that long it lasts: looks on their backoff, and nobody else
    waiting = held(up)
    failures, lasted = sandbox.answered(status), time.monotonic() - troubled
    sandbox.options(token=sandbox.token, down="off")
    began = time.monotonic()
    jobs = up.ended(ids, 120)
    return Stop(failures, lasted, jobs, time.monotonic() - began, waiting)


def _nobody_lost_anything(outcome: Stop) -> None:
    assert outcome.failures <= CLOSES + ON_THEIR_WAY + outcome.lasted  # and a look a second
    assert outcome.held > MANY / 3
    assert Counter(job.state for job in outcome.jobs) == {State.COMPLETED: MANY}
    assert {job.spent for job in outcome.jobs} == {1}
    assert outcome.seconds_to_end < 60


@pytest.mark.played(by=stopped_twice)
def test_a_wrong_token_costs_a_handful_of_requests_and_no_attempt(outcome: dict[int, Stop]) -> None:
    _nobody_lost_anything(outcome[401])


@pytest.mark.played(by=stopped_twice)
def test_a_provider_that_is_down_costs_a_handful_of_requests_and_no_attempt(
    outcome: dict[int, Stop],
) -> None:
    _nobody_lost_anything(outcome[503])


def strange_balances(folder: Path) -> dict[str, State]:
    """Call while the page of the balance says all that it should not; return what became of it."""
    found = {}
    with (
        OwnSandbox("--ring=0.3") as sandbox,
        Up(folder, *TWO, **QUICK, **sandbox.account, DISPATCHER_BALANCE_CHECK_EVERY="1s") as up,
    ):
        store = up.dispatcher.store
        for page in CREDITS_PAGES[1:]:
            sandbox.options(credits_page=page)
            eventually(lambda: store.budget.credit().failed_checks > 0, "a look has failed")
            (job,) = up.ended(up.enqueue(numbers("0001", 1)), 120)
            found[page] = job.state
            sandbox.options(credits_page="right")
            eventually(
                lambda: store.budget.credit().failed_checks == 0, "a look succeeds again", 80
            )
        for balance in (-5, 49.9999):
            sandbox.credits(balance)
            eventually(
                lambda: store.budget.credit().balance == Decimal(str(balance)),  # noqa: B023
                "the balance is seen",
            )
            (id_,) = up.enqueue(numbers("0001", 1))
            eventually(lambda: store.jobs.get(id_).state is State.HELD, "held")  # noqa: B023
            found[str(balance)] = store.jobs.get(id_).state
            sandbox.credits(50.0001 if balance > 0 else 1000)
            up.ended([id_], 120)
        found["refused"] = State.FAILED if sandbox.answered(403) else State.COMPLETED
    return found


@pytest.mark.played(by=strange_balances)
def test_a_balance_that_cannot_be_read_stops_nobody_and_one_too_low_does(
    outcome: dict[str, State],
) -> None:
    readable = dict.fromkeys(CREDITS_PAGES[1:], State.COMPLETED)
    low = {"-5": State.HELD, "49.9999": State.HELD}
    assert outcome == readable | low | {"refused": State.COMPLETED}
