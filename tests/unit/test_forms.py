"""A form is what the standard library makes of it, in a tenth of the time."""

from __future__ import annotations

from urllib.parse import urlencode

from hypothesis import example, given
from hypothesis import strategies as st

from dispatcher.values.forms import form_of

TEXTS = (
    st.text() | st.text(st.characters(max_codepoint=300)) | st.text(" +%&=~_.-/:?#aZ09éあ\ud800")
)


@given(st.dictionaries(TEXTS, TEXTS, max_size=4))
@example({"a b": "1+1=2 & 3%", "": "", "言葉": "こんにちは、\r\n\x00\ud800 z"})
def test_a_form_is_that_of_the_standard_library(fields: dict[str, str]) -> None:
    assert form_of(fields).decode("ascii") == urlencode(fields, errors="replace")
