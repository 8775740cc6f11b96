"""The types of numbers that cost more than calls to their country do."""

from __future__ import annotations

import pytest

from dispatcher.model.number_type import NumberType
from dispatcher.values.choices import UnknownChoice
from dispatcher.values.number_types import (
    number_type,
    number_types,
    parse_number_types,
)
from dispatcher.values.numbers import recipient

RISKY = [
    pytest.param("+979123456789", NumberType.PREMIUM, id="international premium"),
    pytest.param("+81990504123", NumberType.PREMIUM, id="Japan, 0990"),
    pytest.param("+449098790000", NumberType.PREMIUM, id="Great Britain, 090"),
    pytest.param("+19002345678", NumberType.PREMIUM, id="United States, 900"),
    pytest.param("+447012345678", NumberType.PERSONAL, id="Great Britain, 070"),
    pytest.param("+15002345678", NumberType.PERSONAL, id="United States, 500"),
    pytest.param("+878101234567890", NumberType.PERSONAL, id="international personal"),
    pytest.param("+447640123456", NumberType.PAGER, id="Great Britain, pager"),
    pytest.param("+4918012345", NumberType.SHARED_COST, id="Germany, 0180"),
    pytest.param("+80812345678", NumberType.SHARED_COST, id="international shared cost"),
    pytest.param("+81570064556", NumberType.UNIVERSAL, id="Japan, 0570"),
    pytest.param("+80012345678", NumberType.UNIVERSAL, id="international freephone"),
    pytest.param("+870773111632", NumberType.SATELLITE, id="Inmarsat"),
    pytest.param("+881612345678", NumberType.SATELLITE, id="Iridium, mobile by the metadata"),
    pytest.param("+882165123456", NumberType.SATELLITE, id="+882, VoIP by the metadata"),
    pytest.param("+883510001234567", NumberType.SATELLITE, id="+883, VoIP by the metadata"),
]


@pytest.mark.parametrize(("number", "type_"), RISKY)
def test_a_number_that_costs_more_has_a_type(number: str, type_: NumberType) -> None:
    assert recipient(number) == number  # it can be called
    assert number_type(number) is type_


@pytest.mark.parametrize(
    "number", ["+818011234567", "+81312345678", "+12025550123", "+18002345678", "+447400123456"]
)
def test_an_ordinary_number_has_none(number: str) -> None:
    assert number_type(number) is None


def test_the_types_of_a_conference_are_each_there_once() -> None:
    numbers = ["+881612345678", "+818011234567", "+447012345678", "+881612345679"]
    assert number_types(numbers) == (NumberType.PERSONAL, NumberType.SATELLITE)


def test_names_of_types_are_read_and_others_refused_with_all_there_are() -> None:
    assert parse_number_types([" Premium", "pager", ""]) == {NumberType.PREMIUM, NumberType.PAGER}
    with pytest.raises(UnknownChoice, match=r"'fax' is not a type .* premium, shared_cost"):
        parse_number_types(["fax"])
