"""How tests are spread over workers: what is named is there, what shares a stack stays together."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.spreading import LANES, OWN_STACK, SHARED_STACK, SHARED_STORE, SLOW, place

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("file", [*OWN_STACK, *SLOW])
def test_a_file_that_is_named_exists(file: str) -> None:
    assert (ROOT / file).is_file()


def test_stacks_run_in_lanes_and_the_shared_one_once() -> None:
    lanes = {place(f"{file}::test_it") for file in OWN_STACK}
    assert lanes == {(0, f"lane {number + 1}") for number in range(min(LANES, len(OWN_STACK)))}
    assert place("tests/e2e/test_e2e_http.py::test_it[a::b]") == (0, SHARED_STACK)
    assert place("tests/migration/test_migrated_work.py::test_it") == (1, SHARED_STORE)


def test_a_slow_test_goes_by_itself_and_others_with_their_file() -> None:
    slow = f"{SLOW[0]}::test_it[1]"
    assert place(slow) == (1, slow)
    assert place("tests/unit/test_rate.py::test_it[1]") == (2, "tests/unit/test_rate.py")
