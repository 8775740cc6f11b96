"""`pause`, `resume`, `prioritise` and `why`: what people do to the line, and what they are told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.call import CallRef
from dispatcher.model.request import JobRequest
from dispatcher.model.states import Reason, State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.values import Claim
from dispatcher.values.calling_hours import CallingHours
from dispatcher.values.rate import Rate
from support.claims import claim_one, take, taken
from support.cli_shell import Shell
from support.redis_inside import redis_of

NUMBER = "+818011234567"
HELD = "paused by cli:sam: storm"


def add(store: Store, **fields: Any) -> str:
    return store.jobs.enqueue(JobRequest.of({"recipient": NUMBER, "say": "x", **fields})).id


def states(store: Store, *ids: str) -> list[str]:
    return [store.jobs.get(id_).state for id_ in ids]


# -- pause and resume -----------------------------------------------------------------------


def test_pause_stops_everything_and_says_who_and_why(shell: Shell, store: Store) -> None:
    ran = shell("pause", "--why", "storm", "--json")
    assert (ran.code, ran.err) == (0, "")
    told = {"paused": "all calls", "changed": True, "why": "paused by cli:sam: storm"}
    assert told.items() <= ran.json.items()
    (hold,) = shell("stats", "--json").json["holds"]
    assert (hold["name"], hold["why"]) == ("paused", HELD)
    assert f"Calls are held: {HELD} (since " in shell("stats").out


def test_pause_and_resume_say_in_words_what_they_did(shell: Shell, store: Store) -> None:
    said = [shell(*each).out for each in (("pause",), ("pause",), ("resume",), ("resume",))]
    assert said == [
        "all calls: paused\n",
        "all calls: stays paused by cli:sam\n",
        "all calls: resumed\n",
        "all calls: was not paused\n",
    ]


def test_who_paused_first_and_why_stays_when_somebody_pauses_again(
    shell: Shell, store: Store
) -> None:
    shell("pause", "--why", "storm")
    said = shell("pause", "--why", "lunch").out
    assert said == f"all calls: stays {HELD}\n"
    assert [hold.why for hold in store.holds.all()] == [HELD]


@pytest.mark.parametrize(
    ("options", "scope", "hold"),
    [
        ((), "all calls", "paused"),
        (("--tag", "db1"), "jobs tagged db1", "paused:tag:db1"),
        (("--tag", " [/b] "), "jobs tagged [/b]", "paused:tag:[/b]"),
        (("--priority", "bulk"), "bulk jobs", "paused:priority:bulk"),
    ],
)
def test_a_pause_and_its_end_have_the_same_scope(
    shell: Shell, store: Store, options: tuple[str, ...], scope: str, hold: str
) -> None:
    said = {"paused": scope, "why": "paused by cli:sam"}
    first, again = (shell("pause", *options, "--json").json for _ in range(2))
    assert {**said, "changed": True}.items() <= first.items()
    assert {**said, "changed": False}.items() <= again.items()
    assert [each.name for each in store.holds.all()] == [hold]
    assert shell("resume", *options).out == f"{scope}: resumed\n"
    assert store.holds.all() == []
    over = shell("resume", *options, "--json").json
    assert {"resumed": scope, "changed": False}.items() <= over.items()


def test_the_hold_for_unusual_calls_is_ended_as_such_only(shell: Shell, store: Store) -> None:
    store.holds.start("unusual", "SO was never called before")
    assert shell("resume").out == "all calls: was not paused\n"
    refused = shell("resume", "--unusual", "--tag", "db1")
    assert (refused.code, "--unusual" in refused.complaint) == (2, True)
    assert [hold.name for hold in store.holds.all()] == ["unusual"]
    assert shell("resume", "--unusual", "--note", "ours").out == "unusual calls: resumed\n"
    assert store.holds.all() == []
    assert shell("resume", "--unusual").out == "unusual calls: was not held\n"
    assert [(e.action, e.target, e.note) for e in store.audit.read()] == [
        ("resume", "unusual", "ours")
    ]


def test_a_pause_holds_queued_jobs_and_the_timeline_tells_who_and_why(
    shell: Shell, store: Store
) -> None:
    id_ = add(store)
    shell("pause", "--why", "storm")
    assert take(store) == []
    job = shell("show", id_, "--json").json
    assert (job["state"], job["hold_reason"], job["attempts"]) == ("held", "paused", [])
    last = job["timeline"][-1]
    assert (last["from"], last["to"], last["why"]) == ("queued", "held", HELD)
    assert shell("stats", "--json").json["reasons"] == {"held": {"paused": 1}}


def test_a_pause_holds_a_job_whose_calling_window_a_worker_sets(shell: Shell, store: Store) -> None:
    id_ = add(store, hours="Mon-Sun 00:00-24:00")
    (hours,) = taken(store).hours
    shell("pause")
    now = datetime.now(UTC)
    window = CallingHours.parse(hours.text).window(hours.job.numbers, now)
    assert store.queue.set_calling_window(id_, window, "", hours.text) is State.QUEUED
    assert take(store) == []
    assert store.jobs.get(id_).state is State.HELD
    assert store.jobs.get(id_).attempts == ()


def test_a_pause_lets_calls_under_way_go_on(shell: Shell, store: Store) -> None:
    id_ = add(store)
    claim = claim_one(store, id_, token="t", lease=60)
    assert isinstance(claim, Claim)
    shell("pause")
    placed = Decision(State.IN_PROGRESS, "placed", "", delay=60, call=CallRef(("call-1",)))
    assert store.calls.settle(id_, claim.attempt, placed) is State.IN_PROGRESS


@pytest.mark.parametrize(
    ("options", "became"),
    [
        (("--tag", "db1"), ["held", "dialing", "dialing"]),
        (("--priority", "bulk"), ["dialing", "held", "dialing"]),
    ],
)
def test_a_pause_of_a_part_lets_the_rest_go(
    shell: Shell, store: Store, options: tuple[str, ...], became: list[str]
) -> None:
    ids = add(store, tags=("x", "db1")), add(store, priority="bulk"), add(store, tags=("db11",))
    shell("pause", *options)
    claimed = take(store)
    assert states(store, *ids) == became
    assert set(claimed) == {
        id_ for id_, state in zip(ids, became, strict=True) if state == "dialing"
    }


def test_a_pause_outlives_who_made_it_and_resume_releases(shell: Shell, store: Store) -> None:
    id_ = add(store)
    shell("pause", "--why", "storm")
    take(store)
    anew = Store(redis_of(store))  # as after a restart: nothing of it is in a process
    assert [hold.why for hold in anew.holds.all()] == [HELD]
    anew.queue.pump()
    assert states(anew, id_) == ["held"]
    assert shell("resume").code == 0
    assert anew.queue.pump().released == 1
    last = anew.jobs.get(id_).timeline[-1]
    assert (last.before, last.to, last.why) == ("held", "queued", "released")
    assert take(anew) == [id_]


def test_what_one_pause_held_is_not_released_by_the_end_of_another(
    shell: Shell, store: Store
) -> None:
    tagged, bulk = add(store, tags=("db1",)), add(store, priority="bulk")
    shell("pause", "--tag", "db1")
    shell("pause", "--priority", "bulk")
    take(store)
    assert states(store, tagged, bulk) == ["held", "held"]
    shell("resume", "--tag", "db1")
    store.queue.pump()
    assert states(store, tagged, bulk) == ["queued", "held"]


def test_a_note_does_not_steer_the_terminal(shell: Shell, store: Store) -> None:
    id_ = add(store)
    shell("pause", "--why", "[/b] \x1b[2J")
    for ran in (shell("stats"), shell("why", id_)):
        assert ran.code == 0
        assert "\x1b" not in ran.out
        assert "[/b] \\x1b[2J" in ran.out


# -- prioritise -----------------------------------------------------------------------------


def test_prioritise_changes_the_line_and_the_timeline_tells_who_and_why(
    shell: Shell, store: Store
) -> None:
    first, second = add(store), add(store)
    ran = shell("prioritise", second, "--priority", "urgent", "--note", "boss", "--json")
    assert (ran.code, ran.err, ran.json["refused"]) == (0, "", [])
    (done,) = ran.json["done"]
    assert (done["id"], done["state"], done["priority"]) == (second, "queued", "urgent")
    last = done["timeline"][-1]
    assert (last["to"], last["actor"], last["why"]) == (
        "queued",
        "cli:sam",
        "priority set to urgent: boss",
    )
    assert store.jobs.get(first).priority == "normal"


def test_a_job_that_has_become_urgent_is_taken_first(shell: Shell, store: Store) -> None:
    first, second = add(store), add(store)
    store.jobs.prioritise(second, store.jobs.get(second).priority.URGENT, actor="cli:sam")
    assert take(store) == [second, first]


def test_prioritise_of_what_is_past_waiting_is_refused(shell: Shell, store: Store) -> None:
    waiting, dialling = add(store, at="1h"), add(store)
    claim_one(store, dialling, token="t", lease=60)
    ran = shell("prioritise", waiting, dialling, "--priority", "bulk")
    assert ran.code == 1
    assert ran.out.split() == [waiting, "scheduled"]
    assert (
        ran.complaint == f"job {dialling} is dialing: its priority cannot be changed after dialling"
    )
    assert store.jobs.get(waiting).priority == "bulk"
    assert store.jobs.get(dialling).priority == "normal"


# -- why and stats --------------------------------------------------------------------------


def test_why_tells_the_place_in_line_and_when_its_turn_comes(shell: Shell, store: Store) -> None:
    store.limiter.publish(AccountConfig(rate=Rate.parse("1/minute"), margin=0, one_at_a_time=False))
    ids = [add(store) for _ in range(3)]
    ids.sort(key=lambda id_: (store.jobs.get(id_).due_at, id_))  # as they stand in line
    found = shell("why", ids[2], "--json").json
    assert (found["id"], found["state"], found["position"]) == (ids[2], "queued", 3)
    assert found["expected_at"] > store.jobs.get(ids[2]).created_at.isoformat()
    assert found["why"].startswith("it is in line: 2 are before it; expected in 2 min (")
    assert found["next_action"]["what"] == "is dialled when its turn comes"
    said = shell("why", ids[2])
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[0].split() == [ids[2], "queued"]
    assert "2 are before it" in said.out


def test_why_of_a_paused_job_tells_who_paused_and_why(shell: Shell, store: Store) -> None:
    id_ = add(store)
    shell("pause", "--why", "storm")
    assert HELD in shell("why", id_).out
    assert shell("why", id_, "--json").json["position"] is None
    take(store)
    found = shell("why", id_, "--json").json
    assert (found["state"], found["hold_reason"], found["why"]) == (
        "held",
        "paused",
        f"it is held: {HELD}",
    )


def test_why_finds_a_job_by_its_call_and_tells_what_became_of_it(
    shell: Shell, store: Store
) -> None:
    id_ = add(store)
    claim_one(store, id_, token="t", lease=60)
    vain = Decision(
        State.FAILED, "no_answer", "NO ANSWER", Reason.NO_ANSWER, call=CallRef(("call-1",))
    )
    store.calls.settle(id_, 1, vain)
    found = shell("why", "call-1", "--json").json
    assert (found["id"], found["reason"]) == (id_, "no_answer")
    assert found["why"] == "it has failed: no answer: NO ANSWER"
    assert (found["expected_at"], found["next_action"]) == (None, None)


def test_stats_tells_the_rate_and_who_waits(shell: Shell, store: Store) -> None:
    store.limiter.publish(AccountConfig(rate=Rate.parse("30/minute"), connections=4))
    add(store)
    add(store, tags=("campaign:a",))
    add(store, priority="bulk")
    found = shell("stats", "--json").json
    assert found["rate"] == {
        "limit": 0.5,
        "working": 0.5,
        "period": 60,
        "next_slot_in": 0,
        "connections": 0,
        "margin": 0.01,
        "found": [],
    }
    assert found["ready"] == {"urgent": 0, "normal": 2, "bulk": 1}
    assert found["lines"] == {"urgent": 0, "normal": 2, "bulk": 1}
    out = shell("stats").out
    assert "Ready: 2 normal in 2 lines, 1 bulk in 1 line" in out
    assert "Rate 30/min; a slot is free; 0 requests under way" in out


def test_stats_tells_of_a_rate_that_a_429_lowered(shell: Shell, store: Store) -> None:
    store.limiter.publish(AccountConfig(rate=Rate(10)))
    store.limiter.throttle(30)
    rate = shell("stats", "--json").json["rate"]
    assert rate["limit"] == 10
    assert 7 <= rate["working"] < 7.5
    assert 25 < rate["next_slot_in"] <= 30
    out = shell("stats").out
    assert "Rate 10/s, now 7" in out
    assert "after a 429" in out


def test_a_limit_that_was_found_is_told_by_stats_why_and_doctor(shell: Shell, store: Store) -> None:
    store.limiter.publish(AccountConfig(rate=Rate(5), connections=100, one_at_a_time=False))
    granted = sum(store.limiter.take_slot(f"check-{n}")[0] for n in range(3))
    store.limiter.throttle(48, told=True)
    found = f"{granted}/min"
    assert shell("stats", "--json").json["rate"]["found"] == [found]
    assert f"The provider was found to take {found}, and no more" in shell("stats").out
    assert f"the provider takes {found}" in shell("why", add(store)).out
    says = {
        each["check"]: each["message"] for each in shell("doctor", "--no-provider", "--json").json
    }
    assert f"set DISPATCHER_RATE_LIMIT={found} if that is its limit" in says["rate"]


def test_stats_tells_of_no_limit(shell: Shell, store: Store) -> None:
    store.limiter.publish(AccountConfig())
    assert shell("stats", "--json").json["rate"]["limit"] is None
    assert "No rate limit; 0 requests under way" in shell("stats").out
