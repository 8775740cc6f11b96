"""Equal and different requests."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.model.request import JobRequest
from dispatcher.model.states import Priority
from support.asked import CALL, CONFERENCE, RECORDING, SOMEBODY, SOMEBODY_ELSE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"key": "a"}, {"key": "b"}, id="key"),
        pytest.param({}, {"lang": "en"}, id="the language it has anyway"),
        pytest.param({"expires": "15m"}, {"expires": 900}, id="a duration in another form"),
        pytest.param({"tags": ["a", "a "]}, {"tags": ("a",)}, id="tags in another form"),
        pytest.param(
            {"at": "2000-01-31T09:00:00+09:00"}, {"at": "2000-01-31T00:00:00Z"}, id="zone"
        ),
        pytest.param({"priority": "bulk"}, {"priority": Priority.BULK}, id="word"),
    ],
)
def test_equal_requests_have_one_fingerprint(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert JobRequest.of(CALL | one).fingerprint() == JobRequest.of(CALL | other).fingerprint()


def test_a_relative_time_repeats_equal_later_on() -> None:
    requests = [JobRequest.of(CALL | {"at": "1m", "expires": "15m"}) for _ in range(2)]
    assert requests[0].fingerprint() == requests[1].fingerprint()


def test_different_requests_have_different_fingerprints() -> None:
    requests = [
        CALL,
        CALL | {"recipient": SOMEBODY_ELSE},
        CALL | {"say": "Disk empty"},
        CALL | {"lang": "ja"},
        CALL | {"caller": "81450000000"},
        CALL | {"tags": ["a"]},
        CALL | {"tags": ["a", "b"]},
        CALL | {"priority": "urgent"},
        CALL | {"at": "1m"},
        CALL | {"expires": "1m"},
        CALL | {"max_attempts": 1},
        CALL | {"redial": 1},
        CALL | {"redial": 0},
        CALL | {"redial_after": 60},
        CALL | {"on_uncertain": "hold"},
        CALL | {"evidence_window": 60},
        CALL | {"call_deadline": 60},
        CALL | {"params": {"a": "1"}},
        CALL | {"params": {"a": "2"}},
        CALL | {"params": {"b": "1"}},
        RECORDING,
        CONFERENCE,
        {"participants": [SOMEBODY_ELSE, SOMEBODY]},
    ]
    fingerprints = {JobRequest.of(fields).fingerprint() for fields in requests}
    assert len(fingerprints) == len(requests)


def test_the_order_of_params_does_not_matter() -> None:
    one, other = {"a": "1", "b": "2"}, {"b": "2", "a": "1"}
    fingerprints = {JobRequest.of(CALL | {"params": each}).fingerprint() for each in (one, other)}
    assert len(fingerprints) == 1


def test_a_fingerprint_stays_the_same_from_release_to_release() -> None:
    assert JobRequest.of(CALL).fingerprint() == "6fc17f2c6b7144a5"


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(str.strip)
WISHES = st.fixed_dictionaries(
    {"say": TEXTS},
    optional={
        "lang": st.sampled_from(["en", "ja"]),
        "tags": st.lists(st.sampled_from(["a", "東京", 'quo"te', "campaign:b"]), max_size=3),
        "key": TEXTS.filter(str.isprintable),
        "priority": st.sampled_from(list(Priority)),
        "max_attempts": st.integers(10, 50),
        "redial_after": st.floats(0, 86_400),
        "on_uncertain": st.sampled_from(["redial", "hold"]),
        "at": st.sampled_from([timedelta(hours=2), datetime(2000, 1, 31, tzinfo=UTC)]),
        "expires": st.sampled_from(["3h", timedelta(days=1)]),
        "meta": st.dictionaries(
            st.sampled_from("ab"), st.sampled_from(['"', "é", "1"]), min_size=1
        ),
    },
)


@given(WISHES)
def test_a_fingerprint_is_that_of_the_json_of_a_request(wishes: dict[str, Any]) -> None:
    """As releases before compute it, whose jobs are asked for again."""
    request = JobRequest.of({"recipient": SOMEBODY, **wishes})
    dumped = request.model_dump(mode="json", exclude={"key", "region"}, exclude_none=True)
    content = {"lang": "en"} | dumped
    canonical = json.dumps(content, sort_keys=True, ensure_ascii=False)
    digest = hashlib.blake2b(canonical.encode(), digest_size=8).hexdigest()
    assert request.fingerprint() == digest
