"""Many requests: a result for each, in order, as batches are written; none is kept."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from itertools import count, islice
from typing import Any

import pytest

from dispatcher import (
    Dispatcher,
    InvalidJob,
    JobRequest,
    KeyConflict,
    NumberRefused,
    RefusedRequest,
)
from dispatcher.client import many
from dispatcher.client.messages import Messenger
from dispatcher.model.filters import Filter
from dispatcher.store import Store

NUMBER = "+818012340001"


def row(key: int, **fields: Any) -> dict[str, Any]:
    return {"recipient": NUMBER, "say": "Hello", "key": f"row-{key}", **fields}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of three."""
    monkeypatch.setattr(many, "BATCH", 3)


def jobs(store: Store) -> int:
    return len(store.search.page(Filter(), 500, None).jobs)


def test_each_request_has_its_result_in_its_place(d: Any, small: None) -> None:
    rows = [
        row(0),
        row(1, recipient="+8108012345678"),
        JobRequest.of(row(2)),
        7,
        row(0),
        row(0, say="Other words"),
        row(6, recipient="+979123456789"),
        row(7),
    ]
    found = list(d.call_many(rows))
    assert [each.index for each in found] == list(range(8))
    refused = {each.index: type(each.error) for each in found if isinstance(each, RefusedRequest)}
    assert refused == {1: InvalidJob, 3: InvalidJob, 5: KeyConflict, 6: NumberRefused}
    assert [found[place].new for place in (0, 2, 4, 7)] == [True, True, False, True]
    assert found[4].id == found[0].id
    assert found[7].refresh().key == "row-7"


def test_results_come_as_batches_are_written_and_no_more_is_read(
    d: Any, store: Store, small: None
) -> None:
    """So that it may be fed by what never ends."""
    source = count()
    results = d.call_many(row(n) for n in source)
    assert [each.index for each in islice(results, 4)] == [0, 1, 2, 3]
    assert (next(source), jobs(store)) == (6, 6)  # two batches


def test_results_that_were_taken_are_not_kept(d: Any, small: None) -> None:
    before = handles()
    for result in d.call_many(row(n) for n in range(30)):
        assert handles() - before <= many.BATCH + 1, result.index  # the batch, and this one


def handles() -> int:
    gc.collect()
    return sum(type(each).__name__.endswith("JobHandle") for each in gc.get_objects())


def test_all_can_be_collected(d: Any) -> None:
    done = d.call_many([row(0), {}, row(2)]).collect()
    assert [job.index for job in done.jobs] == [0, 2]
    ((place, error),) = done.refused
    assert (place, type(error)) == (1, InvalidJob)


def test_all_can_be_taken_as_it_was_done_before(store: Store, messenger: Messenger) -> None:
    results = Dispatcher(store, messenger).call_many([row(0), {}, row(0)])
    assert ([job.new for job in results.jobs], len(results.refused)) == ([True, False], 1)


def test_none_is_no_trouble(d: Any) -> None:
    assert list(d.call_many([])) == []


def test_who_reads_no_result_is_told_that_nothing_was_enqueued(d: Any, store: Store) -> None:
    with pytest.warns(RuntimeWarning, match="nothing was enqueued"):
        d.call_many([row(0)])
    assert jobs(store) == 0


def test_an_error_of_the_source_reaches_who_reads(d: Any, store: Store, small: None) -> None:
    def source() -> Iterator[dict[str, Any]]:
        yield from map(row, range(4))
        raise OSError("the file is gone")

    results = d.call_many(source())
    assert len(list(islice(results, 3))) == 3
    with pytest.raises(OSError, match="the file is gone"):
        next(results)
    assert jobs(store) == 3


class Broken(dict[str, Any]):
    """Fields that cannot be read."""

    def __iter__(self) -> Iterator[str]:
        raise OSError("the sheet is gone")

    keys = __iter__  # type: ignore[assignment]


def test_what_came_before_a_request_that_cannot_be_read_is_told_before_the_error(
    d: Any, store: Store
) -> None:
    results = d.call_many([row(0), row(1), Broken(), row(3)])
    assert [next(results).index for _ in range(2)] == [0, 1]
    with pytest.raises(OSError, match="the sheet is gone"):
        next(results)
    assert jobs(store) == 2
