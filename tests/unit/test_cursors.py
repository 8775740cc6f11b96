"""A cursor tells nothing, and only one that was given out is taken, from whom it was given to."""

from __future__ import annotations

import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.store.search import InvalidCursor
from workers.gateway.api.cursors import Cursors

CURSORS = Cursors(lambda: b"k" * 32)
LIST = "jobs"
PLACE = "1795428131020.ktq3ljmcozfwnu2a"


@given(place=st.text(min_size=1, max_size=16), client=st.text(max_size=31))
def test_what_was_sealed_is_opened(place: str, client: str) -> None:
    assert CURSORS.open(CURSORS.seal(place, LIST, client), LIST, client) == place


def test_a_cursor_of_another_list_is_none() -> None:
    """What it hides is no place there, and would be told in the error."""
    with pytest.raises(InvalidCursor) as caught:
        CURSORS.open(CURSORS.seal(PLACE, LIST, "ops"), "do-not-call", "ops")
    assert PLACE not in str(caught.value)


def test_a_cursor_tells_no_part_of_its_place() -> None:
    cursor = CURSORS.seal(PLACE, LIST, "billing")
    raw = base64.urlsafe_b64decode(cursor + "==")
    for part in ("1795428131", "ktq3", "ktq3ljmcozfwnu2a"):
        assert part not in cursor
        assert part.encode() not in raw
    assert CURSORS.seal(PLACE[:-1] + "b", LIST, "billing")[:20] != cursor[:20]


def test_another_clients_cursor_and_one_of_another_secret_are_none() -> None:
    cursor = CURSORS.seal(PLACE, LIST, "billing")
    with pytest.raises(InvalidCursor):
        CURSORS.open(cursor, LIST, "other")
    with pytest.raises(InvalidCursor):
        Cursors(lambda: os.urandom(32)).open(cursor, LIST, "billing")


@given(place=st.integers(0, 45), bit=st.integers(0, 7))
def test_a_cursor_of_which_a_bit_was_changed_is_none(place: int, bit: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(CURSORS.seal(PLACE, LIST, "billing") + "=="))
    raw[place] ^= 1 << bit
    with pytest.raises(InvalidCursor):
        CURSORS.open(base64.urlsafe_b64encode(raw).rstrip(b"=").decode(), LIST, "billing")


@given(text=st.text(max_size=200) | st.just(PLACE))
def test_what_was_never_given_out_is_none(text: str) -> None:
    with pytest.raises(InvalidCursor):
        CURSORS.open(text, LIST, "billing")
