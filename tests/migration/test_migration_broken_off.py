"""Migrations that are killed, doubled, refused: nothing is lost, and it is said in one sentence."""

from __future__ import annotations

import random
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from dispatcher.store import Store
from dispatcher.store.errors import StoreUnsuitable
from dispatcher.store.migrate import AtWork, Migration
from support import kept_store
from support.cli_shell import Shell
from support.clock import Clock
from support.redis_inside import connection_of, key_of, redis_of, root_of
from support.store_jobs import request


def test_one_that_is_killed_goes_on_where_it_was(
    old: Store, migrated: Store, server_url: str, tmp_path: Path
) -> None:
    """A real process is killed at several points; what it leaves in the end is the same."""
    client, root = redis_of(old), root_of(old)
    shell = Shell(tmp_path, DISPATCHER_REDIS_URL=server_url, DISPATCHER_NAMESPACE=root[1:-1])
    names = sorted(name for name, *_ in kept_store.read(client, root) if name.count(":") == 1)
    for name in random.Random(3).sample(names, 4):
        process = shell.start("migrate")
        while client.exists(f"{root}:{name}") and process.poll() is None:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        shell.end(process)
        client.delete(f"{root}:migration")  # as its lease ends by itself
    with pytest.raises(StoreUnsuitable, match="run voice-dispatcher migrate again"):
        old.queue.pump()
    done = shell.run("migrate", "--json")
    assert done.code == 0, done
    assert sum(done.json["jobs"].values()) > 10_000
    assert standing(client, root) == standing(redis_of(migrated), root_of(migrated))


def standing(client: redis.Redis, root: str) -> dict[str, object]:
    found = kept_store.read(client, root)
    return {name: value for name, _, value, _ in found if not name.startswith("login_failures")}


class Killed(BaseException):
    """Nobody hears of it."""


def test_it_may_end_after_any_batch(old: Store, migrated: Store) -> None:
    client, root = redis_of(old), root_of(old)
    steps = ["holds", "jobs", "lines", "streams", "requests", "others", "campaigns"]

    def end_at(step: str) -> None:
        def tell(now: str, _: int) -> None:
            if now == step:
                raise Killed

        with pytest.raises(Killed):
            Migration(connection_of(old)).run(tell)
        client.delete(f"{root}:migration")

    for step in steps:
        end_at(step)
    result = Migration(connection_of(old)).run()
    assert sum(result.jobs.values()) > 10_000
    assert standing(client, root) == standing(redis_of(migrated), root_of(migrated))


def test_of_two_at_once_one_does_it(old: Store, server_url: str, tmp_path: Path) -> None:
    shell = Shell(
        tmp_path, DISPATCHER_REDIS_URL=server_url, DISPATCHER_NAMESPACE=root_of(old)[1:-1]
    )
    both = [shell.start("migrate") for _ in range(2)]
    ended = [shell.end(process) for process in both]
    codes = sorted(each.code for each in ended)
    assert codes in ([0, 0], [0, 1])
    for each in ended:
        assert each.code == 0 or "another migration is at work" in each.complaint
    assert Migration(connection_of(old)).plan().needed is False


def test_a_second_run_finds_nothing_to_do(migrated: Store, server_url: str, tmp_path: Path) -> None:
    shell = Shell(
        tmp_path, DISPATCHER_REDIS_URL=server_url, DISPATCHER_NAMESPACE=root_of(migrated)[1:-1]
    )
    assert shell("migrate").out == "nothing to do: the records have schema 3\n"
    assert shell("migrate", "--json").json["needed"] is False


def test_a_dry_run_says_what_there_is_and_writes_nothing(
    old: Store, server_url: str, tmp_path: Path
) -> None:
    before = standing(redis_of(old), root_of(old))
    shell = Shell(
        tmp_path, DISPATCHER_REDIS_URL=server_url, DISPATCHER_NAMESPACE=root_of(old)[1:-1]
    )
    said = shell("migrate", "--dry-run").out
    assert said.startswith("the records are of schema 1, to bring to schema 3: 10,")
    assert standing(redis_of(old), root_of(old)) == before


def test_an_empty_store_needs_none(redis_client: redis.Redis) -> None:
    store = Store(redis_client, namespace="empty")
    assert not Migration(connection_of(store)).plan().needed


def test_a_newer_schema_is_left_alone(redis_client: redis.Redis) -> None:
    store = Store(redis_client, namespace="newer")
    redis_client.set(key_of(store, "schema"), "4")
    for work in (Migration(connection_of(store)).plan, Migration(connection_of(store)).run):
        with pytest.raises(StoreUnsuitable, match="schema 4"):
            work()
    assert redis_client.get(key_of(store, "schema")) == b"4"


@pytest.fixture
def small(redis_client: redis.Redis) -> Iterator[Store]:
    """A store of 0.1.0 with next to nothing in it."""
    store = Store(redis_client, namespace="small", clock=Clock())
    redis_client.hset(f"{root_of(store)}:counts", "attempts", 7)
    yield store
    kept_store.remove(redis_client, root_of(store))


@pytest.mark.parametrize(
    ("sign", "what"),
    [
        ("connections", "a request to the provider is under way"),
        ("next:dialing", "a worker dials"),
        ("hooks:out", "webhooks are sent"),
        ("acts:open", "a bulk action runs"),
        ("fed", "jobs are dispatched"),
    ],
)
def test_nothing_is_begun_while_processes_work(small: Store, sign: str, what: str) -> None:
    client, root = redis_of(small), root_of(small)
    client.zadd(f"{root}:{sign}", {"fresh": small.now() + 30_000})
    with pytest.raises(AtWork, match=re.escape(what) + ".*: stop workers, beat, gateway"):
        Migration(connection_of(small)).run()
    assert client.exists(f"{root}:schema") == 0
    client.zadd(f"{root}:{sign}", {"fresh": small.now() - 2_000})
    Migration(connection_of(small)).run()


def test_nothing_is_begun_while_a_sender_listens(small: Store) -> None:
    with redis_of(small).pubsub() as news:
        news.subscribe(f"{root_of(small)}:hooks")
        news.get_message(timeout=5)
        with pytest.raises(AtWork, match="a webhook sender listens"):
            Migration(connection_of(small)).run()


def test_operations_of_before_write_nothing_any_more(migrated: Store) -> None:
    """Each of 0.1.0's reads the gates first: it fails there, so that no job is accepted unseen."""
    with pytest.raises(redis.ResponseError, match="WRONGTYPE"):
        redis_of(migrated).hgetall(f"{root_of(migrated)}:gates")


def test_what_stands_under_an_old_name_later_is_found_by_another_run(old: Store) -> None:
    client, root = redis_of(old), root_of(old)
    id_ = next(raw.decode() for raw in client.zrange(f"{root}:idx:completed", 0, 0))
    aside = client.dump(f"{root}:job:{id_}")
    Migration(connection_of(old)).run()
    client.delete(key_of(old, "job", id_))
    client.restore(f"{root}:job:{id_}", 0, aside)
    assert Migration(connection_of(old)).plan().needed
    Migration(connection_of(old)).run()
    assert old.jobs.get(id_).state == "completed"


def test_new_jobs_are_accepted_after_it(old: Store) -> None:
    with pytest.raises(StoreUnsuitable, match="run voice-dispatcher migrate"):
        old.jobs.enqueue(request())
    Migration(connection_of(old)).run()
    assert old.jobs.enqueue(request()).new
