"""What `doctor` says of calling back."""

from __future__ import annotations

import pytest

from dispatcher.cli.finding import OK, WARN
from workers.dial_in_check import judged
from workers.dial_in_commands import NOBODY, NOT_TOLD, OLD, OTHER, OURS

ONE, TWO = "+815012340000", "+81312345678"


@pytest.mark.parametrize(
    ("asked", "told", "level", "says"),
    [
        ({ONE: OURS, TWO: OTHER}, ONE, OK, f"can call back {ONE}"),
        ({ONE: NOT_TOLD}, ONE, OK, "does not tell whom it asks"),
        ({ONE: OLD}, ONE, WARN, "older key"),
        ({ONE: OURS}, None, WARN, f"DISPATCHER_DIAL_IN_NUMBER={ONE}"),
        ({ONE: OURS, TWO: OTHER}, TWO, WARN, f"{TWO}, which does not ask"),
        ({ONE: OURS}, TWO, WARN, f"{TWO}, which the account does not rent"),
        ({ONE: NOBODY}, None, WARN, "nobody can call back"),
        ({}, None, WARN, "nobody can call back"),
    ],
)
def test_what_is_wrong_is_said_with_the_number(
    asked: dict[str, str], told: str | None, level: str, says: str
) -> None:
    found = judged(asked, told)
    assert found[0] == level
    assert says in found[1]
