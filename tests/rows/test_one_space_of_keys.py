"""Where an idempotency key counts: all who use Redis or the broker share one space of keys.

A client of the HTTP API has one of its own: it may not find out what others asked for.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dispatcher.client.dispatcher import Dispatcher
from dispatcher.model.filters import Filter
from dispatcher.rows.importing import Import
from dispatcher.store import Store
from dispatcher.store.values import KeyConflict
from support.rows_files import NUMBER, form, read
from workers.queue.call_task import accept

KEY, SAY = "alert-8812", "Disk full"
Way = Callable[[Dispatcher, str], str]
"""Enqueues a text with the key, in one of the ways; returns the job's id, or what is said."""


def python(dispatcher: Dispatcher, say: str) -> str:
    try:
        return dispatcher.call(NUMBER, say=say, key=KEY).id
    except KeyConflict as error:
        return str(error)


def bulk(dispatcher: Dispatcher, say: str) -> str:
    done = dispatcher.call_many([{"recipient": NUMBER, "say": say, "key": KEY}])
    return str(done.refused[0][1]) if done.refused else done.jobs[0].id


def celery(dispatcher: Dispatcher, say: str) -> str:
    try:
        return accept(dispatcher, "id-of-a-task", (), {"recipient": NUMBER, "say": say, "key": KEY})
    except KeyConflict as error:
        return str(error)


def row(dispatcher: Dispatcher, say: str) -> str:
    """Import a row with a column `key`; one that is there already is known by its place."""
    refused: list[str] = []
    importing = Import(
        dispatcher, form(["phone", "text", "key"]), refuse=lambda _, why: refused.append(why)
    )
    for items in importing.check(read(f"phone,text,key\n{NUMBER},{say},{KEY}\n")):
        importing.write(items)
    if refused:
        return refused[0]
    assert importing.tally.existing + importing.tally.created == 1
    (job,) = dispatcher.store.search.find(Filter())
    return job.id


WAYS = [python, bulk, celery, row]


@pytest.mark.parametrize("first", WAYS)
def test_the_same_request_is_one_job_whichever_way_it_comes(
    store: Store, dispatcher: Dispatcher, first: Way
) -> None:
    made = first(dispatcher, SAY)
    assert {way(dispatcher, SAY) for way in WAYS} == {made}
    assert len(list(store.search.find(Filter()))) == 1


@pytest.mark.parametrize("way", WAYS)
def test_another_request_with_that_key_is_told_which_job_has_it(
    store: Store, dispatcher: Dispatcher, way: Way
) -> None:
    made = python(dispatcher, SAY)
    told = way(dispatcher, "All is well")
    assert f"belongs to another request (job {made}): use a new key" in told
    assert [job.say for job in store.search.find(Filter())] == [SAY]


def test_what_has_no_key_meets_none_of_anybody(store: Store, dispatcher: Dispatcher) -> None:
    dispatcher.call(NUMBER, say=SAY)
    accept(dispatcher, "a", (), {"recipient": NUMBER, "say": SAY})
    accept(dispatcher, "b", (), {"recipient": NUMBER, "say": SAY})
    importing = Import(dispatcher, form(["phone", "text"]))
    for items in importing.check(read(f"phone,text\n{NUMBER},{SAY}\n")):
        importing.write(items)
    assert len(list(store.search.find(Filter()))) == 4


def test_a_client_of_the_http_api_has_keys_of_its_own(store: Store, dispatcher: Dispatcher) -> None:
    clients = [
        Dispatcher(store, dispatcher.messenger, actor=name, scope=name) for name in ("a", "b")
    ]
    ids = {python(each, f"{SAY} {n}") for n, each in enumerate([dispatcher, *clients])}
    assert len(ids) == len(list(store.search.find(Filter()))) == 3
