"""What 0.1.0 did not keep of a job is worked out when its record is brought over."""

from __future__ import annotations

import pytest

from dispatcher.store.migrate.first_schema import job
from dispatcher.store.schema import Field


@pytest.mark.parametrize(
    ("digits", "types"),
    [
        (b"818011234567", None),
        (b"81990504123", b"premium"),
        (b"818011234567,881612345678,447012345678", b"personal,satellite"),
        (b"99999", None),  # in no numbering plan any more
        (b"", None),
    ],
)
def test_the_types_of_its_numbers_are_known_from_then_on(
    digits: bytes, types: bytes | None
) -> None:
    found = job({b"state": b"queued", b"to": digits, b"t0": b"0 queued billing"})
    assert found.get(Field.NUMBER_TYPES.encode()) == types
