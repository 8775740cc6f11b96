"""`purge`: after it nothing in Redis knows the number, and everything else is as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.model.api_key import Scope
from dispatcher.model.bulk_action import BulkActionKind
from dispatcher.model.call import CallRef
from dispatcher.model.do_not_call import Wish
from dispatcher.model.filters import Filter
from dispatcher.model.invalid_job import DoNotCall
from dispatcher.model.outcome import Outcome
from dispatcher.model.request import JobRequest
from dispatcher.model.states import Reason, State
from dispatcher.policy import Decision
from dispatcher.store import Store
from dispatcher.store.callbacks import Callback
from dispatcher.store.holds import PauseScope
from dispatcher.values.mentions import Mentions
from support.claims import claim_one
from support.cli_shell import Shell
from support.redis_inside import key_of, redis_of, root_of
from workers.devstack.embedded_server import EmbeddedServer

NUMBER, OTHER = "+818011234567", "+818011234568"
DIGITS = NUMBER.removeprefix("+")


def add(store: Store, recipient: str = NUMBER, **fields: Any) -> str:
    return store.jobs.enqueue(JobRequest.of({"recipient": recipient, "say": "x", **fields})).id


def dialled(store: Store, id_: str) -> int:
    claim = claim_one(store, id_, token=id_, lease=60)
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


def _ago(store: Store, days: int) -> Callable[[], float]:
    """Return a clock that is behind the store's."""
    return lambda: store.now() - days * 86_400_000


def traces(store: Store) -> list[str]:
    """Return the keys of the whole Redis in which the number stands, forwards or backwards."""
    found = []
    for key in redis_of(store).scan_iter(count=1000):
        dump: Any = redis_of(store).execute_command(
            *_READ[redis_of(store).type(key)], key, *_ALL.get(redis_of(store).type(key), ())
        )
        text = repr((key, dump))
        if DIGITS in text or key.endswith(f"by_recipient:{DIGITS[-5:]}".encode()):
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


WRITTEN = (
    "080-1123-4567",
    "(080) 1123 4567 x12",
    "tel:+81-80-1123-4567",
    "0081 80 1123 4567",
    "\uff10\uff18\uff10\uff11\uff11\uff12\uff13\uff14\uff15\uff16\uff17",
)


def written_everywhere(store: Store) -> None:
    """Have people write the number wherever they may, beside its jobs."""
    for each in WRITTEN:
        scope = PauseScope(f"to {each}")
        store.holds.pause(scope, actor="cli:sam", note=f"{each} and {OTHER} asked")
        store.holds.resume(scope, actor="cli:sam", note="done")
        store.audit.record("cli:sam", "export", "jobs", each, who=each, many=3)
        store.api_keys.create("billing", (Scope.READ,), note=f"for {each}", actor="cli:sam")
    ended(store, tags=[f"to {WRITTEN[0]}"])
    preview = store.bulk.preview(BulkActionKind.RETRY, Filter(tag=f"to {WRITTEN[0]}"))
    action = store.bulk.create(preview)
    store.bulk.begin(action, actor="cli:sam", note=f"since {WRITTEN[1]} asked")
    store.bulk.stop(action, actor="cli:sam")
    store.webhooks.take_events()
    dead = [each.id for each in store.webhooks.waiting() if each.job is None]
    store.webhooks.settle(dead[0], "dead", error="410")


def wherever(store: Store) -> list[str]:
    """Return the keys of the whole Redis in which the number stands, in any writing."""
    found, mentions = [], Mentions(NUMBER)
    for key in redis_of(store).scan_iter(count=1000):
        kind = redis_of(store).type(key)
        dump: Any = redis_of(store).execute_command(*_READ[kind], key, *_ALL.get(kind, ()))
        told = [part.decode() for part in parts(dump)]
        if mentions.stand_in([*told, "".join(told), key.decode()]):
            found.append(key.decode())
    return found


def parts(dump: Any) -> Iterator[bytes]:
    """Yield all texts of what Redis answered."""
    if isinstance(dump, bytes):
        yield dump
    elif isinstance(dump, dict):
        yield from parts([*dump, *dump.values()])
    elif isinstance(dump, list | tuple | set):
        for each in dump:
            yield from parts(each)


def test_the_number_may_be_written_as_in_a_region(shell: Shell, told: Store) -> None:
    ended(told)
    ran = shell("purge", "--recipient", "080-1123-4567", "--region", "jp", "--yes", "--json")
    assert (ran.code, ran.json["removed"]) == (0, 1)
    assert traces(told) == []
    assert "write GB" in shell("purge", "--recipient", "07", "--region", "UK", "--yes").complaint


def test_what_people_wrote_stays_without_the_number(shell: Shell, told: Store) -> None:
    written_everywhere(told)
    before = [(each.at, each.actor, each.action) for each in told.audit.read(mask=False)]
    events = [(each.cursor, each.kind) for each in told.events.after()]
    dry = shell("purge", "--recipient", NUMBER, "--dry-run", "--json").json
    ran = shell("purge", "--recipient", NUMBER, "--yes", "--json")
    assert ran.code == 0, ran.err
    assert dry["would_mask"] > 20
    assert ran.json["masked"] > dry["would_mask"]
    assert wherever(told) == []
    *entries, _ = told.audit.read(mask=False)
    assert [(each.at, each.actor, each.action) for each in entries] == before
    assert [(each.cursor, each.kind) for each in told.events.after()] == events
    assert f"{OTHER} asked" in entries[0].note, "others' numbers stay"
    assert [each.facts["many"] for each in entries if each.action == "export"] == [3] * 5
    again = shell("purge", "--recipient", NUMBER, "--yes", "--json")
    assert again.json["masked"] == 0


