"""What has a cap is counted once for all processes of a gateway."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.gateway import counts
from workers.gateway.brake import A_SECOND, AT_ONCE, Brake
from workers.gateway.counts import Counts, SharedCounts

ROWS = 3


@pytest.fixture
def file(tmp_path: Path) -> Path:
    counts.make(tmp_path / "counts", ROWS, secrets.token_bytes(counts.SALT))
    return tmp_path / "counts"


def test_each_process_sees_what_the_others_count(file: Path) -> None:
    one, other, third = (SharedCounts(file, row, ROWS) for row in range(ROWS))
    one.add("requests", 2)
    other.add("requests", 1)
    third.add("waits", 5)
    assert [each["requests"] for each in (one, other, third)] == [3, 3, 3]
    other.add("requests", -1)
    assert (one["requests"], one["waits"], one["nothing"]) == (2, 5, 0)


def test_what_a_process_counted_that_was_killed_goes_with_the_next_in_its_place(file: Path) -> None:
    one, killed = SharedCounts(file, 0, ROWS), SharedCounts(file, 1, ROWS)
    one.add("requests", 1)
    killed.add("requests", 7)
    assert SharedCounts(file, 1, ROWS)["requests"] == one["requests"] == 1


def test_a_name_that_shares_a_cell_with_another_is_counted_right(file: Path) -> None:
    one = SharedCounts(file, 0, ROWS)
    cells = one._find("mine")
    one._row[cells[0]] += 9  # another name's, which has its second cell elsewhere
    one.add("mine", 2)
    assert one["mine"] == 2


@pytest.mark.parametrize("shared", [True, False])
def test_so_many_places_are_taken_and_no_more(file: Path, *, shared: bool) -> None:
    local = Counts()
    places = [SharedCounts(file, row, ROWS) if shared else local for row in range(ROWS)]
    told = [places[turn % ROWS].take("requests", 4) for turn in range(6)]
    assert told == [None] * 4 + [4, 4]
    places[0].add("requests", -1)
    assert [places[2].take("requests", 4) for _ in range(2)] == [None, 4]
    assert local["requests"] == (0 if shared else 4)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-3, 3))))
def test_a_process_alone_keeps_no_name_that_it_counts_none_of(moves: list[tuple[str, int]]) -> None:
    local, expected = Counts(), dict.fromkeys("abc", 0)
    for name, many in moves:
        local.add(name, many)
        expected[name] += many
    assert {name: local[name] for name in "abc"} == expected
    assert set(local._own) == {name for name, many in expected.items() if many}


def test_the_processes_of_a_gateway_tell_refusals_as_fast_as_one() -> None:
    now = 1000.0
    brakes = [Brake(lambda: now, processes=2) for _ in range(2)]
    waits = [brake.seconds("flooder") for brake in brakes for _ in range(AT_ONCE // 2 + 1)]
    assert sum(wait < 0.001 for wait in waits) == AT_ONCE
    assert max(waits) == pytest.approx(2 / A_SECOND)
