"""What is said of a wrong request is bounded, however much was sent: it is logged, shown, kept."""

from __future__ import annotations

import time
from typing import Any

import pytest

from dispatcher.model.invalid_job import MOST_PROBLEMS, InvalidJob, cut
from dispatcher.model.request import JobRequest

LONG = "x" * 1_000_000
CALL = {"recipient": "+818012340001", "say": "Hi"}


@pytest.mark.parametrize(
    "fields",
    [
        {LONG: 1},
        {f"n{number}": 1 for number in range(100_000)},
        {f"n{number}": 1 for number in range(150)},
        {"at": LONG},
        {"expires": "9" * 1_000_000 + "s"},
        {"tags": [f"t{number}" for number in range(100_000)]},
        {"tags": [LONG] * 100},
        {"params": {LONG: LONG}},
        {"say": [LONG]},
        {"hours": LONG},
    ],
    ids=lambda fields: min(fields)[:12],
)
def test_whatever_was_sent_little_is_said_and_soon(fields: dict[str, Any]) -> None:
    began = time.process_time()
    with pytest.raises(InvalidJob) as caught:
        JobRequest.of({**CALL, **fields})
    assert len(str(caught.value)) < 5000
    assert len(caught.value.problems) <= MOST_PROBLEMS + 1
    assert time.process_time() - began < 1


def test_what_is_left_out_is_said() -> None:
    with pytest.raises(InvalidJob) as caught:
        JobRequest.of({**CALL, **{f"n{number}": 1 for number in range(MOST_PROBLEMS + 5)}})
    assert caught.value.problems[-1] == ("request", "5 more things are wrong")


def test_an_ordinary_message_stays_whole() -> None:
    with pytest.raises(InvalidJob, match=r"sya: there is no such option$"):
        JobRequest.of({**CALL, "sya": 1})


def test_the_remedy_at_the_end_is_left() -> None:
    with pytest.raises(InvalidJob, match=r"^expires: '…s' is not a duration: .*"):
        JobRequest.of({**CALL, "expires": "9" * 1_000_000 + "s"})


@pytest.mark.parametrize("most", range(2, 60))
def test_no_part_of_a_number_is_left_where_a_text_is_cut(most: int) -> None:
    number = "+81 (80) 1234-0001"
    said = cut(f"to {number}{'x' * 100}{number} now", most).replace(number, "")
    assert not any(character.isdigit() for character in said)