def test_who_is_on_the_do_not_call_list_stays_there_as_a_hash(shell: Shell, told: Store) -> None:
    """And nothing of the number is left in reasons of others either."""
    told.do_not_call.add([Wish(NUMBER, reason=f"mail of {NUMBER}")], actor="cli:sam")
    told.do_not_call.add([Wish(OTHER, reason=f"wife of {WRITTEN[0]}")], actor="cli:sam")
    ran = shell("purge", "--recipient", NUMBER, "--yes")
    assert "is not on the do-not-call list" not in ran.err
    assert traces(told) == []
    with pytest.raises(DoNotCall):
        add(told)
    (entry,) = told.do_not_call.check(NUMBER)
    assert entry.number is None
    assert told.do_not_call.check(OTHER)[0].number == OTHER


def test_a_purge_offers_the_list_and_puts_the_number_there_before_it_removes(
    shell: Shell, told: Store
) -> None:
    ended(told)
    ran = shell("purge", "--recipient", NUMBER, "--yes")
    assert "--do-not-call" in ran.err
    add(told)
    ran = shell("purge", "--recipient", NUMBER, "--yes", "--cancel", "--do-not-call")
    assert ran.code == 0
    assert traces(told) == []
    assert [entry.number for entry in told.do_not_call.check(NUMBER)] == [None]
    assert shell("purge", "--older-than", "1d", "--yes", "--do-not-call").code != 0


def test_what_is_named_after_the_number_is_told(shell: Shell, told: Store) -> None:
    told.holds.pause(PauseScope(f"to {WRITTEN[0]}"), actor="cli:sam")
    ran = shell("purge", "--recipient", NUMBER, "--yes")
    assert "warning: the hold paused:tag:to 0801****567 is named after the number" in ran.err
    told.holds.resume(PauseScope(f"to {WRITTEN[0]}"), actor="cli:sam")
    assert shell("purge", "--recipient", NUMBER, "--yes", "--json").json["named"] == []


def test_a_pause_goes_on_without_the_number_in_its_note(shell: Shell, told: Store) -> None:
    told.holds.start("provider_down", "503", 12.5)
    told.holds.pause(PauseScope("spring"), actor="cli:sam", note=f"{WRITTEN[0]} and {OTHER} asked")
    before = told.holds.all()
    assert shell("purge", "--recipient", NUMBER, "--yes", "--json").json["masked"] > 0
    assert wherever(told) == []
    spring = next(each for each in before if each.name == "paused:tag:spring")
    hidden = f"paused by cli:sam: 0801****567 and {OTHER} asked"
    assert told.holds.all() == [
        replace(each, why=hidden) if each is spring else each for each in before
    ]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmbeddedServer, Path]]:
    """A Redis with an append-only file, and the folder of that."""
    folder = tmp_path_factory.mktemp("kept")
    with EmbeddedServer(folder) as server:
        yield server, folder


def in_the_file(folder: Path) -> bool:
    files = [each for each in folder.rglob("*") if each.is_file() and "appendonly" in str(each)]
    assert files
    return any(DIGITS.encode() in each.read_bytes() for each in files)


def test_the_append_only_file_is_rewritten(
    nowhere: Shell, kept: tuple[EmbeddedServer, Path]
) -> None:
    server, folder = kept
    shell = Shell(nowhere.folder, **nowhere.variables, DISPATCHER_REDIS_URL=server.url)
    store = Store.from_url(server.url)
    with redis_of(store):
        redis_of(store).config_set("aof-use-rdb-preamble", "no")  # so that the test can read it
        ended(store)
        ran = shell("purge", "--recipient", NUMBER, "--yes")
        assert ran.code == 0, ran.err
        assert "append-only file holds what was removed" in ran.err
        assert in_the_file(folder)
        ran = shell("purge", "--recipient", NUMBER, "--yes", "--rewrite", "--do-not-call")
        assert (ran.code, ran.err) == (0, "Redis has rewritten its append-only file\n")
        assert not in_the_file(folder)


def test_the_right_to_have_it_rewritten_is_named(
    nowhere: Shell, kept: tuple[EmbeddedServer, Path]
) -> None:
    server, _ = kept
    store = Store.from_url(server.url)
    with redis_of(store):
        redis_of(store).execute_command(
            "ACL", "SETUSER", "purger", "on", ">pw", "~*", "&*", "+@all", "-bgrewriteaof"
        )
    url = f"redis://purger:pw@{server.url.rpartition('@')[2].removeprefix('redis://')}"
    shell = Shell(nowhere.folder, **nowhere.variables, DISPATCHER_REDIS_URL=url)
    ran = shell("purge", "--recipient", NUMBER, "--yes", "--rewrite")
    assert ran.code == 2
    assert "does not allow its user the command bgrewriteaof (+bgrewriteaof)" in ran.err


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
    long_ago = Store(redis_of(told), namespace=root_of(told)[1:-1], clock=_ago(told, days=91))
    old = ended(long_ago)
    new, waiting = ended(told, OTHER), add(told)
    dry = shell("purge", "--older-than", "90d", "--dry-run", "--json")
    assert dry.json == {"would_remove": 1, "not_ended": []}
    assert shell("purge", "--older-than", "90d", "--yes", "--json").json["removed"] == 1
    assert told.jobs.get_many([old]) == [None]
    assert told.jobs.get(new).id == new
    assert told.jobs.get(waiting).id == waiting
    *_, entry = told.audit.read()
    assert (entry.action, entry.target) == ("purge", "older-than:90d")


def test_a_dry_run_removes_nothing_and_is_no_action(shell: Shell, told: Store) -> None:
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
    assert traces(store) == []
