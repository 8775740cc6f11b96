"""What Redis refuses for now is called the same, with the same remedy, wherever one meets it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import Settings
from dispatcher.client.dispatcher import Dispatcher, Interrupted, JobHandle, RefusedRequest
from dispatcher.client.messages import BrokerUnavailable, Messenger
from dispatcher.model.api_key import Scope
from dispatcher.model.filters import Filter
from dispatcher.model.request import JobRequest
from dispatcher.model.states import Priority
from dispatcher.store import Store
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.refusals import REMEDIES
from support.api_client import SAY, Client, client
from support.cli_shell import Shell
from support.console_client import Person, key
from support.gateway_process import Gateway, problem
from support.polling import eventually
from support.redis_inside import redis_of
from support.redis_servers import RedisProcess
from support.refusals import STANDING, WRITES
from workers.queue.app import create_call_task


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    with RedisProcess(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(process: RedisProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with Gateway(tmp_path_factory.mktemp("gateway"), process.url) as running:
        yield running


@pytest.fixture
def store(process: RedisProcess) -> Iterator[Store]:
    store = Store.from_url(process.url)
    with redis_of(store):
        redis_of(store).flushall()
        yield store


@pytest.fixture
def billing(gateway: Gateway, store: Store) -> Client:
    return client(gateway, store, "billing", Scope.ENQUEUE, Scope.READ)


@pytest.fixture
def shell(process: RedisProcess, tmp_path: Path) -> Shell:
    return Shell(tmp_path, DISPATCHER_REDIS_URL=process.url, LOGNAME="sam")


def jobs(store: Store) -> int:
    return len(store.search.page(Filter(), 500, None).jobs)


def public(code: str) -> str:
    """Return what is said outside: the code, and what else stands in brackets, is for the log."""
    told = REMEDIES[code].replace(f" ({code})", "").replace(" (sentinel://…)", "")
    return f"Redis {told}"


@pytest.mark.parametrize("code", WRITES)
def test_over_http_it_is_a_503_that_says_when_to_ask_again(
    process: RedisProcess, gateway: Gateway, store: Store, billing: Client, code: str
) -> None:
    with STANDING[code](process):
        answer = billing.post("/v1/jobs", SAY)
        assert billing.get("/v1/jobs").json()["jobs"] == []  # reading goes on
        lines, summary = billing.bulk([{**SAY, "key": "a"}, {**SAY, "key": "b"}])
    assert problem(answer, 503)["detail"] == public(code)
    assert int(answer.headers["Retry-After"]) > 0
    assert [(line["status"], line["detail"]) for line in lines] == [(503, public(code))] * 2
    assert (summary["accepted"], summary["refused"], summary["complete"]) == (0, 2, True)
    assert jobs(store) == 0
    assert f"({code})" in gateway.log


@pytest.mark.parametrize("code", WRITES)
def test_the_gateway_is_not_ready_and_says_why(
    process: RedisProcess, gateway: Gateway, code: str
) -> None:
    with STANDING[code](process):
        eventually(lambda: gateway.ask("GET", "/readyz").status_code == 503, "it is not ready")
        found = problem(gateway.ask("GET", "/readyz"), 503)
        assert found["errors"][0] == {"field": "Redis", "detail": f"Redis {REMEDIES[code]}"}
    eventually(lambda: gateway.ask("GET", "/readyz").status_code == 200, "it is ready again")


@pytest.mark.parametrize("code", WRITES)
def test_the_command_line_says_it_in_a_sentence(
    process: RedisProcess, store: Store, shell: Shell, code: str
) -> None:
    with STANDING[code](process):
        ran = shell("call", SAY["recipient"], "--say", SAY["say"])
        checked = shell("doctor", "--no-provider", "--json")
    assert (ran.code, ran.complaint) == (1, f"Redis {REMEDIES[code]}")
    found = {each["check"]: (each["level"], each["message"]) for each in checked.json}
    assert checked.code == 1
    assert found["writes"] == ("fail", f"Redis {REMEDIES[code]}")
    assert found["broker"] == ("fail", f"the broker's Redis {REMEDIES[code]}")
    assert jobs(store) == 0


@pytest.mark.parametrize("code", WRITES)
def test_the_console_stays_open_and_shows_it_first(
    process: RedisProcess, gateway: Gateway, store: Store, code: str
) -> None:
    with Person(gateway.url) as person:
        person.log_in(key(store))
        with STANDING[code](process):
            page = person.page("/console")
    assert f"Redis {REMEDIES[code].partition(': ')[0]}" in page.text
    assert "All is well" not in page.text


@pytest.mark.parametrize("code", WRITES)
def test_a_broker_that_refuses_is_named_and_costs_no_producer_its_job(
    process: RedisProcess, store: Store, tmp_path: Path, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The records are elsewhere, and taken."""
    with RedisProcess(tmp_path / "broker") as other, STANDING[code](other):
        messenger = Messenger.to_broker(other.url)
        Dispatcher(store, messenger).call(**SAY)
        messenger.wake(Priority.NORMAL)
        with pytest.raises(BrokerUnavailable, match=rf"the broker's Redis .*\({code}\)"):
            messenger.listeners(0.1)
        if code == "READONLY":  # a broker that is asked says it by itself
            with pytest.raises(BrokerUnavailable, match="is a replica"):
                messenger.ping()
    assert f"the broker's Redis {REMEDIES[code]}; 1 messages not sent" in caplog.text
    assert jobs(store) == 1


