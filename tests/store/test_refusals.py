"""Each refusal of Redis, brought about on real servers: what it is called, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest
import redis

from dispatcher.client.watching import Change, News, watch
from dispatcher.model.account_config import AccountConfig
from dispatcher.model.filters import Filter
from dispatcher.store import Store
from dispatcher.store.errors import NotAllowed, StoreUnavailable, plain_errors
from dispatcher.store.redis_url import connect
from dispatcher.store.refusals import REMEDIES
from dispatcher.store.slots import Slots
from support.claims import take
from support.polling import eventually
from support.redis_inside import redis_of
from support.redis_servers import HOST, SERVICE, RedisProcess, Sentinels, replicated
from support.refusals import (
    STANDING,
    WRITES,
    busy,
    cluster_down,
    cluster_of_one,
    cluster_state,
    loading,
    orphan,
    replica,
)
from support.store_jobs import request
from workers.devstack.redis_server import find_servers
from workers.engine.retrying import retry_until_available
from workers.engine.schema_guard import SchemaGuard

SAY = "of pipeline caused error: OOM the flat is on fire"
"""What nobody may read in an error, nor take for what Redis said."""
Way = Callable[[Store], object]


def alone(store: Store) -> object:
    return store.jobs.enqueue(request(say=SAY))


def in_a_pipeline(store: Store) -> object:
    return [each.unwrap() for each in store.jobs.enqueue_many([request(say=SAY)] * 120)]


def in_a_transaction(store: Store) -> object:
    store.limiter.publish(AccountConfig())
    return store


def reading(store: Store) -> object:
    return store.jobs.get_many(["a" * 16])


WAYS: dict[str, Way] = {
    "alone": alone,
    "in a pipeline": in_a_pipeline,
    "in a transaction": in_a_transaction,
    "reading": reading,
}
WRITING = {way: do for way, do in WAYS.items() if do is not reading}


@pytest.fixture
def store(process: RedisProcess) -> Iterator[Store]:
    """A store that has been used, and is empty."""
    with process.client() as admin:
        admin.flushall()
    with connect(process.url) as client:
        store = Store(client)
        assert jobs(store) == 0
        yield store


def jobs(store: Store) -> int:
    """Return how many jobs there are."""
    return len(store.search.page(Filter(), 500, None).jobs)


def refuses(store: Store, *, code: str, ways: Mapping[str, Way] = WAYS) -> None:
    """Hold that each way is refused, with this code and its remedy."""
    for way, do in ways.items():
        with pytest.raises(StoreUnavailable) as caught:
            do(store)
        assert (caught.value.code, str(caught.value)) == (code, f"Redis {REMEDIES[code]}"), way


@pytest.mark.parametrize("code", STANDING)
def test_a_refusal_that_passes_is_named_with_a_remedy_and_nothing_is_written(
    process: RedisProcess, store: Store, code: str
) -> None:
    with STANDING[code](process):
        if code in WRITES:
            refuses(store, code=code, ways=WRITING)
            assert reading(store) == [None]
        elif code == "MASTERDOWN":  # who publishes hears of the replica first
            refuses(store, code=code, ways={"alone": alone, "reading": reading})
        else:
            refuses(store, code=code)
    assert jobs(store) == 0
    for way, do in WAYS.items():  # on the same connections
        assert do(store), way


@pytest.mark.parametrize("binary", find_servers(), ids=lambda path: path.name)
def test_a_server_that_loads_its_data_is_waited_for(binary: Path, tmp_path: Path) -> None:
    with RedisProcess(tmp_path, binary=binary) as process, connect(process.url) as client:
        store = Store(client)
        alone(store)
        with loading(process):
            refuses(store, code="LOADING")
        assert jobs(store) == 1


def test_a_function_that_does_not_end_is_named_like_a_script(
    process: RedisProcess, store: Store
) -> None:
    with busy(process, with_function=True), pytest.raises(StoreUnavailable, match="BUSY"):
        alone(store)


@pytest.mark.parametrize("code", WRITES)
def test_a_library_that_cannot_be_loaded_now_is_the_same_refusal(
    process: RedisProcess, store: Store, code: str
) -> None:
    redis_of(store).execute_command("FUNCTION", "FLUSH", "SYNC")
    with STANDING[code](process):
        for way in (alone, in_a_pipeline):
            with pytest.raises(StoreUnavailable) as caught:
                way(store)
            assert caught.value.code == code
    assert alone(store)


@pytest.mark.parametrize("code", WRITES)
def test_whether_redis_takes_writes_is_found_out_without_one(
    process: RedisProcess, store: Store, code: str
) -> None:
    store.server.check_writable()
    with STANDING[code](process), pytest.raises(StoreUnavailable) as caught:
        store.server.check_writable()
    assert caught.value.code == code
    assert redis_of(store).keys("*") == []


def test_a_connection_to_the_provider_that_cannot_be_given_back_costs_no_answer(
    process: RedisProcess, store: Store
) -> None:
    """Its lease ends by itself."""
    with ExitStack() as standing, Slots(store.limiter).slot():
        standing.enter_context(STANDING["NOREPLICAS"](process))  # left after the slot
    assert store.limiter.pace().connections == 1


def test_too_many_clients_are_named(process: RedisProcess) -> None:
    with process.client() as admin:
        admin.config_set("maxclients", "1")
        try:
            with connect(process.url) as client, pytest.raises(StoreUnavailable) as caught:
                Store(client).server.ping()
        finally:
            admin.config_set("maxclients", "1000")
    assert str(caught.value) == f"Redis {REMEDIES['MAXCLIENTS']}"


# -- clusters ------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=find_servers(), ids=lambda path: path.name)
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisProcess]:
    folder = tmp_path_factory.mktemp("cluster")
    with cluster_of_one(
        RedisProcess(folder, {"cluster-enabled": "yes"}, binary=request.param)
    ) as running:
        yield running


@pytest.mark.parametrize("way", WAYS)
def test_a_cluster_that_is_down_is_waited_for(cluster: RedisProcess, way: str) -> None:
    with connect(cluster.url) as client:
        store = Store(client)
        assert store.server.check_writable() is None
        with cluster_down(cluster), pytest.raises(StoreUnavailable) as caught:
            WAYS[way](store)
        assert caught.value.code == "CLUSTERDOWN"
        assert WAYS[way](store)


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RedisProcess, RedisProcess]]:
    """Two servers of a cluster: the first has all slots, and is moving ours to the second."""
    folder, options = tmp_path_factory.mktemp("moving"), {"cluster-enabled": "yes"}
    with (
        cluster_of_one(RedisProcess(folder / "from", options)) as first,
        RedisProcess(folder / "to", options) as second,
        first.client() as at_first,
        second.client() as at_second,
    ):
        at_first.set("{vd}:there", "1")
        at_first.execute_command("CLUSTER", "MEET", HOST, second.port)
        eventually(lambda: cluster_state(at_second) == "ok", "they have met")
        slot = at_first.execute_command("CLUSTER", "KEYSLOT", "{vd}")
        to = at_second.execute_command("CLUSTER", "MYID").decode()
        at_first.execute_command("CLUSTER", "SETSLOT", slot, "MIGRATING", to)
        yield first, second


def test_keys_that_are_moved_within_a_cluster_are_waited_for(
    moving: tuple[RedisProcess, RedisProcess],
) -> None:
    first, second = moving
    with connect(first.url) as client:
        with pytest.raises(StoreUnavailable) as caught:
            alone(Store(client))
        assert caught.value.code == "ASK"
        with pytest.raises(StoreUnavailable) as caught, plain_errors():
            client.mget("{vd}:there", "{vd}:gone")
        assert caught.value.code == "TRYAGAIN"
    with connect(second.url) as client, pytest.raises(StoreUnavailable) as caught:
        alone(Store(client))  # it follows the keys to the first
    assert caught.value.code == "ASK"


# -- rights --------------------------------------------------------------------------------

EVERYTHING = "~{vd}* &{vd}:* +@all"


def checked(store: Store) -> object:
    return store.server.check_writable()


LACKING = {
    "-fcall": (alone, "the command fcall (+fcall)"),
    "-zadd -hset": (alone, "+hset +zadd"),
    "-publish": (alone, "+publish &{vd}:*"),
    "resetchannels": (alone, "+publish &{vd}:*"),
    "resetkeys ~other:*": (alone, "a key of the dispatcher (~{vd}*)"),
    "-zrank -lpop": (checked, "+lpop +zrank"),
    "-multi": (in_a_transaction, "+multi"),
}
"""What is taken away from a user -> who hears of it, and what is named."""


@contextmanager
def user(process: RedisProcess, *rules: str) -> Iterator[Store]:
    """Give the store of somebody with everything but what the rules take away."""
    with process.client() as admin:
        admin.execute_command("ACL", "SETUSER", "ann", "reset", "on", ">pw", *EVERYTHING.split())
        for rule in rules:
            admin.execute_command("ACL", "SETUSER", "ann", *rule.split())
        with connect(process.url.replace("://", "://ann:pw@")) as client:
            yield Store(client)


@pytest.mark.parametrize("rule", LACKING)
def test_a_missing_right_is_named_before_anything_is_written(
    process: RedisProcess, store: Store, rule: str
) -> None:
    way, right = LACKING[rule]
    with user(process, rule) as poor, pytest.raises(NotAllowed) as caught:
        way(poor)
    assert str(caught.value) == f"Redis does not allow its user {right}: grant it with ACL SETUSER"
    assert jobs(store) == 0


def test_only_rights_that_an_operation_needs_are_asked_for(
    process: RedisProcess, store: Store
) -> None:
    """A producer has not all that a worker needs; who only sends messages has next to nothing."""
    with user(process, "-zrank -lpop -xrange") as producer:
        assert alone(producer)
        assert in_a_pipeline(producer)
    with user(process, "resetkeys ~{vd} %R~{vd}:*", "-@all +fcall +get +exists +time") as beat:
        beat.server.check_schema()


def test_a_right_to_read_inside_of_an_operation_is_named_by_doctor(
    process: RedisProcess, store: Store
) -> None:
    """Older servers do not say which it is; nothing is written by what only reads."""
    with user(process, "-hgetall") as poor:
        with pytest.raises(NotAllowed, match="command"):
            alone(poor)
        with pytest.raises(NotAllowed, match=r"\+hgetall"):
            checked(poor)
    assert jobs(store) == 0


def test_a_right_that_was_taken_away_is_no_job_s_damage(
    process: RedisProcess, store: Store
) -> None:
    with user(process) as poor, process.client() as admin:
        alone(poor)
        assert take(poor, 0) == []
        admin.execute_command("ACL", "SETUSER", "ann", "-publish")
        with pytest.raises(NotAllowed):
            take(poor)
        admin.execute_command("ACL", "SETUSER", "ann", "+publish")
    assert [event for event in store.events.after() if event.kind == "job.damaged"] == []


def test_a_missing_right_is_named_in_a_pipeline(process: RedisProcess, store: Store) -> None:
    with user(process) as poor:
        assert alone(poor)
        with process.client() as admin:
            admin.execute_command("ACL", "SETUSER", "ann", "-fcall")
        with pytest.raises(NotAllowed) as caught:
            in_a_pipeline(poor)
    assert "+fcall" in str(caught.value)
    assert SAY not in str(caught.value)


def test_a_right_that_is_taken_away_later_is_a_missing_right(
    process: RedisProcess, store: Store
) -> None:
    """The first operation is stopped inside, where older servers do not say which it is; the next
    ones before they do anything.
    """
    for way in (alone, in_a_pipeline):
        for rule, named, then in (
            ("-hset", "command", r"\+hset"),
            ("resetchannels", "channel", r"\+publish"),
        ):
            with user(process) as poor, process.client() as admin:
                assert way(poor)
                admin.execute_command("ACL", "SETUSER", "ann", rule)
                with pytest.raises(NotAllowed, match=named):
                    way(poor)
                before = admin.info("keyspace")
                with pytest.raises(NotAllowed, match=then):
                    way(poor)
                assert admin.info("keyspace") == before
                admin.execute_command("ACL", "SETUSER", "ann", *EVERYTHING.split())
                assert way(poor)


def test_a_process_whose_right_is_taken_away_says_so_and_goes_on(
    process: RedisProcess, caplog: pytest.LogCaptureFixture
) -> None:
    """The right may be given back; another schema would end it."""
    guard = SchemaGuard(stop=lambda: pytest.fail("it must not end"))
    with user(process) as poor, process.client() as admin:
        poor.server.check_rights()
        admin.execute_command("ACL", "SETUSER", "ann", "-zadd")
        guard.check(poor)
    assert "+zadd" in caplog.text
    assert guard.refusal is None


def test_who_may_not_load_functions_is_told_so(process: RedisProcess, store: Store) -> None:
    redis_of(store).execute_command("FUNCTION", "FLUSH", "SYNC")
    with user(process, "-function|load") as poor, pytest.raises(NotAllowed) as caught:
        alone(poor)
    assert "(+function|load)" in str(caught.value)


def test_who_may_not_listen_is_told_so(process: RedisProcess) -> None:
    with user(process, "-psubscribe") as poor:  # noqa: SIM117 - the first is what it stands on
        with pytest.raises(NotAllowed, match=r"\+psubscribe"), poor.pubsub.moves() as news:
            news.read(5, 1)
    with user(process, "resetchannels") as poor:  # noqa: SIM117
        with pytest.raises(NotAllowed, match="channel"), poor.pubsub.moves() as news:
            news.read(5, 1)


# -- masters and replicas ------------------------------------------------------------------


def connections(process: RedisProcess, name: str) -> int:
    """Return how many connections of this name a server has."""
    with process.client() as admin:
        return sum(client["name"] == name for client in admin.client_list())


def test_the_connection_to_a_server_that_became_a_replica_is_given_up(
    process: RedisProcess, store: Store
) -> None:
    """The name in the URL may belong to another server by now."""
    with process.client(client_name="us") as client:
        ours = Store(client)
        assert alone(ours)
        for way in (alone, in_a_pipeline):
            for standing in (replica, orphan):
                assert connections(process, "us") == 1
                with standing(process), pytest.raises(StoreUnavailable, match="is a replica"):
                    way(ours)
                assert connections(process, "us") == 0
                assert way(ours)


@pytest.fixture(scope="module")
def watched(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[RedisProcess, RedisProcess, Sentinels]]:
    """A master, its replica, and the sentinel that watches them."""
    folder = tmp_path_factory.mktemp("watched")
    with (
        replicated(folder) as (master, other),
        Sentinels(folder, master, count=1) as sentinels,
    ):
        sentinels.wait_until_ready()
        yield master, other, sentinels


def _fails_over(sentinel: redis.Redis) -> bool:
    try:
        return bool(sentinel.execute_command("SENTINEL", "FAILOVER", SERVICE))
    except redis.ResponseError:  # NOGOODSLAVE: what it knows of the replica is too old
        return False


def test_after_a_failover_the_sentinels_are_asked_anew(
    watched: tuple[RedisProcess, RedisProcess, Sentinels],
) -> None:
    master, other, sentinels = watched
    with connect(sentinels.url) as client:
        store = Store(client)
        assert all(way(store) for way in WAYS.values())
        news = watch(store, Filter(), idle=0.1)
        assert next(news) == []  # from here on
        with sentinels.processes[0].client() as sentinel:
            eventually(lambda: _fails_over(sentinel), "the sentinel finds the replica fit")
        assert sentinels.wait_for_failover(master) == other.port
        eventually(lambda: _is_replica(master), "the old master is a replica")
        for way in WAYS.values():
            retry_until_available(partial(way, store))
        eventually(lambda: _is_told(news, retry_until_available(partial(alone, store))), "news")


def _is_replica(process: RedisProcess) -> bool:
    try:
        with process.client() as admin:
            return bool(admin.role()[0] == b"slave")
    except redis.ConnectionError:  # sentinels cut connections
        return False


def _is_told(news: Iterator[list[News]], _: object) -> bool:
    return any(isinstance(each, Change) for each in next(news))


def test_a_connection_that_outlived_a_failover_is_given_up_at_the_first_refusal(
    watched: tuple[RedisProcess, RedisProcess, Sentinels],
) -> None:
    """Where nobody cuts it, as where the master was made a replica by hand."""
    first, second, sentinels = watched
    master = first if sentinels.master_port() == first.port else second
    with connect(sentinels.url) as client:
        store = Store(client)
        assert alone(store)
        with replica(master):
            refuses(store, code="READONLY", ways=WRITING)
        assert alone(store)
