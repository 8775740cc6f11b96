"""The Lua library: loaded where it is missing, beside others, nothing left from call to call."""

from __future__ import annotations

import re

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.decision import Decision
from dispatcher.model.states import State
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.library import Library, build, library, modules, operations
from dispatcher.store.schema import KEYS, Config, Field
from dispatcher.store.values import Claim
from dispatcher.values.rate import Rate
from support.claims import claim_one, take, taken
from support.clock import Clock
from support.redis_inside import key_of, redis_of, root_of
from support.store_jobs import (
    assert_sound,
    claim,
    enqueue,
    failed,
    placed,
    request,
    snapshot,
)

LONGEST_MAIN_BODY = 60
SOURCES = {name: text for name, text in modules().items() if name != "schema"}


def test_a_missing_library_is_loaded_and_the_step_repeated(store: Store) -> None:
    redis_of(store).execute_command("FUNCTION", "FLUSH", "SYNC")
    enqueue(store)
    assert _loaded(store) == {library().name}


def test_a_missing_library_is_loaded_in_the_middle_of_a_pipeline(store: Store) -> None:
    redis_of(store).execute_command("FUNCTION", "FLUSH", "SYNC")
    some = store.jobs.enqueue_many([request(key=str(n)) for n in range(120)])  # in three steps
    assert all(each.unwrap().new for each in some)
    assert store.search.counts()[State.QUEUED] == {"": 120}


def test_who_loads_the_library_second_goes_on(store: Store) -> None:
    redis_of(store).execute_command("FUNCTION", "FLUSH", "SYNC")
    store.limiter.pace()
    store._connection._load()
    assert _loaded(store) == {library().name}


def _loaded(store: Store) -> set[str]:
    found = redis_of(store).function_list()
    return {each[each.index(b"library_name") + 1].decode() for each in found}


def test_two_releases_work_on_the_same_job_in_turn(store: Store, clock: Clock) -> None:
    """A rolling upgrade: libraries of the same schema and another text stand side by side."""
    newer = Store(redis_of(store), namespace=root_of(store)[1:-1], clock=clock)
    release = _other_release()
    newer._connection._library = lambda: release
    id_ = enqueue(newer, at=1)
    clock.forward(1)
    store.queue.pump()
    (made,) = taken(newer, token="token").claims
    (again,) = taken(store, token="token").claims
    assert (again.job.id, again.attempt) == (id_, made.attempt)
    store.calls.settle(id_, made.attempt, placed())
    newer.calls.reschedule_check(id_, made.attempt, 5)
    clock.forward(5)
    assert store.calls.take_due(State.IN_PROGRESS) == [id_]
    lost = Decision(State.FAILED, "call_failed", "busy", "call_failed")
    assert newer.calls.settle(id_, made.attempt, lost) is State.FAILED
    store.jobs.retry(id_, actor="cli")
    newer.jobs.cancel(id_, actor="cli")
    assert _loaded(store) >= {library().name, release.name}
    assert_sound(snapshot(store))


def _other_release() -> Library:
    texts = modules() | {"lib/text": modules()["lib/text"] + "\n-- of another release\n"}
    return build(texts, operations())


def test_nothing_is_left_from_one_call_to_the_next(store: Store, clock: Clock) -> None:
    """Operations in turn on two namespaces, with other settings, holds, limits and clocks."""
    other_clock = Clock()
    other = Store(redis_of(store), namespace="elsewhere", clock=other_clock)
    other_clock.forward(1000)
    try:
        store.limiter.publish(AccountConfig(rate=Rate.parse("1/minute")))
        store.holds.start("paused", "here only")
        assert claim_one(store, enqueue(store), token="t", lease=30) is State.HELD
        there = enqueue(other)
        assert isinstance(claim_one(other, there, token="t", lease=30), Claim)
        assert store.limiter.pace().rate == pytest.approx(1 / 60)
        assert other.limiter.pace().rate is None
        assert [each.name for each in store.holds.all()] == ["paused"]
        assert other.holds.all() == []
        assert other.jobs.get(there).created_at.timestamp() * 1000 == other_clock.ms
        assert store.jobs.get(enqueue(store)).created_at.timestamp() * 1000 == clock.ms
        store.spending.begin_day("UTC")
        assert not [name for name in snapshot(other) if name.startswith("spending")]
        assert [each.kind for each in store.budget.check_failed("no answer", 60)] == []
        assert other.budget.check_failed("no answer", 60) == []
    finally:
        redis_of(store).delete(*redis_of(store).keys("{elsewhere}:*"))


