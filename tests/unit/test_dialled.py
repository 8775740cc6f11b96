"""A number is said as who hears it dials it."""

from __future__ import annotations

import pytest

from dispatcher.values.dialled import as_dialled


@pytest.mark.parametrize(
    ("number", "by", "dialled"),
    [
        ("+81312345678", "+818012345678", "0312345678"),
        ("+390612345678", "+393401234567", "0612345678"),
        ("+14155552671", "+12125552671", "4155552671"),
        ("+81312345678", "+12125552671", "+81312345678"),  # abroad
        ("+18763820000", "+14155552671", "+18763820000"),  # another country of the same code
        ("+551123456789", "+5511987654321", "+551123456789"),  # national: without a carrier's code
        ("+525512345678", "+525598765432", "+525512345678"),
        ("+81312345678", "nobody", "+81312345678"),
    ],
)
def test_a_number_is_dialled_so(number: str, by: str, dialled: str) -> None:
    assert as_dialled(number, by) == dialled
