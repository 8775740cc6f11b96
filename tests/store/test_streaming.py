"""Requests go to Redis as they come, and a connection that is lost on the way is made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from dispatcher.model.request import JobRequest
from dispatcher.store import Store
from dispatcher.store.accepting import AT_ONCE
from dispatcher.store.redis_url import connect
from support.polling import eventually
from support.redis_inside import redis_of
from support.store_jobs import request
from workers.devstack.embedded_server import EmbeddedServer

MANY = 3 * AT_ONCE


@pytest.fixture
def store(server: EmbeddedServer, request: pytest.FixtureRequest) -> Iterator[Store]:
    with connect(server.url) as client:
        yield Store(client, namespace=request.node.name)


def coming(before: dict[int, Callable[[], object]]) -> Iterator[JobRequest]:
    """Yield requests; before some of them something is done."""
    for n in range(MANY):
        if n in before:
            before[n]()
        yield request(key=f"row-{n}")


def kill_connections(server: EmbeddedServer) -> None:
    with connect(server.url) as client:
        client.client_kill_filter(_type="normal", skipme=True)


def test_the_first_are_written_while_the_next_are_made(store: Store) -> None:
    seen: list[bool] = []

    def is_there(n: int) -> bool:
        return bool(store.jobs.find(f"row-{n}"))

    def look() -> None:
        eventually(lambda: is_there(0), "the first step is done")
        seen.append(is_there(AT_ONCE))

    outcomes = store.jobs.enqueue_many(coming({AT_ONCE: look}))
    assert seen == [False]
    assert [outcome.unwrap().new for outcome in outcomes] == [True] * MANY


@pytest.mark.parametrize("place", [0, AT_ONCE + 1, MANY - 1])
def test_a_connection_that_is_lost_on_the_way_is_made_anew(
    store: Store, server: EmbeddedServer, place: int
) -> None:
    store.jobs.enqueue(request(key="first"))  # the connection that is then lost
    outcomes = store.jobs.enqueue_many(coming({place: lambda: kill_connections(server)}))
    found = store.jobs.get_many(outcome.unwrap().id for outcome in outcomes)
    assert [job.key for job in found if job] == [f"row-{n}" for n in range(MANY)]


def test_what_fails_while_requests_are_made_leaves_no_answer_for_others(store: Store) -> None:
    def fail() -> None:
        raise KeyError("the file is gone")

    with pytest.raises(KeyError, match="the file is gone"):
        store.jobs.enqueue_many(coming({2 * AT_ONCE: fail}))
    assert store.jobs.enqueue(request(key="another")).new
    assert store.jobs.find("another")[0].key == "another"


def test_of_nothing_nothing_is_asked(store: Store) -> None:
    with connect("redis://127.0.0.1:1/0") as client:
        assert Store(client).jobs._accepting._connection.stream([]) == []


def test_the_functions_are_loaded_where_redis_has_lost_them(store: Store) -> None:
    redis_of(store).function_flush()
    assert all(outcome.unwrap().new for outcome in store.jobs.enqueue_many(coming({})))
