"""A line of a job's timeline is read back as it was written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.model.states import State
from dispatcher.store.event_text import EventText
from dispatcher.store.schema import ACTOR_LETTERS, STATE_LETTERS

words = st.text(st.characters(exclude_categories=["Cs", "Z", "C"]), min_size=1)
whys = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    st.builds(
        EventText,
        st.integers(0, 10**14),
        st.sampled_from([str(state) for state in State]),
        st.from_regex(r"[a-z_]*", fullmatch=True),
        words | st.sampled_from(sorted(ACTOR_LETTERS)) | st.sampled_from("@pwc"),
        whys,
    )
)
def test_what_is_written_is_read_back(line: EventText) -> None:
    assert EventText.read(str(line)) == line


def test_every_state_has_a_letter_of_its_own_and_so_has_who_acts_often() -> None:
    assert STATE_LETTERS.keys() == set(State)
    for letters in (STATE_LETTERS, ACTOR_LETTERS):
        assert len(set(letters.values())) == len(letters)
        assert all(len(letter) == 1 and letter.isalpha() for letter in letters.values())


@pytest.mark.parametrize("text", ["", "0 queued producer", "0?", "0z p", "q p"])
def test_what_is_no_line_is_none(text: str) -> None:
    assert EventText.read(text) is None
