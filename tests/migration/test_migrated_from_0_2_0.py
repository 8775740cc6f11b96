"""A store of 0.2.0, brought up to date: all is as before, and work goes on."""

from __future__ import annotations

import itertools
import json
import lzma
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.filters import Filter
from dispatcher.model.request import JobRequest
from dispatcher.model.states import State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.errors import OtherSchema
from dispatcher.store.migrate import AtWork, Migration
from dispatcher.store.schema import BARRIER, SCHEMA
from support import kept_store
from support.campaign_books import assert_counted
from support.claims import fresh_token
from support.clock import Clock
from support.redis_inside import connection_of, key_of, redis_of, root_of
from support.store_books import Books
from support.store_jobs import assert_sound, placed, snapshot

KEPT = Path(__file__).with_name("store-0.2.0.json.xz")
ROOT = "{kept-0.2.0}"
ANSWERED = Decision(State.COMPLETED, "answered", "ANSWERED")
STRIDE = 5
NUMBERS = itertools.count(1)

Copy = Callable[[str], Store]


@pytest.fixture(scope="module")
def kept(redis_client: redis.Redis) -> Iterator[dict[str, Any]]:
    """What was kept: `now`, and `expected`; the store stands below ROOT from here on."""
    found: dict[str, Any] = json.loads(lzma.decompress(KEPT.read_bytes()))
    kept_store.write(redis_client, ROOT, found.pop("keys"))
    yield found
    kept_store.remove(redis_client, ROOT)


