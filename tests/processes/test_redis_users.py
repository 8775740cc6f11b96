"""The users of docs/redis.acl: each may do its part, and a right that is missing is named."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
import redis
import requests

from dispatcher.client.broker_check import require_results_kept, require_suitable_broker
from dispatcher.client.broker_rights import Part, wishes
from dispatcher.client.dispatcher import Dispatcher
from dispatcher.sandbox import SandboxOptions
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnsuitable
from support.e2e_stack import VOICE_DISPATCHER
from support.forked import Forked
from support.polling import eventually
from support.ports import free_port
from support.redis_servers import RedisProcess
from support.store_jobs import request
from workers.engine.rights_watch import RightsWatch

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "docs" / "redis.acl"
WORD = "CHANGE-ME"
USER_OF = {
    Part.DIAL: "vd-worker",
    Part.CALL_TASK: "vd-worker",
    Part.WEBHOOKS: "vd-worker",
    Part.BEAT: "vd-beat",
    Part.GATEWAY: "vd-gateway",
    Part.FLOWER: "vd-flower",
    Part.PRODUCER: "vd-producer",
}
LACKING = {
    Part.DIAL: ("-brpop", "+brpop ~vd.urgent"),
    Part.CALL_TASK: ("-zadd", "+zadd ~vd.unacked_index"),
    Part.WEBHOOKS: ("-script|load -zadd", "+script|load, +zadd ~_kombu.binding_deadlines"),
    Part.BEAT: ("-sadd", "+sadd ~_kombu.binding.vd.control"),
    Part.GATEWAY: ("-lpush", "+lpush ~vd.control"),
    Part.FLOWER: ("-psubscribe", "+psubscribe &/0.vd.celeryev/*"),
    Part.PRODUCER: ("-multi", "+multi"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    folder = tmp_path_factory.mktemp("users")
    with RedisProcess(folder, {"aclfile": str(RULES)}) as running:
        yield running


def url_of(server: RedisProcess, user: str) -> str:
    return server.url.replace("://", f"://{user}:{WORD}@")


@contextmanager
def administrator(server: RedisProcess) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(url_of(server, "admin")) as client:
        yield client


@contextmanager
def without(server: RedisProcess, user: str, rule: str) -> Iterator[None]:
    """Take a right away from a user for a while."""
    with administrator(server) as admin:
        (rules,) = [each for each in admin.acl_list() if each.startswith(f"user {user} ")]
        admin.execute_command("ACL", "SETUSER", user, *rule.split())
        try:
            yield
        finally:  # ACL LOAD would cut connections
            admin.execute_command("ACL", "SETUSER", user, "reset", *rules.split()[2:])


@pytest.mark.parametrize("part", Part)
def test_a_user_of_the_page_may_do_its_part(server: RedisProcess, part: Part) -> None:
    require_suitable_broker(url_of(server, USER_OF[part]), part, "vd")


@pytest.mark.parametrize("part", Part)
def test_a_user_of_the_page_has_the_rights_that_its_part_needs_in_the_records(
    server: RedisProcess, part: Part
) -> None:
    with administrator(server) as admin:
        admin.flushall()
    store = Store.from_url(url_of(server, USER_OF[part]))
    if part in (Part.BEAT, Part.FLOWER):
        store.server.check_schema()
    elif part is Part.PRODUCER:
        assert store.jobs.enqueue(request()).new
    else:
        store.server.check_rights()
    store.server.close()


@pytest.mark.parametrize("part", Part)
def test_a_right_that_is_missing_in_the_broker_is_named(server: RedisProcess, part: Part) -> None:
    rule, named = LACKING[part]
    user = USER_OF[part]
    with without(server, user, rule), pytest.raises(StoreUnsuitable) as caught:
        require_suitable_broker(url_of(server, user), part, "vd")
    assert named in str(caught.value)
    assert WORD not in str(caught.value)


@pytest.mark.parametrize(
    ("user", "rule", "named"),
    [
        ("vd-worker", "-copy", "does not allow its user +copy: grant it"),
        ("vd-gateway", "-publish", "does not allow its user +publish &{vd}:*"),
        ("vd-beat", "-fcall", "(+fcall)"),
        ("vd-worker", "-time", "does not allow its user +time: grant it"),
        ("vd-worker", "-get", "does not allow its user +get: grant it"),
        ("vd-worker", "-zrevrangebyscore", "does not allow its user +zrevrangebyscore: grant it"),
        ("vd-worker", "-function|load", "does not allow its user +function|load: grant it"),
        ("vd-worker", "resetkeys ~vd.*", "a key of the dispatcher (~{vd}*): grant it"),
    ],
)
def test_a_right_that_is_missing_for_the_records_is_named(
    server: RedisProcess, user: str, rule: str, named: str
) -> None:
    store = Store.from_url(url_of(server, user))
    with without(server, user, rule), pytest.raises(StoreUnsuitable) as caught:
        store.server.check_rights()
    assert named in str(caught.value)


def test_asking_for_rights_does_nothing(server: RedisProcess) -> None:
    with administrator(server) as admin:
        admin.flushall()
        for part in Part:
            require_suitable_broker(url_of(server, "admin"), part, "vd")
        with without(server, "vd-worker", "-multi"), pytest.raises(StoreUnsuitable):
            require_suitable_broker(url_of(server, "vd-worker"), Part.DIAL, "vd")
        assert admin.dbsize() == 0


def test_another_database_and_namespace_have_names_of_their_own() -> None:
    assert ("PSUBSCRIBE", "/3.other.celeryev/*") in wishes(Part.FLOWER, "other", 3)


def environment(server: RedisProcess, user: str, folder: Path, port: int) -> dict[str, str]:
    known = SandboxOptions()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "DISPATCHER_REDIS_URL": url_of(server, user),
        "DISPATCHER_CALLER": "+815012345678",
        "DISPATCHER_GATEWAY_PORT": str(port),
        "XOXZO_API_HOST": "http://127.0.0.1:9",
        "XOXZO_API_SID": known.sid,
        "XOXZO_API_AUTH_TOKEN": known.token,
    }


def start(argv: list[str], variables: dict[str, str]) -> subprocess.Popen[str]:
    return Forked(
        argv, cwd=ROOT, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def test_a_worker_does_not_start_without_a_right(server: RedisProcess, tmp_path: Path) -> None:
    variables = environment(server, "vd-worker", tmp_path, free_port())
    with without(server, "vd-worker", "-brpop"):
        process = start([sys.executable, "-m", "workers.run", "dial"], variables)
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "error: the broker's Redis does not allow its user +brpop ~vd.urgent, " in said
    store = Store.from_url(url_of(server, "admin"))
    (noted,) = store.missing_rights.all()
    store.missing_rights.clear(noted.process)
    store.server.close()
    assert noted.process.startswith("worker@")
    assert "+brpop ~vd.urgent" in noted.says


def test_readyz_and_doctor_name_a_right_that_was_taken_away(
    server: RedisProcess, tmp_path: Path
) -> None:
    port = free_port()
    variables = environment(server, "vd-gateway", tmp_path, port)
    gateway = start([sys.executable, "-m", "workers.run", "gateway"], variables)
    try:
        eventually(lambda: ready(port) == "", "the gateway is ready", 180)
        with without(server, "vd-gateway", "-lpush"):
            eventually(lambda: "+lpush ~vd.urgent" in ready(port), "/readyz names the right", 180)
            said = doctor(server, tmp_path, port)
    finally:
        gateway.terminate()
        gateway.communicate(timeout=180)
    assert "Redis does not allow its user +lpush" in said


def test_readyz_and_doctor_say_what_a_worker_may_not_do(
    server: RedisProcess, tmp_path: Path
) -> None:
    """The gateway's user may do all that the gateway does: it cannot know of the worker's."""
    port = free_port()
    gateway = start(
        [sys.executable, "-m", "workers.run", "gateway"],
        environment(server, "vd-gateway", tmp_path, port),
    )
    store = Store.from_url(url_of(server, "vd-worker"))
    require = partial(require_suitable_broker, url_of(server, "vd-worker"), Part.DIAL, "vd")
    watch = RightsWatch(store, "worker-dial@b", require)
    try:
        eventually(lambda: ready(port) == "", "the gateway is ready", 180)
        with without(server, "vd-worker", "-brpop"):
            watch.check()
            eventually(lambda: "+brpop ~vd.urgent" in ready(port), "/readyz names the right", 180)
            said = ready(port)
            findings = doctor(server, tmp_path, port)
        watch.check()
        eventually(lambda: ready(port) == "", "the right is back", 180)
    finally:
        store.server.close()
        gateway.terminate()
        gateway.communicate(timeout=180)
    assert "workers: worker-dial@b: the broker's Redis does not allow its user +brpop" in said
    lacks = "A process lacks a right: worker-dial@b: the broker's Redis does not allow its user"
    assert f"fail  missing right: {lacks}" in findings


def doctor(server: RedisProcess, folder: Path, port: int) -> str:
    variables = environment(server, "vd-gateway", folder, port)
    said, _ = start([str(VOICE_DISPATCHER), "doctor", "--no-provider"], variables).communicate(
        timeout=120
    )
    return said


def ready(port: int) -> str:
    """Return what /readyz complains of."""
    try:
        answer = requests.get(f"http://127.0.0.1:{port}/readyz", timeout=10)
    except requests.ConnectionError as error:
        return type(error).__name__
    return "" if answer.ok else answer.text


def test_a_producer_is_told_before_its_job_is_written(server: RedisProcess) -> None:
    with without(server, "vd-producer", "resetkeys"), administrator(server) as admin:
        admin.execute_command("ACL", "SETUSER", "vd-producer", "~{vd}*")
        dispatcher = Dispatcher.from_url(url_of(server, "vd-producer"))
        with pytest.raises(StoreUnsuitable, match=r"\+lpush ~vd\.urgent"):
            dispatcher.call("+818012340001", say="x")
        assert not admin.keys("{vd}:jobs:*")


FORBIDDEN_TO_SENDERS = [
    ("LRANGE", "vd.call", "0", "-1"),
    ("RPOP", "vd.call"),
    ("DEL", "vd.call"),
    ("GET", "vd.call"),
    ("LPUSH", "vd.urgent", "{}"),
    ("LPUSH", "vd.control", "{}"),
    ("LPUSH", "_kombu.binding.vd.call", "{}"),
    ("SADD", "_kombu.binding.vd.urgent", "vd.urgent"),
    ("SADD", "vd.call", "x"),
    ("SET", "celery-task-meta-1", "{}"),
    ("LPUSH", "celery-task-meta-1", "{}"),
    ("HGETALL", "{vd}:job:1"),
    ("GET", "{vd}:schema"),
    ("FCALL", "voice_dispatcher", "0"),
    ("FUNCTION", "LOAD", "#!lua name=x"),
    ("EVAL", "return 1", "0"),
    ("KEYS", "*"),
    ("SCAN", "0"),
    ("SUBSCRIBE", "{vd}:jobs:1"),
    ("PUBLISH", "celery-task-meta-1", "{}"),
]


@pytest.mark.parametrize("command", FORBIDDEN_TO_SENDERS, ids=lambda words: " ".join(words[:2]))
def test_who_may_send_the_call_task_can_do_nothing_else(
    server: RedisProcess, command: tuple[str, ...]
) -> None:
    """They put requests into its queue, and read the results whose ids they know."""
    with redis.Redis.from_url(url_of(server, "vd-call")) as sender:
        assert sender.lpush("vd.call", "{}") == 1
        assert sender.get("celery-task-meta-1") is None
        with pytest.raises(redis.exceptions.NoPermissionError):
            sender.execute_command(*command)
    with administrator(server) as admin:
        admin.delete("vd.call")


def test_a_producer_that_may_not_send_its_job_on_its_way_is_told_before(
    server: RedisProcess,
) -> None:
    """It was accepted, and stayed until a worker's sweep; a log line said so."""
    with without(server, "vd-producer", "-zcard"), administrator(server) as admin:
        admin.flushall()
        dispatcher = Dispatcher.from_url(url_of(server, "vd-producer"))
        with pytest.raises(StoreUnsuitable, match=r"Redis does not allow its user \+zcard: grant"):
            dispatcher.call("+818012340001", say="x")
        assert not admin.keys("{vd}:jobs:*")


def test_a_call_task_that_may_not_keep_results_is_told(server: RedisProcess) -> None:
    url = url_of(server, "vd-worker")
    require_results_kept(url)
    named = r"Redis does not allow its user \+setex ~celery-task-meta-x: grant"
    with without(server, "vd-worker", "-setex"), pytest.raises(StoreUnsuitable, match=named):
        require_results_kept(url)