def test_a_configuration_is_in_force_as_soon_as_it_is_published(store: Store) -> None:
    """Whoever published it: one of an older release has no digest, by which it would be known."""
    store.limiter.publish(AccountConfig(rate=Rate.parse("5/s")))
    config = key_of(store, "config")
    for rate in ("5/s", "7/s"):
        store.limiter.publish(AccountConfig(rate=Rate.parse(rate)))
        assert store.limiter.pace().rate == Rate.parse(rate).per_second
    redis_of(store).hdel(config, Config.DIGEST)
    for rate in (3.0, 2.0):
        redis_of(store).hset(config, Config.RATE, rate)
        assert store.limiter.pace().rate == rate


def test_what_a_failed_call_put_together_is_written(store: Store) -> None:
    """The record says already what became of the job: so it has to be looked at again."""
    id_ = enqueue(store)
    claim(store, id_)
    redis_of(store).hset(key_of(store, "job", id_), Field.ALERT, "broken")
    redis_of(store).set(key_of(store, "alert", "broken"), "of another type")
    with pytest.raises(Exception, match="refused an operation"):
        store.calls.settle(id_, 1, placed())
    assert store.jobs.get(id_).state is State.IN_PROGRESS
    assert redis_of(store).zscore(key_of(store, "due", State.IN_PROGRESS), id_) is not None
    assert redis_of(store).zscore(key_of(store, "due", State.DIALING), id_) is None


def test_a_failed_call_leaves_nothing_to_the_next(store: Store) -> None:
    told = {"id": enqueue(store), "attempt": 1, "to": "failed"}  # nothing of the attempt: it breaks
    with pytest.raises(Exception, match="refused an operation"):
        store._connection.run("settle", answers=[told])
    id_ = failed(store)
    assert store.jobs.get(id_).state is State.FAILED


def test_libraries_of_other_releases_can_be_dropped(store: Store) -> None:
    newer = Store(redis_of(store), namespace=root_of(store)[1:-1])
    release = _other_release()
    newer._connection._library = lambda: release
    enqueue(newer)
    enqueue(store)
    assert store._connection.drop_other_libraries() >= 1
    assert _loaded(store) == {library().name}
    enqueue(newer)  # who still runs it loads it again


# -- the text ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", operations())
def test_an_operation_says_what_it_does_and_reads_in_one_go(name: str) -> None:
    text = SOURCES[f"ops/{name}"]
    head = text[: text.index("\n\n")]
    assert all(line.startswith("--") for line in head.splitlines())
    body = re.search(r"^local function run\(.*?^end$", text, re.DOTALL | re.MULTILINE)
    assert body, "no function run"
    assert len(body[0].splitlines()) < LONGEST_MAIN_BODY


@pytest.mark.parametrize("name", SOURCES)
def test_functions_are_small(name: str) -> None:
    functions = re.findall(
        r"^(?:local )?function .*?^end$", SOURCES[name], re.DOTALL | re.MULTILINE
    )
    assert max((len(each.splitlines()) for each in functions), default=0) <= 36


@pytest.mark.parametrize("name", SOURCES)
def test_a_module_requires_what_it_uses_and_uses_what_it_requires(name: str) -> None:
    text = SOURCES[name]
    required = dict(re.findall(r"^local (\w+) = require\('([^']+)'\)$", text, re.MULTILINE))
    for variable, module in required.items():
        assert module in modules(), module
        assert module.rpartition("/")[2] == variable
        assert len(re.findall(rf"\b{variable}\b[.\[]", text)) > 0, f"{variable} is not used"
    used = set(re.findall(r"(?<![.\w'])([a-z_]+)\.[a-z_]+\(", text))
    known = {"redis", "string", "table", "math", "bit", "cjson", *_locals(text)}
    assert used <= known | required.keys(), used - known - required.keys()


