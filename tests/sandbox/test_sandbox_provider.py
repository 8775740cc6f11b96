"""The provider without HTTP, on a clock of its own."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.sandbox import SandboxOptions
from dispatcher.sandbox.calls import call_status, conference_status
from dispatcher.sandbox.clock import Clock
from dispatcher.sandbox.forms import Conference, Playback
from dispatcher.sandbox.provider import Provider
from dispatcher.sandbox.refusals import Refusal

PREFIX = "+81801234"
NOON = 1_767_268_800.0  # 2026-01-01 12:00:00 UTC


class Hands:
    """A clock whose hands are moved by the test."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.clock = Clock(lambda: self.at, lambda: NOON)


@pytest.fixture
def hands() -> Hands:
    return Hands()


def provider(hands: Hands, **options: object) -> Provider:
    return Provider(SandboxOptions(**{"seed": 7, "ring": 10.0, **options}), hands.clock)  # type: ignore[arg-type]


def order(digits: str, message: str = "") -> Playback:
    url = "" if message else "http://example.com/a.mp3"
    return Playback("8145", PREFIX + digits, url, message, "en" if message else "", "", ("db1",))


def outcome(given_provider: Provider, hands: Hands, digits: str) -> str:
    call = given_provider.place_playback(order(digits)).calls[0]
    hands.at += 10
    return call.status(hands.at)


@pytest.mark.parametrize(
    ("digits", "status", "cost", "duration"),
    [
        ("0001", "ANSWERED", 10.0, 10),
        ("0002", "NO ANSWER", 0.0, 0),
        ("0003", "FAILED", 0.0, 0),
        ("0013", "BUSY", 0.0, 0),
        ("4567", "ANSWERED", 10.0, 10),
    ],
)
def test_a_number_decides_what_becomes_of_its_call(
    hands: Hands, digits: str, status: str, cost: float, duration: int
) -> None:
    call = provider(hands).place_playback(order(digits)).calls[0]
    hands.at += 9.99
    waiting = call_status(call, hands.at, hands.clock)
    assert (waiting["status"], waiting["cost"], waiting["end_time"]) == ("IN PROGRESS", 0.0, None)
    hands.at += 0.01
    ended = call_status(call, hands.at, hands.clock)
    assert (ended["status"], ended["cost"], ended["duration"]) == (status, cost, duration)


def test_the_call_status_has_every_documented_field(hands: Hands) -> None:
    call = provider(hands).place_playback(order("0001")).calls[0]
    assert call_status(call, hands.at + 10, hands.clock) == {
        "callid": call.callid,
        "recipient": PREFIX + "0001",
        "caller": "8145",
        "url": "http://example.com/a.mp3",
        "tags": ["db1"],
        "direction": "outbound",
        "call_type": "simple/playbacks",
        "status": "ANSWERED",
        "cost": 10.0,
        "duration": 10,
        "start_time": "2026-01-01 12:00:00",
        "end_time": "2026-01-01 12:00:10",
    }


def test_0004_is_in_progress_for_long(hands: Hands) -> None:
    call = provider(hands).place_playback(order("0004")).calls[0]
    assert call.status(hands.at + 23 * 3600) == "IN PROGRESS"
    assert call.status(hands.at + 24 * 3600) == "ANSWERED"


def test_0005_is_not_answered_first_and_then_answered_each_number_by_itself(hands: Hands) -> None:
    sandbox = provider(hands)
    assert [outcome(sandbox, hands, "0005") for _ in range(3)] == [
        "NO ANSWER",
        "ANSWERED",
        "ANSWERED",
    ]
    assert outcome(sandbox, hands, "0001") == "ANSWERED"
    other = sandbox.place_playback(Playback("8145", "+818099990005", "http://a/b", "", "", "", ()))
    assert other.calls[0].outcome == "NO ANSWER"


def test_ids_look_like_uuids_and_come_from_the_seed(hands: Hands) -> None:
    def ids(seed: int) -> list[str]:
        sandbox = provider(hands, seed=seed)
        return [sandbox.place_playback(order("0001")).calls[0].callid for _ in range(5)]

    assert ids(1) == ids(1)
    assert len({*ids(1), *ids(2)}) == 10
    assert all(str(UUID(each)) == each for each in ids(1))


def test_two_sandboxes_without_a_seed_never_give_out_the_same_id() -> None:
    assert SandboxOptions().seed != SandboxOptions().seed