@pytest.fixture(scope="module")
def expected(kept: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = kept["expected"]
    return found


@pytest.fixture(scope="module")
def second(redis_client: redis.Redis, kept: dict[str, Any]) -> Iterator[Copy]:
    """Return a function that copies what stands below a root to a namespace of its own."""
    roots = []

    def copied(root: str) -> Store:
        name = f"second{next(NUMBERS)}"
        roots.append(f"{{{name}}}")
        kept_store.copy(redis_client, root, roots[-1])
        clock = Clock()
        clock.ms = kept["now"]
        return Store(redis_client, namespace=name, clock=clock)

    yield copied
    for root in roots:
        kept_store.remove(redis_client, root)


@pytest.fixture(scope="module")
def now(second: Copy) -> Store:
    """The store, brought up to date; to be looked at only."""
    store = second(ROOT)
    Migration(connection_of(store)).run()
    return store


def standing(store: Store) -> dict[str, object]:
    found = kept_store.read(redis_of(store), root_of(store))
    return {name: value for name, _, value, _ in found}


def told(now: Any, before: Any) -> Any:
    """Return of what is told now that which 0.2.0 told, too."""
    if isinstance(before, dict):
        return {name: told(now[name], each) for name, each in before.items()}
    if isinstance(before, list):
        assert len(now) == len(before)
        return [told(*each) for each in zip(now, before, strict=True)]
    return now


def test_every_job_is_told_as_before(now: Store, expected: dict[str, Any]) -> None:
    found = [job.to_dict() for job in now.search.find(Filter())]
    assert len(found) > 250
    assert told(found, expected["jobs"]) == expected["jobs"]
    assert {job["state"] for job in found} == set(State)


def test_every_search_and_call_finds_the_same(now: Store, expected: dict[str, Any]) -> None:
    for wanted, ids in expected["searches"]:
        assert ids, wanted
        found = [id_ for some in now.search.find_ids(Filter(**wanted)) for id_ in some]
        assert found == ids, wanted
    assert {callid: now.jobs.id_of_call(callid) for callid in expected["calls"]} == (
        expected["calls"]
    )
    counts = {s: {r: n for r, n in of.items() if n} for s, of in now.search.counts().items()}
    assert counts == {s: {r: n for r, n in of.items() if n} for s, of in expected["counts"].items()}


def test_the_account_stands_as_before(now: Store, expected: dict[str, Any]) -> None:
    credit = now.budget.credit()
    found = [str(credit.balance), str(credit.spent), str(credit.in_flight)]
    assert found == expected["credit"]
    assert [limit.to_dict() for limit in now.spending.limits()] == expected["limits"]
    holds = [[hold.name, hold.since, hold.why] for hold in now.holds.all()]
    assert holds == expected["holds"]
    assert len(holds) == 2
    keys = [[key.id, key.name, str(key.revoked_at)] for key in now.api_keys.all()]
    assert keys == expected["api_keys"]


def test_what_was_done_and_told_is_as_before(now: Store, expected: dict[str, Any]) -> None:
    audit = [entry.to_dict() for entry in now.audit.read(mask=False)]
    assert told(audit, expected["audit"]) == expected["audit"]
    actions = [each.to_dict() for each in now.bulk.recent()]
    assert told(actions, expected["actions"]) == expected["actions"]
    assert [[each.kind, each.facts] for each in now.events.after()] == expected["events"]
    assert now.webhooks.counts() == expected["webhooks"]
    for webhook in [*now.webhooks.waiting(), *now.webhooks.dead()]:
        assert webhook.job is not None or webhook.facts != "{}"


def test_the_fraction_of_the_rate_is_kept_in_billionths(now: Store) -> None:
    """It was in millionths."""
    before = redis_of(now).hget(f"{ROOT}:account:default:pace", "fraction")
    found = redis_of(now).hget(key_of(now, "pace"), "fraction")
    assert before
    assert found
    assert int(found) == int(before) * 1000 < 10**9


def test_every_structure_and_the_books_agree(now: Store) -> None:
    found = snapshot(now)
    assert_sound(found)
    Books().look(found)
    assert_counted(found)
    names = {name.partition(":")[0] for name in standing(now)}
    assert not names & {"job", "idx", "tag", "calls", "hook", "reasons", "recipients", "migration"}
    assert redis_of(now).get(key_of(now, "schema")) == str(SCHEMA).encode()


def test_the_same_request_is_the_same_job(second: Copy, expected: dict[str, Any]) -> None:
    store = second(ROOT)
    Migration(connection_of(store)).run()
    assert len(expected["keyed"]) > 20
    for one in expected["keyed"]:
        request = JobRequest.of(one["fields"])
        found = store.jobs.enqueue(request, actor=one["actor"], scope=one["scope"])
        assert (found.id, found.new) == (one["id"], False)


def test_what_stands_in_line_is_dialled_in_order(second: Copy) -> None:
    store = second(ROOT)
    Migration(connection_of(store)).run()
    store.limiter.publish(AccountConfig(one_at_a_time=False))
    for hold in store.holds.all():
        store.holds.end(hold.name)
    dialled = []
    while claims := take(store):
        for claim in claims:
            store.calls.settle(claim.job.id, claim.attempt, placed(f"new-{next(NUMBERS)}"))
            state = store.calls.settle(claim.job.id, claim.attempt, ANSWERED)
            assert state is State.COMPLETED
            dialled.append(claim.job.id)
    line = redis_of(store).zrange(f"{ROOT}:account:default:ready:bulk:campaign:summer", 0, -1)
    in_line = [id_.decode() for id_ in line if id_.decode() in dialled]  # the others are overdue
    assert len(in_line) > 15
    assert [id_ for id_ in dialled if id_ in in_line] == in_line
    assert len(store.callbacks.take()) == 3
    found = snapshot(store)
    assert_sound(found)
    assert_counted(found)
    Books().look(found)


def take(store: Store) -> list[Any]:
    """Take what can be dialled, some time later if not now."""
    clock = connection_of(store)._clock
    assert isinstance(clock, Clock)
    for _ in range(200):
        store.queue.pump()
        taken = store.queue.take(25, token=fresh_token(), lease=60)
        if taken.claims or not any(store.limiter.pace().ready.values()):
            return list(taken.claims)
        if taken.day:
            store.spending.begin_day(taken.day)
        clock.forward(taken.again or 1)
    raise AssertionError("nothing can be dialled any more")


# -- how it is done ------------------------------------------------------------------------------


class Killed(BaseException):
    """Nobody hears of it."""


def ended_after(store: Store, last: int) -> bool:
    """Migrate, but for what comes after so many batches; return whether there was so much."""
    batches = itertools.count(1)

    def tell(_step: str, _many: int) -> None:
        if next(batches) == last:
            raise Killed

    try:
        Migration(connection_of(store)).run(tell)
    except Killed:
        redis_of(store).delete(f"{root_of(store)}:migration")
        return True
    return False


def test_it_may_end_after_any_batch(second: Copy, now: Store) -> None:
    """Each of those that give old names, some of the others."""
    wanted, last = standing(now), 1
    while ended_after(store := second(ROOT), last):
        Migration(connection_of(store)).run()
        assert standing(store) == wanted, f"broken off after {last} batches"
        kept_store.remove(redis_of(store), root_of(store))
        last += 1 if last < 12 else STRIDE
    assert last > 30


def test_records_of_now_that_say_schema_2_stay_as_they_are(second: Copy, now: Store) -> None:
    """As development wrote them between 0.2.0 and this version."""
    store = second(root_of(now))
    wanted = standing(store)
    redis_of(store).set(key_of(store, "schema"), 2)
    redis_of(store).set(f"{root_of(store)}:{BARRIER}", "schema 2")
    Migration(connection_of(store)).run()
    assert standing(store) == wanted


def test_a_plan_says_what_there_is(second: Copy, expected: dict[str, Any]) -> None:
    store = second(ROOT)
    plan = Migration(connection_of(store)).plan()
    assert (plan.schema, plan.needed, plan.goes_on) == (2, True, False)
    assert sum(plan.jobs.values()) == len(expected["jobs"])
    with pytest.raises(OtherSchema, match=r"of schema 2, .* run voice-dispatcher migrate"):
        store.queue.pump()


@pytest.mark.parametrize(
    "sign",
    ["account:default:dispatched", "callbacks", "webhooks:out", "bulk_actions:running"],
)
def test_nothing_is_begun_while_processes_of_before_work(second: Copy, sign: str) -> None:
    store = second(ROOT)
    redis_of(store).zadd(f"{root_of(store)}:{sign}", {"fresh": store.now() + 30_000})
    with pytest.raises(AtWork, match="stop workers, beat, gateway"):
        Migration(connection_of(store)).run()
    assert redis_of(store).get(key_of(store, "schema")) == b"2"