def _locals(text: str) -> set[str]:
    names = re.findall(r"^\s*local ([\w, ]+?)(?: =|$)", text, re.MULTILINE)
    return {each.strip() for line in names for each in line.split(",")}


@pytest.mark.parametrize("name", SOURCES)
def test_no_rule_stands_in_lua_that_stands_in_python(name: str) -> None:
    """No list of states, no key and no field's name: they come from the module `schema`."""
    code = re.sub(r"--.*", "", SOURCES[name])
    states = "|".join(State)
    assert not re.search(rf"\{{[^{{}}]*\b({states})\b\s*=[^{{}}]*\b({states})\b\s*=", code)
    assert not re.search(rf"'({states})'\s*,\s*'({states})'", code)
    firsts = {template.partition(":")[0].partition("{")[0] for template in KEYS.values()}
    assert not re.search(rf"'(?:{'|'.join(filter(None, firsts))}):", code)


@pytest.mark.parametrize("name", SOURCES)
def test_every_name_of_the_schema_that_lua_uses_is_there(name: str) -> None:
    """What is not there would be nil in Lua, and found out too late."""
    text = re.sub(r"--.*|'[^'\n]*'", "", SOURCES[name])
    tables = dict(re.findall(r"^  (\w+) = \{ (.*) \},$", modules()["schema"], re.MULTILINE))
    aliases = {"schema.key": "key"} | {f"schema.{table}": table for table in tables}
    for names, values in re.findall(r"^local ([\w, ]+) = (schema\.[\w, .]+)$", text, re.MULTILINE):
        pairs = zip(names.split(", "), values.split(", "), strict=True)
        aliases |= {alias: value.removeprefix("schema.") for alias, value in pairs}
    assert set(re.findall(r"\bschema\.(\w+)", text)) <= set(
        re.findall(r"^  (\w+) = ", modules()["schema"], re.MULTILINE)
    )
    for alias, table in aliases.items():
        for member in re.findall(rf"(?<![.\w]){re.escape(alias)}\.(\w+)", text):
            assert re.search(rf"\b{member} = ", tables.get(table, "")), f"{alias}.{member}"


# -- lines ---------------------------------------------------------------------------------


def test_two_campaigns_with_long_names_are_two_lines(store: Store) -> None:
    """Their names differ only behind what a field holds in one piece."""
    alike = "campaign:" + "x" * 55
    first = [enqueue(store, tags=[f"{alike}-one"]) for _ in range(3)]
    second = enqueue(store, tags=[f"{alike}-two"])
    found = snapshot(store)
    assert set(found["lines:normal"]) == {f"{alike}-one", f"{alike}-two"}
    assert set(found[f"ready:normal:{alike}-one"]) == set(first)
    assert set(found[f"ready:normal:{alike}-two"]) == {second}


def test_an_attempt_keeps_who_was_asked_and_the_numbers(store: Store) -> None:
    id_ = enqueue(store)
    assert take(store, provider="xoxzo") == [id_]
    (attempt,) = store.jobs.get(id_).attempts
    assert (attempt.provider, attempt.account) == ("xoxzo", "default")
    assert attempt.numbers == store.jobs.get(id_).numbers


# -- a full Redis --------------------------------------------------------------------------


def test_what_became_of_a_call_is_written_to_a_full_redis(store: Store) -> None:
    id_ = enqueue(store)
    made = claim(store, id_)
    redis_of(store).config_set("maxmemory", "1")
    try:
        assert store.calls.settle(id_, made.attempt, placed()) is State.IN_PROGRESS
        with pytest.raises(StoreUnavailable, match="is full"):
            enqueue(store)
    finally:
        redis_of(store).config_set("maxmemory", "0")
    assert store.jobs.id_of_call("call-1") == id_
