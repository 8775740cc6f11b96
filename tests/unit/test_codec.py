"""Between a request or a job and the flat fields of its record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.model.request import JobRequest
from dispatcher.store import codec, packing
from support.raw_records import as_written, in_words

CALL = {"recipient": "+818012345678", "say": "Disk full"}


def stored(fields: dict[str, Any]) -> dict[str, str]:
    return in_words(packing.request_fields(JobRequest.of(fields)))


def test_what_was_left_out_is_not_stored() -> None:
    assert stored(CALL) == {
        "to": "818012345678",
        "say": "Disk full",
        "tariff": "tts:JP-mobile",
    }


def test_the_numbers_of_a_conference_share_a_field() -> None:
    fields = stored({"participants": ["+818012345678", "+818012345679"]})
    assert fields == {"to": "818012345678,818012345679", "tariff": "conference/2:JP-mobile"}


def test_the_countries_of_the_numbers_are_stored_once_each() -> None:
    participants = ["+818012345678", "+881612345678", "+818012345679"]
    assert (
        stored({"participants": participants})["tariff"] == "conference/3:001-satellite,JP-mobile"
    )


def test_a_zero_is_stored() -> None:
    fields = stored(CALL | {"redial": 0, "redial_after": 0})
    assert (fields["redial"], fields["redial_after"]) == ("0", "0")


texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
tags = st.from_regex(r"[a-z東京-]{1,9}", fullmatch=True)
wishes = st.fixed_dictionaries(
    {"say": texts},
    optional={
        "tags": st.lists(tags, max_size=5),
        "key": tags,
        "params": st.dictionaries(
            st.from_regex(r"line_[a-z]{1,9}", fullmatch=True), tags, min_size=1, max_size=5
        ),
        "meta": st.dictionaries(
            tags, st.text(alphabet='a東\n"', max_size=90), min_size=1, max_size=5
        ),
        "max_attempts": st.integers(10, 50),
        "redial": st.integers(0, 9),
        "redial_after": st.integers(0, 86_400_000).map(lambda ms: ms / 1000),
        "evidence_window": st.integers(0, 86_400),
        "call_deadline": st.integers(0, 86_400),
        "on_uncertain": st.sampled_from(["redial", "hold"]),
        "caller": st.from_regex(r"\+?[0-9]{7,15}", fullmatch=True),
        "hours": st.sampled_from(["any", "08:00-21:00", "mon-fri 08:00-21:00 Asia/Tokyo"]),
    },
)


@given(wishes)
def test_a_request_is_read_back_from_its_record_as_it_was(fields: dict[str, Any]) -> None:
    request = JobRequest.of({"recipient": "+818012345678", **fields})
    rest = {"state": "queued", "priority": "normal"}
    rest |= dict.fromkeys(("attempts", "spent", "events", "created", "due"), "0")
    fields_ = packing.request_fields(request) | as_written(rest)
    job = codec.job("a" * 16, codec.record({k.encode(): v.encode() for k, v in fields_.items()}))
    assert job.numbers == (request.recipient,)
    for name in ("kind", "say", "play", "lang", "caller", "tags", "key", *fields):
        assert getattr(job, name) == getattr(request, name), name


@pytest.mark.parametrize(
    ("value", "argument"),
    [
        (None, ""),
        (timedelta(0), "+0"),
        (timedelta(seconds=1.5), "+1500"),
        (datetime(2030, 3, 17, 17, 46, 40, 500_000, tzinfo=UTC), "1900000000500"),
    ],
    ids=["none", "now", "delay", "moment"],
)
def test_a_moment_is_told_to_the_operations_in_milliseconds(value: Any, argument: str) -> None:
    assert codec.moment(value) == argument


@pytest.mark.parametrize("as_mapping", [True, False], ids=["mapping", "list"])
def test_a_long_value_is_put_together_again(as_mapping: bool) -> None:
    word = "é".encode()
    parts = {
        b"say": b"caf" + word[:1],
        b"say~1": word[1:] + b"s ",
        b"say~2": b"!",
        b"attempts": b"0",
    }
    raw: Any = parts if as_mapping else [text for pair in parts.items() for text in pair]
    assert codec.record(raw) == {"say": "cafés !", "attempts": "0"}


def test_a_broken_value_breaks_no_other() -> None:
    assert codec.record({b"say": b"\xff", b"attempts": b"0"}) == {"say": "\ufffd", "attempts": "0"}
