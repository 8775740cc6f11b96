"""The live table of `watch`: what is under way, the latest changed first, set right at times."""

from __future__ import annotations

import pytest

from dispatcher.cli import watch as watching
from dispatcher.cli.watch import Board
from dispatcher.client.watching import Change, Gap
from dispatcher.model.filters import Filter
from dispatcher.model.request import JobRequest
from dispatcher.store import Store
from dispatcher.values.masking import mask_number

NUMBER = "+818011234567"


def enqueue(store: Store, **fields: object) -> str:
    return store.jobs.enqueue(JobRequest.of({"recipient": NUMBER, "say": "Hello", **fields})).id


def change(store: Store, id_: str) -> Change:
    job = store.jobs.get(id_)
    return Change(job, job.timeline[-1])


def shown(board: Board) -> str:
    return "\n".join(board.shown(160, colours=False))


def test_it_begins_with_what_is_under_way_and_counts(store: Store) -> None:
    live, over = enqueue(store, tags=["a"]), enqueue(store, tags=["a"])
    store.jobs.cancel(over, actor="cli")
    other = enqueue(store)
    board = Board(store, Filter(tag="a"), 10)
    board.begin()
    board.take([])
    text = shown(board)
    assert live in text
    assert over not in text
    assert other not in text
    assert "2 queued" in text
    assert "1 cancelled" in text
    assert NUMBER not in text


def test_it_begins_with_the_jobs_of_one_producer_where_that_is_asked_for(store: Store) -> None:
    request = JobRequest.of({"recipient": NUMBER, "say": "Hello"})
    own, other = (store.jobs.enqueue(request, actor=name).id for name in ("billing", "ops"))
    board = Board(store, Filter(producer="billing"), 10)
    board.begin()
    board.take([])
    assert own in shown(board)
    assert other not in shown(board)


def test_on_a_narrow_screen_what_matters_is_whole(store: Store) -> None:
    id_ = enqueue(store)
    board = Board(store, Filter(), 3)
    board.begin()
    lines = board.shown(80, colours=False)
    assert any(line.startswith(f"{id_}  queued  {mask_number(NUMBER)}") for line in lines)
    assert max(map(len, lines)) <= 80


def test_the_latest_changed_stands_first_and_the_oldest_makes_room(store: Store) -> None:
    ids = [enqueue(store) for _ in range(4)]
    board = Board(store, Filter(), 3)
    board.begin()
    board.take([change(store, ids[3]), change(store, ids[0]), change(store, ids[1])])
    lines = [line.split()[0] for line in shown(board).splitlines() if line[:1].isalnum()]
    assert [line for line in lines if line in ids] == [ids[1], ids[0], ids[3]]


@pytest.mark.parametrize("why", ["a gap", "its time"])
def test_rows_are_read_anew_after_a_gap_and_now_and_then(
    store: Store, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_ = enqueue(store)
    board = Board(store, Filter(), 3)
    board.begin()
    board.take([])
    store.jobs.cancel(id_, actor="cli")
    board.take([])
    assert "1 cancelled" not in shown(board)
    if why == "a gap":
        now = store.jobs.get(id_).created_at
        board.take([Gap(now, now)])
    else:
        monkeypatch.setattr(watching, "RESYNC", 0)
        board.take([])
    assert "cancelled" in shown(board).split(id_)[1].splitlines()[0]
