"""What a real Redis refuses: each refusal brought about, and ended when the block is left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial

import redis

from support.polling import eventually
from support.ports import free_port
from support.redis_servers import HOST, RedisProcess

Standing = Callable[[RedisProcess], AbstractContextManager[None]]
SLOTS = 16383  # the last one
FILLER = 20_000
"""Keys that make loading long enough to be seen, and to be ended."""


@contextmanager
def _configured(process: RedisProcess, name: str, value: str, after: str) -> Iterator[None]:
    with process.client() as admin:
        admin.config_set(name, value)
        try:
            yield
        finally:
            admin.config_set(name, after)


@contextmanager
def replica(process: RedisProcess) -> Iterator[None]:
    """Make it a replica of nobody who runs: it has its data, and takes no writes."""
    with process.client() as admin:
        admin.execute_command("REPLICAOF", HOST, str(free_port()))
        try:
            yield
        finally:
            admin.execute_command("REPLICAOF", "NO", "ONE")


@contextmanager
def orphan(process: RedisProcess) -> Iterator[None]:
    """Make it a replica that answers nothing while it is without its master."""
    with replica(process), _configured(process, "replica-serve-stale-data", "no", "yes"):
        yield


@contextmanager
def unsaved(process: RedisProcess) -> Iterator[None]:
    """Let its last save have failed: a folder stands where its file should be."""
    file = process.folder / "dump.rdb"
    with process.client() as admin:
        admin.config_set("save", "3600 1000000")
        file.unlink(missing_ok=True)
        file.mkdir()
        try:
            _save(admin, "err")
            yield
        finally:
            file.rmdir()
            _save(admin, "ok")
            admin.config_set("save", "")


def _save(admin: redis.Redis, comes_to: str) -> None:
    admin.bgsave()
    eventually(
        lambda: admin.info("persistence")["rdb_last_bgsave_status"] == comes_to,
        f"the save is {comes_to}",
    )


@contextmanager
def busy(process: RedisProcess, *, with_function: bool = False) -> Iterator[None]:
    """Let somebody's script (or function) run without an end."""
    with process.client() as admin:
        admin.config_set("busy-reply-threshold", "1")
        if with_function:
            body = "redis.register_function('endless', function() while true do end end)"
            admin.function_load(f"#!lua name=endless\n{body}", replace=True)
        thread = threading.Thread(target=_hog, args=(process, with_function))
        thread.start()
        try:
            eventually(lambda: _is_busy(admin), "Redis is busy")
            yield
        finally:
            admin.execute_command("FUNCTION" if with_function else "SCRIPT", "KILL")
            thread.join()
            admin.config_set("busy-reply-threshold", "5000")


def _hog(process: RedisProcess, with_function: bool) -> None:
    with process.client() as client, suppress(redis.ResponseError):
        if with_function:
            client.fcall("endless", 0)
        else:
            client.eval("while true do end", 0)


def _is_busy(admin: redis.Redis) -> bool:
    try:
        admin.ping()
    except redis.ResponseError as error:
        return str(error).startswith("BUSY")
    return False


@contextmanager
def loading(process: RedisProcess) -> Iterator[None]:
    """Kill it, and let it load its data slowly."""
    with process.client() as admin:
        filler = admin.pipeline(transaction=False)
        for number in range(FILLER):
            filler.set(f"filler:{number}", "x" * 50)
        filler.execute()
        admin.save()
    process.kill()
    file = process.folder / "redis.conf"
    before = file.read_text()
    file.write_text(f"{before}key-load-delay 1000\nloading-process-events-interval-bytes 1024\n")
    process.start(wait=False)
    try:
        with process.client() as admin:
            eventually(lambda: _is_loading(admin), "Redis loads", more=process.log)
            yield
            admin.config_set("key-load-delay", "0")
            eventually(lambda: not _is_loading(admin), "Redis has loaded")
    finally:
        file.write_text(before)


def _is_loading(admin: redis.Redis) -> bool:
    try:
        admin.ping()
    except redis.BusyLoadingError:
        return True
    except redis.ConnectionError:  # it does not listen yet
        return False
    return False


@contextmanager
def forbidden(process: RedisProcess) -> Iterator[None]:
    """Take from the user what comes last in most operations: they stop when all else is written."""
    with process.client() as admin:
        admin.execute_command("ACL", "SETUSER", "default", "-publish")
        try:
            yield
        finally:
            admin.execute_command("ACL", "SETUSER", "default", "+publish")


@contextmanager
def cluster_down(process: RedisProcess) -> Iterator[None]:
    """Let one slot of a cluster of one be served by nobody."""
    with process.client() as admin:
        admin.execute_command("CLUSTER", "DELSLOTS", "0")
        try:
            eventually(lambda: cluster_state(admin) == "fail", "the cluster is down")
            yield
        finally:
            admin.execute_command("CLUSTER", "ADDSLOTS", "0")
            eventually(lambda: cluster_state(admin) == "ok", "the cluster is up")


def cluster_state(client: redis.Redis) -> str:
    """Return what a server of a cluster says of it: ok or fail."""
    told: bytes = client.execute_command("CLUSTER", "INFO")
    return told.decode().partition("cluster_state:")[2].split()[0]


@contextmanager
def cluster_of_one(process: RedisProcess) -> Iterator[RedisProcess]:
    """Start a server of a cluster, and give it all slots."""
    with process, process.client() as admin:
        admin.execute_command("CLUSTER", "ADDSLOTSRANGE", "0", str(SLOTS))
        eventually(lambda: cluster_state(admin) == "ok", "the cluster is up")
        yield process


STANDING: Mapping[str, Standing] = {
    "OOM": partial(_configured, name="maxmemory", value="1", after="0"),
    "READONLY": replica,
    "NOREPLICAS": partial(_configured, name="min-replicas-to-write", value="1", after="0"),
    "MISCONF": unsaved,
    "BUSY": busy,
    "MASTERDOWN": orphan,
}
"""Each refusal of a plain server that goes on running, by its code."""
WRITES = ("OOM", "READONLY", "NOREPLICAS", "MISCONF")
"""The refusals of which reading hears nothing."""
