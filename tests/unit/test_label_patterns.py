"""Patterns for labels: those that people write are taken, and none takes for long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.model.label_patterns import check, fits

LONG = 3.0
"""Seconds; one that is not harmless would take days."""


@pytest.mark.parametrize(
    "text",
    [
        r"db\d+",
        r"(web|db)-\d+",
        r".*prod.*",
        r"(?i)critical|error",
        r"https?://[^/]+/.*",
        r"(\d{1,3}\.){3}\d{1,3}(:\d+)?",
        r"db-(?!test).*",
        r"(?P<site>tyo|osa)-.*-(web|db)\d*",
        r"[a-z]+-[a-z]+-\d+",
        "",
    ],
)
def test_what_people_write_is_taken(text: str) -> None:
    check(text)


@pytest.mark.parametrize(
    "text",
    [
        "(a+)+b",
        "(a*)*",
        "(a|a)*b",
        "(a|aa)+",
        "(.*)*",
        "(?:a?){30}a{30}",
        "(a{1,100}){1,100}",
        ".*.*.*.*x",
        "a?" * 60 + "a" * 60,
        "(a|aa)" * 30,
        "(?=(a+)+b)a",
        "(?>(a+)+)b",
        "()(?(1)(a+)+|b)",
    ],
)
def test_what_could_take_for_ever_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="could take for very long"):
        check(text)


@pytest.mark.parametrize("text", ["(", "[a", "*", "a{2,1}", "(?P<a>x)(?P<a>y)", "x" * 201])
def test_what_is_no_pattern_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no pattern|at most 200"):
        check(text)


PIECES = st.sampled_from(
    ["a", "b", ".", "[ab]", r"\w", "(a|b)", "(a|ab)", "a*", "a+", "a?", ".*", "(a{1,3})", "(?:ab)+"]
)


@given(st.lists(PIECES, max_size=8), st.sampled_from(["", "+", "*", "?", "{2}", "{1,5}"]))
def test_whatever_is_taken_is_soon_decided(pieces: list[str], times: str) -> None:
    text = f"(?:{''.join(pieces)}){times}c"
    try:
        check(text)
    except ValueError:
        return
    for value in ("a" * 1000, "ab" * 500, "b" * 1000):
        began = time.process_time()
        fits(text, value)
        assert time.process_time() - began < LONG, text


def test_the_whole_value_must_fit() -> None:
    assert fits(r"db\d+", "db12")
    assert not fits(r"db\d+", "db12.example")
    assert fits(".*", "x" * 1000)