@pytest.mark.parametrize("code", STANDING)
def test_the_call_task_waits(process: RedisProcess, store: Store, code: str) -> None:
    task = create_call_task(Settings(redis_url=process.url)).tasks["dispatcher.call"]
    done: list[str] = []
    thread = threading.Thread(target=lambda: done.append(task.apply(kwargs=SAY).get()))
    with STANDING[code](process):
        thread.start()
        thread.join(0.3)
        assert not done
    thread.join(20)
    assert store.jobs.get(done[0]).say == SAY["say"]


# -- many at once --------------------------------------------------------------------------

MANY = 500
ROOM = 300_000
"""Bytes in which some of them have room, and not all."""
LONG = "The flat is on fire. " * 20


def requests(**fields: str) -> list[dict[str, str]]:
    return [{**SAY, "say": f"{LONG}{n}", "key": f"k{n}", **fields} for n in range(MANY)]


class Silent(Messenger):
    """Sends nothing."""

    def __init__(self) -> None:
        super().__init__(lambda: pytest.fail("it sends nothing"))

    def wake(self, priority: Priority) -> None:
        assert priority is Priority.NORMAL


@pytest.fixture
def half_full(store: Store) -> Iterator[Store]:
    redis = redis_of(store)
    store.server.check_schema()  # what it loads takes room as well
    redis.config_set("maxmemory", str(int(redis.info("memory")["used_memory"]) + ROOM))
    yield store
    redis_of(store).config_set("maxmemory", "0")


def test_of_many_it_is_said_which_were_accepted_and_a_repeat_doubles_none(half_full: Store) -> None:
    dispatcher = Dispatcher(half_full, Silent())
    with pytest.raises(Interrupted, match=r"is full .* of 500 requests were accepted") as caught:
        dispatcher.call_many(requests()).collect()
    told, accepted = caught.value, {handle.id for handle in caught.value.bulk.jobs}
    assert isinstance(told, StoreUnavailable)
    assert (told.code, told.read) == ("OOM", MANY)
    assert 0 < len(accepted) < MANY
    assert len(accepted) + len(told.missing) == MANY
    assert accepted == {job.id for job in half_full.search.page(Filter(), MANY, None).jobs}
    redis_of(half_full).config_set("maxmemory", "0")
    assert told.accepted == len(accepted)
    rest = dispatcher.call_many([requests()[place] for place in told.missing]).collect()
    assert all(handle.new for handle in rest.jobs)
    again = dispatcher.call_many(requests()).collect()
    assert [handle.new for handle in again.jobs] == [False] * MANY
    assert jobs(half_full) == MANY


def test_who_loops_over_many_gets_all_that_is_known_first(half_full: Store) -> None:
    results = Dispatcher(half_full, Silent()).call_many([{}, *requests()])
    given: list[JobHandle | RefusedRequest] = []
    with pytest.raises(Interrupted) as caught:
        given.extend(results)
    told, (refused, *accepted) = caught.value, given
    assert isinstance(refused, RefusedRequest)
    assert {each.id for each in accepted if isinstance(each, JobHandle)} == {
        job.id for job in half_full.search.page(Filter(), MANY).jobs
    }
    assert sorted([*(each.index for each in accepted), *told.missing]) == list(range(1, told.read))
    assert (told.accepted, told.bulk.jobs) == (len(accepted), [])


def test_of_many_lines_each_is_accepted_or_may_be_sent_again(
    half_full: Store, gateway: Gateway
) -> None:
    redis = redis_of(half_full)
    redis.config_set("maxmemory", "0")
    sender = client(gateway, half_full, "billing", Scope.ENQUEUE)
    redis.config_set("maxmemory", str(int(redis.info("memory")["used_memory"]) + ROOM))
    lines, summary = sender.bulk(requests())
    accepted = [line for line in lines if "id" in line]
    refused = [line["status"] for line in lines if "id" not in line]
    assert 0 < len(accepted) < MANY
    assert refused == [503] * (MANY - len(accepted))
    assert (summary["accepted"], summary["complete"]) == (len(accepted), True)
    redis.config_set("maxmemory", "0")
    assert jobs(half_full) == len(accepted)
    lines, _ = sender.bulk(requests())
    assert sum(line["new"] for line in lines) == MANY - len(accepted)


@pytest.mark.parametrize("code", [code for code in WRITES if code != "READONLY"])
def test_a_broker_that_takes_no_messages_is_told_from_one_that_is_away(
    process: RedisProcess, code: str
) -> None:
    """(A replica is refused altogether.)"""
    messenger = Messenger.to_broker(process.url)
    messenger.ping()
    with STANDING[code](process), pytest.raises(BrokerUnavailable) as refused:
        messenger.ping()
    assert REMEDIES[code].split(":")[0] in str(refused.value)
    with process.client() as client:
        assert client.llen("vd.control") == 0


def test_what_is_told_for_a_full_redis_can_be_done(
    process: RedisProcess, store: Store, shell: Shell
) -> None:
    id_ = store.jobs.enqueue(JobRequest.of(SAY)).id
    store.jobs.cancel(id_, actor="cli:ann")
    with STANDING["OOM"](process):
        ran = shell("purge", "--recipient", SAY["recipient"], "--yes")
    assert ran.code == 0, ran.err
    assert ran.err.startswith("the number is not on the do-not-call list")
    assert "1 job removed" in ran.out
    assert store.audit.latest(1)[0][0].action == "purge"
