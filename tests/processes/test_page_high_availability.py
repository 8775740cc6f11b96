"""A replica, and Sentinel, by the lines of docs/how-to/high-availability.md and docs/redis.acl."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import pytest
import redis

from dispatcher.store import Store
from support.polling import eventually
from support.redis_servers import RedisProcess
from support.store_jobs import request
from workers.devstack.redis_server import find_server, find_servers

DOCS = Path(__file__).resolve().parents[2] / "docs"
WORD = "CHANGE-ME"
SERVICE = "voice"
COUNT = 3
OWN = ("port", "bind", "aclfile")
"""Lines in whose place a test has its own: whatever names a place."""


class Built(NamedTuple):
    master: RedisProcess
    replica: RedisProcess
    sentinels: list[RedisProcess]

    @property
    def url(self) -> str:
        places = ",".join(f"127.0.0.1:{process.port}" for process in self.sentinels)
        return f"sentinel://vd-worker:{WORD}@{places}/0?service={SERVICE}"

    def ask(self, sentinel: int, *command: str) -> list[bytes]:
        with self.sentinels[sentinel].client() as client:
            return client.execute_command("SENTINEL", *command)  # type: ignore[no-any-return]

    def promoted(self) -> bool:
        """Return whether all sentinels name the replica as their master."""
        asked = [self.ask(n, "GET-MASTER-ADDR-BY-NAME", SERVICE) for n in range(COUNT)]
        return all(int(answer[1]) == self.replica.port for answer in asked)


def lines(begins: str) -> list[list[str]]:
    """Return the lines of the block of the page that begins so, as words."""
    page = (DOCS / "how-to/high-availability.md").read_text()
    blocks = re.findall(r"^ *```conf\n(.*?)^ *```", page, re.MULTILINE | re.DOTALL)
    (block,) = [each for each in blocks if each.strip().startswith(begins)]
    return [line.split() for line in block.splitlines()]


def options(block: list[list[str]], master: int = 0) -> dict[str, str | tuple[str, ...]]:
    """Return lines as options of a server on this machine."""
    found: dict[str, tuple[str, ...]] = {}
    for name, *words in block:
        value = " ".join(words).replace("10.0.0.1 6379", f"127.0.0.1 {master}")
        found[name] = (*found.get(name, ()), value)
    return {name: values for name, values in found.items() if name not in OWN}


@contextmanager
def built(folder: Path, binary: Path) -> Iterator[Built]:
    """Start what the page describes, and wait until the sentinels know each other."""
    both = {**options(lines("port 6379")), "aclfile": str(DOCS / "redis.acl")}
    with ExitStack() as exits:
        master = exits.enter_context(RedisProcess(folder / "master", both, binary=binary))
        more = {**both, **options(lines("replicaof"), master.port)}
        replica = exits.enter_context(RedisProcess(folder / "replica", more, binary=binary))
        eventually(lambda: in_step(replica), "the replica is in step", 60, more=replica.log)
        watch = options(lines("port 26379"), master.port)
        sentinels = [
            RedisProcess(folder / f"sentinel-{n}", watch, binary=binary, sentinel=True)
            for n in range(COUNT)
        ]
        for process in sentinels:
            exits.enter_context(process)
        found = Built(master, replica, sentinels)
        eventually(lambda: ready(found), "all is as the page says", 60, more=sentinels[0].log)
        yield found


def ready(built: Built) -> bool:
    with suppress(redis.ResponseError):  # NOQUORUM
        answers = [built.ask(n, "CKQUORUM", SERVICE) for n in range(COUNT)]
        known = [built.ask(n, "REPLICAS", SERVICE) for n in range(COUNT)]
        return all(f"OK {COUNT} usable".encode() in each for each in answers) and all(known)
    return False


def in_step(server: RedisProcess) -> bool:
    with administrator(server) as client, suppress(redis.ConnectionError):
        return bool(client.info("replication").get("master_link_status") == "up")
    return False


@contextmanager
def administrator(server: RedisProcess) -> Iterator[redis.Redis]:
    with server.client(username="admin", password=WORD) as client:
        yield client


def refused(server: RedisProcess) -> set[tuple[str, str]]:
    """Return what a server has refused replicas and sentinels."""
    with administrator(server) as client:
        seen = {(each["username"], each["object"]) for each in client.acl_log()}
    return {each for each in seen if each[0] in ("vd-replica", "vd-sentinel")}


def test_when_the_master_dies_the_replica_takes_its_place(tmp_path: Path) -> None:
    with built(tmp_path, find_server()) as found:
        store = Store.from_url(found.url)
        first = store.jobs.enqueue(request()).id
        with administrator(found.master) as client:
            assert client.wait(1, 10_000) == 1
        found.master.kill()
        eventually(found.promoted, "a failover", 60, more=found.sentinels[0].log)
        assert [job and job.state for job in store.jobs.get_many([first])] == ["queued"]
        assert store.jobs.enqueue(request()).new
        assert not refused(found.replica)
        store.server.close()


@pytest.mark.parametrize("binary", find_servers(), ids=lambda path: path.name)
def test_a_planned_failover_is_allowed_to_sentinel(binary: Path, tmp_path: Path) -> None:
    with built(tmp_path, binary) as found:
        coordinated = plan(found)
        eventually(found.promoted, "a failover", 60, more=found.sentinels[0].log)
        if coordinated:  # else Sentinel takes a while before it turns the old one round
            old = found.master
            eventually(lambda: in_step(old), "the old one follows", 60, more=old.log)
        assert not refused(found.master) | refused(found.replica)


def plan(built: Built) -> bool:
    """Ask for a failover; return whether the server knows COORDINATED."""
    try:
        built.ask(0, "FAILOVER", SERVICE, "COORDINATED")
    except redis.ResponseError:
        built.ask(0, "FAILOVER", SERVICE)
        return False
    return True