def test_a_conference_is_over_when_its_last_call_is(hands: Hands) -> None:
    sandbox = provider(hands)
    placed = sandbox.place_conference(Conference("8145", (PREFIX + "0001", PREFIX + "0002"), "en"))
    assert placed.conferenceid is not None
    hands.at += 3
    now = conference_status(placed.conferenceid, placed.calls, hands.at, hands.clock)
    assert (now["end_time"], now["cost"], now["duration"]) == (None, 0.0, 0)
    hands.at += 7
    over = conference_status(placed.conferenceid, placed.calls, hands.at, hands.clock)
    assert (over["end_time"], over["cost"], over["duration"]) == ("2026-01-01 12:00:10", 10.0, 10)
    assert [each["status"] for each in over["participants"]] == ["ANSWERED", "NO ANSWER"]


def test_credits_are_reserved_when_a_call_is_placed_and_charged_at_its_end(hands: Hands) -> None:
    sandbox = provider(hands, credits=100)
    sandbox.place_playback(order("0001", "Disk full"))
    ledger = sandbox.ledger()
    assert [ledger.balance, ledger.reserved, ledger.available] == [100, 20, 80]
    hands.at += 10
    ledger = sandbox.ledger()
    assert [ledger.balance, ledger.reserved, ledger.available] == [80, 0, 80]


def test_a_call_that_is_not_answered_gives_its_reservation_back(hands: Hands) -> None:
    sandbox = provider(hands, credits=100)
    sandbox.place_playback(order("0002"))
    hands.at += 10
    assert [sandbox.ledger().balance, sandbox.ledger().reserved] == [100, 0]


def test_calls_under_way_cannot_overspend(hands: Hands) -> None:
    """With 100 credits and a least balance of 50, six playbacks of 10 fit and no seventh."""
    sandbox = provider(hands, credits=100)
    for _ in range(6):
        sandbox.place_playback(order("0001"))
    with pytest.raises(Refusal) as refusal:
        sandbox.place_playback(order("0001"))
    assert refusal.value.status == 403
    assert refusal.value.body == {"non_field_errors": ["Not enough credits, required: 10"]}


@pytest.mark.parametrize(("balance", "placed"), [(49.99, False), (50, True)])
def test_fifty_credits_are_needed_whatever_a_call_costs(
    hands: Hands, balance: float, placed: bool
) -> None:
    sandbox = provider(hands, credits=balance)
    if placed:
        assert sandbox.place_playback(order("0001")).calls
        return
    with pytest.raises(Refusal):
        sandbox.place_playback(order("0001"))
    assert not sandbox.calls


def test_a_post_paid_account_calls_below_zero(hands: Hands) -> None:
    sandbox = provider(hands, credits=-5, postpaid=True)
    sandbox.place_playback(order("0001"))
    hands.at += 10
    assert sandbox.ledger().balance == -15


@given(
    start=st.decimals(0, 500, places=2),
    steps=st.lists(
        st.tuples(
            st.sampled_from(["0001", "0002", "0003", "0005", "0013", "say", "meet", "add"]),
            st.sampled_from([0.0, 0.1, 3.0, 11.0]),
        ),
        max_size=40,
    ),
)
def test_the_ledger_always_adds_up(start: Decimal, steps: list[tuple[str, float]]) -> None:
    """Balance = start + added - charged, charged = the costs of the calls, and never below zero."""
    hands = Hands()
    sandbox = provider(hands, credits=float(start))
    for what, wait in steps:
        _step(sandbox, hands, what)
        hands.at += wait
        ledger = sandbox.ledger()
        calls = sandbox.calls.values()
        assert ledger.charged == sum(call.cost(hands.at) for call in calls)
        assert ledger.reserved == sum(call.price for call in calls if not call.ended(hands.at))
        assert ledger.balance == start + ledger.added - ledger.charged
        assert ledger.available >= 0
    assert sandbox.ledger().lines[-1].balance == sandbox.ledger().balance


def _step(sandbox: Provider, hands: Hands, what: str) -> None:
    if what == "add":
        sandbox.ledger().add(Decimal("33.33"), hands.at)
        return
    with suppress(Refusal):  # for lack of credits, the only reason there is here
        if what == "meet":
            sandbox.place_conference(Conference("8145", (PREFIX + "0001", PREFIX + "0003"), "ja"))
        else:
            sandbox.place_playback(order("0001", "Hi") if what == "say" else order(what))


def test_many_calls_under_way_are_settled_in_one_look(hands: Hands) -> None:
    sandbox = provider(hands, credits=10_000_000)
    for number in range(30_000):
        sandbox.place_playback(order(f"{number % 3 + 1:04}"))
    assert sandbox.in_progress == 30_000
    hands.at += 10
    assert sandbox.in_progress == 0
    spread = Counter(call.status(hands.at) for call in sandbox.calls.values())
    assert spread == {"ANSWERED": 10_000, "NO ANSWER": 10_000, "FAILED": 10_000}
    assert sandbox.ledger().charged == 100_000
