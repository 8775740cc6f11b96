"""docs/how-to/backup.md on real servers: copies made while calls go on, and what a restore does."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dispatcher.model.states import Reason, State
from dispatcher.policy import Policy
from dispatcher.provider import Provider
from dispatcher.store import Store
from support.dialling import dial_one
from support.polling import eventually
from support.redis_cli import play
from support.redis_servers import RedisProcess
from support.sandbox_client import Client
from support.store_jobs import request
from workers.devstack.redis_server import find_servers
from workers.engine.dial import Dial

PAGE = (Path(__file__).resolve().parents[2] / "docs/how-to/backup.md").read_text()
CALLER = "+815012345678"
NUMBERS = itertools.count(1234)
ON = {"appendonly": "yes", "appendfsync": "always"}


def lines(heading: str) -> str:
    """Return the first shell lines below a heading of the page."""
    return PAGE.split(f"{heading}\n", 1)[1].split("```sh\n", 1)[1].split("```", 1)[0]


def copy_append_only_file(process: RedisProcess, folder: Path) -> None:
    with process.client() as client:
        client.config_set("auto-aof-rewrite-percentage", 70)
        copy(process, folder, "### The append-only file")
        assert client.config_get("auto-aof-rewrite-percentage") == {
            "auto-aof-rewrite-percentage": "70"
        }


def copy_snapshot(process: RedisProcess, folder: Path) -> None:
    said = copy(process, folder, "### A snapshot")
    assert "rdb_last_bgsave_status:ok" in said


def copy(process: RedisProcess, folder: Path, heading: str) -> str:
    """Do what the page says; return what it prints."""
    folder.mkdir(parents=True)
    places = {"/var/lib/redis/": process.folder, "/backup/": folder}
    return play(lines(heading), process, places, process.folder.parent / "bin")


def from_append_only_file(folder: Path, binary: Path) -> RedisProcess:
    return RedisProcess(folder, ON, binary=binary)


def from_snapshot(folder: Path, binary: Path) -> RedisProcess:
    return RedisProcess(folder, {"appendonly": "no"}, binary=binary)


def turn_append_only_on(process: RedisProcess) -> None:
    with process.client() as client:
        play(lines("## Restore"), process, {}, process.folder.parent / "bin")
        eventually(
            lambda: client.info("persistence")["aof_last_bgrewrite_status"] == "ok", "it is on"
        )
        assert client.info("persistence")["aof_enabled"] == 1


@dataclass(frozen=True)
class Way:
    """One way to make a backup, and to start from it."""

    copy: Callable[[RedisProcess, Path], None]
    server: Callable[[Path, Path], RedisProcess]


WAYS = {
    "append-only file": Way(copy_append_only_file, from_append_only_file),
    "snapshot": Way(copy_snapshot, from_snapshot),
}


def dial(store: Store, provider: Provider, *ids: str) -> list[State | None]:
    worker = Dial(store, provider, Policy(), CALLER)
    return [dial_one(store, worker, id_) for id_ in ids]


def called(sandbox: Client, numbers: list[str]) -> list[int]:
    """Return how often each number was called, by the provider's books."""
    return [len(sandbox.calls(recipient=number)) for number in numbers]


@pytest.mark.parametrize("binary", find_servers(), ids=lambda path: path.name)
@pytest.mark.parametrize("way", WAYS)
def test_after_a_restore_nobody_is_called_before_somebody_says_go(
    way: str, binary: Path, tmp_path: Path, sandbox: Client, provider: Provider
) -> None:
    numbers = [f"+8180{next(NUMBERS):04}0001" for _ in range(4)]
    copied = tmp_path / "restored"
    with RedisProcess(tmp_path / "first", ON, binary=binary) as process:
        store = Store.from_url(process.url)
        requests = [request(recipient=number) for number in numbers]
        ids = [outcome.unwrap().id for outcome in store.jobs.enqueue_many(requests)]
        assert dial(store, provider, ids[0]) == [State.IN_PROGRESS]
        WAYS[way].copy(process, copied)
        assert dial(store, provider, ids[1]) == [State.IN_PROGRESS]
        lost = store.jobs.enqueue(request()).id

    with WAYS[way].server(copied, binary) as process:
        if way == "snapshot":
            turn_append_only_on(process)
        store = Store.from_url(process.url)
        assert store.aftermath.hold(actor="cli:ann")
        seen = store.aftermath.look()
        assert (seen.ready, seen.later, seen.held, seen.calling) == (3, 0, 0, 1)
        assert seen.latest is not None
        assert seen.latest <= seen.now
        assert store.jobs.get_many([lost]) == [None]

        assert dial(store, provider, *ids[1:]) == [State.HELD] * 3
        assert called(sandbox, numbers) == [1, 1, 0, 0]
        assert store.jobs.get(ids[2]).hold_reason == Reason.RESTORED

        store.jobs.cancel(ids[1], actor="cli:ann", note="called before the restore")
        assert store.aftermath.go(actor="cli:ann")
        assert store.queue.pump().released == 2
        assert dial(store, provider, *ids[1:]) == [
            State.CANCELLED,
            State.IN_PROGRESS,
            State.IN_PROGRESS,
        ]
        assert called(sandbox, numbers) == [1, 1, 1, 1]


def test_a_snapshot_is_not_read_where_the_append_only_file_is_on(tmp_path: Path) -> None:
    """Why the page starts it with `appendonly no`."""
    with RedisProcess(tmp_path / "first") as process:
        Store.from_url(process.url).jobs.enqueue(request())
        copy_snapshot(process, tmp_path / "restored")
    with from_append_only_file(tmp_path / "restored", process.binary) as process:
        assert Store.from_url(process.url).search.counts()["queued"] == {}
