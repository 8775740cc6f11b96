"""A dispatcher with a region: numbers are written as there, unless a request says else."""

from __future__ import annotations

import pytest

from dispatcher import Dispatcher, InvalidJob
from dispatcher.client.messages import Messenger
from dispatcher.store import Store
from dispatcher.values.regions import UnknownRegion
from workers.queue.call_task import accept

NUMBER, WRITTEN = "+818012340001", "080-1234-0001"


@pytest.fixture
def japan(store: Store, messenger: Messenger) -> Dispatcher:
    return Dispatcher(store, messenger, region="jp")


def test_each_way_to_ask_reads_numbers_as_in_the_region(japan: Dispatcher) -> None:
    ids = [
        japan.call(WRITTEN, say="x").id,
        *(job.id for job in japan.call_many([{"recipient": WRITTEN, "say": "x"}]).jobs),
        accept(japan, "a-task", (), {"recipient": WRITTEN, "say": "x"}),
    ]
    assert {japan.job(id_).numbers for id_ in ids} == {(NUMBER,)}
    conference = japan.conference([WRITTEN, "090 1234 0002"])
    assert japan.job(conference.id).numbers == (NUMBER, "+819012340002")


def test_the_do_not_call_list_reads_numbers_so_too(japan: Dispatcher) -> None:
    japan.dnc.add(WRITTEN)
    assert [entry.number for entry in japan.dnc.list()] == [NUMBER]
    assert japan.dnc.check("080 1234 0001")
    assert not japan.dnc.check("(415) 555-2671", region="US")
    assert japan.dnc.remove(WRITTEN) == 1


def test_a_requests_own_region_counts(japan: Dispatcher) -> None:
    job = japan.call("(415) 555-2671", say="x", region="US")
    assert japan.job(job.id).numbers == ("+14155552671",)
    with pytest.raises(InvalidJob, match="may be one of United States"):
        japan.call("14155552671", say="x")


def test_without_a_region_numbers_are_e164(d: Dispatcher) -> None:
    with pytest.raises(InvalidJob, match="has no country code"):
        d.call(WRITTEN, say="x")


def test_a_region_that_is_none_is_told_at_once() -> None:
    with pytest.raises(UnknownRegion, match="write GB"):
        Dispatcher.from_url("redis://127.0.0.1:1/0", region="UK")
