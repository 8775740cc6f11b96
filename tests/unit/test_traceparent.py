"""The W3C's traceparent, as strangers write it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.model.request import JobRequest
from dispatcher.values.traceparent import trace_id, traceparent, traceparent_or_none
from support.asked import CALL, one_refusal

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
RIGHT = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        (RIGHT, RIGHT),
        (f"00-{TRACE}-{SPAN}-00", f"00-{TRACE}-{SPAN}-00"),
        (f"00-{TRACE}-{SPAN}-ff", f"00-{TRACE}-{SPAN}-03"),
        (f"cc-{TRACE}-{SPAN}-01", RIGHT),
        (f"cc-{TRACE}-{SPAN}-01-what-comes-later", RIGHT),
    ],
)
def test_what_is_right_is_kept_as_we_know_it(given_: str, kept: str) -> None:
    assert traceparent(given_) == kept
    assert traceparent(kept) == kept


def test_its_trace_has_an_id() -> None:
    assert trace_id(RIGHT) == TRACE
    assert trace_id(None) == trace_id("") == ""


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "00",
        RIGHT.upper(),
        f" {RIGHT}",
        f"{RIGHT}\n",
        f"{RIGHT}-more",
        f"ff-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01.later",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE[:-1]}g-{SPAN}-01",
        RIGHT.replace("4", "\N{ARABIC-INDIC DIGIT FOUR}"),
    ],
)
def test_what_is_wrong_is_refused_in_words_or_left_out(wrong: str) -> None:
    with pytest.raises(ValueError, match="is no traceparent of the W3C: give 00-<32 hex digits>"):
        traceparent(wrong)
    assert traceparent_or_none(wrong) is None


@given(st.text())
def test_any_text_is_kept_in_our_form_or_refused(text: str) -> None:
    kept = traceparent_or_none(text)
    assert kept is None or traceparent(kept) == kept


def test_a_request_with_a_wrong_one_is_refused() -> None:
    field, message = one_refusal(CALL | {"traceparent": "00-12-34-01"})
    assert (field, message[:30]) == ("traceparent", "'00-12-34-01' is no traceparen")


def test_a_request_is_the_same_whatever_trace_it_came_in() -> None:
    """It is sent again with its key, and in another trace."""
    traced = JobRequest.of(CALL | {"traceparent": RIGHT})
    assert traced.traceparent == RIGHT
    assert traced.fingerprint() == JobRequest.of(CALL).fingerprint()
