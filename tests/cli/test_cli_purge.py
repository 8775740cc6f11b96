"""`purge`: after it nothing in Redis knows the number, and everything else is as it was."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.call import CallRef
from dispatcher.model.outcome import Outcome
from dispatcher.model.request import JobRequest
from dispatcher.model.states import Reason, State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.callbacks import Callback
from support.cli_shell import Shell
from support.redis_inside import key_of, redis_of

NUMBER, OTHER = "+818011234567", "+818011234568"
DIGITS = NUMBER.removeprefix("+")


def add(store: Store, recipient: str = NUMBER, **fields: Any) -> str:
    return store.jobs.enqueue(JobRequest.of({"recipient": recipient, "say": "x", **fields})).id


def dialled(store: Store, id_: str) -> int:
    claim = store.queue.claim(id_, token=id_, lease=60)
    assert not isinstance(claim, State | None), claim
    placed = Decision(State.IN_PROGRESS, "placed", "", delay=60, call=CallRef((f"call-{id_}",)))
    store.calls.settle(id_, claim.attempt, placed)
    return int(claim.attempt)


def ended(store: Store, recipient: str = NUMBER, **fields: Any) -> str:
    id_ = add(store, recipient, **fields)
    attempt = dialled(store, id_)
    end = Decision(State.FAILED, "no_answer", "NO ANSWER", Reason.NO_ANSWER)
    store.calls.settle(id_, attempt, end)
    return id_


@pytest.fixture
def told(store: Store) -> Store:
    """A store that counts calls to people, and has a target of webhooks."""
    store.limiter.publish(AccountConfig(webhooks=1, per_day=50))
    return store


def traces(store: Store) -> list[str]:
    """Return the keys of the whole Redis in which the number stands, forwards or backwards."""
    found = []
    for key in redis_of(store).scan_iter(count=1000):
        dump: Any = redis_of(store).execute_command(
            *_READ[redis_of(store).type(key)], key, *_ALL.get(redis_of(store).type(key), ())
        )
        text = repr((key, dump))
        if DIGITS in text or DIGITS[::-1] in text:
            found.append(key.decode())
    return found


_READ = {
    b"hash": ("HGETALL",),
    b"zset": ("ZRANGE",),
    b"set": ("SMEMBERS",),
    b"string": ("GET",),
    b"list": ("LRANGE",),
    b"stream": ("XRANGE",),
}
_ALL = {b"zset": (0, -1), b"list": (0, -1), b"stream": ("-", "+")}


def test_nothing_of_the_number_is_left(shell: Shell, told: Store) -> None:
    gone = ended(
        told, tags=[f"to {NUMBER}"], key=f"alert {NUMBER}", webhook="https://a.example.com/h"
    )
    conference = told.jobs.enqueue(JobRequest.of({"participants": (OTHER, NUMBER)})).id
    told.jobs.cancel(conference, actor="cli", note="no")
    kept = ended(told, OTHER, tags=["x"])
    reports = [
        Callback(id_, 1, f"call-{id_}", "ANSWERED", Outcome.ANSWERED) for id_ in (gone, kept)
    ]
    told.callbacks.receive(reports, {})
    dead = next(iter(told.webhooks.waiting())).id
    told.webhooks.settle(dead, "dead", error="410")
    assert len({key.split(":")[1] for key in traces(told)}) >= 5
    ran = shell("purge", "--recipient", NUMBER, "--yes", "--note", f"asked by {NUMBER}", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["removed"] == 2
    assert ran.json["webhooks"] >= 3
    assert ran.json["not_ended"] == []
    assert traces(told) == []
    assert told.jobs.id_of_call(f"call-{gone}") is None
    assert told.jobs.get(kept).state is State.FAILED
    assert [report.job_id for report in told.callbacks.take()] == [kept]
    assert {each.job.id for each in told.webhooks.waiting() if each.job} == {kept}
    *_, entry = told.audit.read(mask=False)
    assert (entry.action, entry.target, entry.note) == (
        "purge",
        "recipient:+8180****4567",
        "asked by +8180****4567",
    )
    assert entry.facts["jobs"] == 2


def test_jobs_that_are_not_ended_are_told_and_nothing_goes(shell: Shell, told: Store) -> None:
    ended(told)
    waiting = add(told, at="1h")
    ran = shell("purge", "--recipient", NUMBER, "--yes")
    assert ran.code == 1
    assert waiting in ran.out
    assert "--cancel" in ran.err
    assert len(traces(told)) > 0
    assert shell("purge", "--recipient", NUMBER, "--yes", "--cancel").code == 0
    assert traces(told) == []


def test_a_job_under_way_is_left_and_told(shell: Shell, told: Store) -> None:
    ended(told)
    under_way = add(told)
    dialled(told, under_way)
    ran = shell("purge", "--recipient", NUMBER, "--yes", "--cancel", "--json")
    assert ran.code == 1
    assert ran.json["removed"] == 1
    assert [job["id"] for job in ran.json["not_ended"]] == [under_way]
    assert NUMBER not in ran.out + ran.err
    assert told.jobs.get(under_way).state is State.IN_PROGRESS
    busy: Any = redis_of(told).get(key_of(told, "calling", DIGITS))
    assert busy is None or busy.decode() == under_way


def test_by_age_what_ended_long_ago_goes(shell: Shell, told: Store) -> None:
    old = ended(told)
    long_ago = told.now() - 91 * 86_400_000
    redis_of(told).hset(key_of(told, "job", old), "finished", round(long_ago))
    redis_of(told).zadd(key_of(told, "by_state", "failed:no_answer"), {old: long_ago})
    new, waiting = ended(told, OTHER), add(told)
    dry = shell("purge", "--older-than", "90d", "--dry-run", "--json")
    assert dry.json == {"would_remove": 1, "not_ended": []}
    assert shell("purge", "--older-than", "90d", "--yes", "--json").json["removed"] == 1
    assert told.jobs.get_many([old]) == [None]
    assert told.jobs.get(new).id == new
    assert told.jobs.get(waiting).id == waiting
    *_, entry = told.audit.read()
    assert (entry.action, entry.target) == ("purge", "older-than:90d")


def test_a_dry_run_removes_nothing_and_is_no_act(shell: Shell, told: Store) -> None:
    id_ = ended(told)
    ran = shell("purge", "--recipient", NUMBER, "--dry-run")
    assert ran.out == "+8180****4567: 1 ended job, 0 not ended\n"
    assert told.jobs.get(id_).id == id_
    assert list(told.audit.read()) == []


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ((), "either"),
        (("--recipient", NUMBER, "--older-than", "1d", "--yes"), "either"),
        (("--recipient", "4567", "--yes"), "E.164"),
        (("--recipient", NUMBER), "--yes"),
        (("--older-than", "old", "--yes"), "old"),
    ],
)
def test_wrong_usage_removes_nothing(
    shell: Shell, told: Store, options: tuple[str, ...], word: str
) -> None:
    id_ = ended(told)
    ran = shell("purge", *options)
    assert ran.code == 2
    assert word in ran.complaint
    assert told.jobs.get(id_).id == id_


def test_a_call_of_a_job_that_is_gone_leaves_no_trace_of_the_number(
    shell: Shell, store: Store
) -> None:
    """A record that was deleted by hand ends no call."""
    redis_of(store).set(key_of(store, "calling", DIGITS), "aaaaaaaaaaaaaaaa")
    assert traces(store)
    assert shell("purge", "--recipient", NUMBER, "--yes").code == 0
    assert [name for name in traces(store) if "busy" in name] == []
