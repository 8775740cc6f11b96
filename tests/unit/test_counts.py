"""Numbers of things: one of them is no plural."""

from __future__ import annotations

import pytest

from dispatcher.values.counts import counted


@pytest.mark.parametrize(
    ("many", "noun", "text"),
    [
        (0, "job", "0 jobs"),
        (1, "job", "1 job"),
        (1184, "job", "1,184 jobs"),
        (1, "entry", "1 entry"),
        (2, "entry", "2 entries"),
        (1, "ended job", "1 ended job"),
        (2, "webhooks", "2 webhooks"),
    ],
)
def test_one_is_no_plural(many: int, noun: str, text: str) -> None:
    assert counted(many, noun) == text
