"""Further form fields for the provider: named, bounded, and none of our own."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.values.params import (
    LONGEST_NAME,
    LONGEST_VALUE,
    MOST,
    named,
    params,
    parse_params,
)

OURS = {"recipient", "caller", "tags"}


def test_fields_are_taken_as_they_are() -> None:
    assert params({"jp_line": "1", "X-a.b": "a=b, c"}, OURS) == {"jp_line": "1", "X-a.b": "a=b, c"}
    assert params({}, OURS) == {}


@pytest.mark.parametrize(
    ("given_", "wrong"),
    [
        ({"recipient": "1"}, "'recipient' is a field that the dispatcher itself fills in"),
        ({"Caller": "1"}, "'Caller' is a field that the dispatcher itself fills in"),
        ({"": "1"}, "no name of a form field"),
        ({"1a": "1"}, "no name of a form field"),
        ({"a b": "1"}, "no name of a form field"),
        ({"a" * (LONGEST_NAME + 1): "1"}, "no name of a form field"),
        ({"a": ""}, "the value of 'a' (not shown)"),
        ({"a": "hunter2\n"}, "the value of 'a' (not shown)"),
        ({"a": "hunter2" * LONGEST_VALUE}, "the value of 'a' (not shown)"),
        ({f"a{n}": "1" for n in range(MOST + 1)}, f"{MOST + 1} fields are too many"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_one_sentence_without_its_value(
    given_: dict[str, str], wrong: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(wrong)) as caught:
        params(given_, OURS)
    assert "hunter2" not in str(caught.value)


def test_texts_are_cut_at_their_first_equals_sign() -> None:
    assert named(["a = b=c", "d=1"]) == {"a": "b=c", "d": "1"}
    assert parse_params("", OURS) == {}
    assert parse_params(" a=1 , b=2, ", OURS) == {"a": "1", "b": "2"}


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        found = parse_params(text, OURS)
    except ValueError:
        return
    assert len(found) <= MOST
    assert not OURS & found.keys()
    assert all(0 < len(value) <= LONGEST_VALUE and value.isprintable() for value in found.values())
