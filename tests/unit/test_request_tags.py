"""The tags and the key of a request."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model.request import JobRequest
from dispatcher.model.request_limits import LONGEST_KEY
from dispatcher.model.tags import LONGEST_TAG, MOST_TAGS
from support.asked import CALL, one_refusal


def test_a_job_belongs_to_one_campaign_and_that_has_a_name() -> None:
    request = JobRequest.of(CALL | {"tags": ["campaign:a", "b", "campaign:a"]})
    assert request.tags == ("campaign:a", "b")
    field, message = one_refusal(CALL | {"tags": ["campaign:a", "b", "campaign:c"]})
    assert field == "tags"
    assert "'campaign:a' and 'campaign:c': a job belongs to one campaign" in message
    _, message = one_refusal(CALL | {"tags": ["campaign: "]})
    assert "the campaign has no name: write campaign:NAME" in message


@pytest.mark.parametrize("collection", [list, tuple, lambda tags: dict.fromkeys(tags).keys()])
def test_tags_are_trimmed_and_each_is_kept_once_in_order(collection: Any) -> None:
    request = JobRequest.of(CALL | {"tags": collection([" db1 ", "東京", "db1", "disk full"])})
    assert request.tags == ("db1", "東京", "disk full")


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        pytest.param(["a,b"], "has a comma", id="comma"),
        pytest.param([""], "a tag is empty", id="empty"),
        pytest.param(["  "], "a tag is empty", id="blank"),
        pytest.param(["a\nb"], "printable", id="line end"),
        pytest.param(["x" * (LONGEST_TAG + 1)], f"1 to {LONGEST_TAG}", id="endless"),
        pytest.param([str(n) for n in range(MOST_TAGS + 1)], f"at most {MOST_TAGS}", id="too many"),
        pytest.param("db1", "'db1' is not a list", id="text"),
        pytest.param([1], "1 is not a text", id="number"),
        pytest.param([None], "None is not a text", id="None"),
        pytest.param([["a"]], "['a'] is not a text", id="list in a list"),
        pytest.param([{"a": {"b": 1}}], "is not a text", id="nested dicts"),
        pytest.param({"a": 1}, "is not a list", id="dict"),
    ],
)
def test_a_wrong_tag_is_refused(tags: Any, message: str) -> None:
    where, why = one_refusal(CALL | {"tags": tags})
    assert where == "tags"
    assert message in why


def test_many_equal_tags_are_one() -> None:
    assert JobRequest.of(CALL | {"tags": ["a"] * 100}).tags == ("a",)


@pytest.mark.parametrize(
    "key", ["", " ", "a\nb", "x" * (LONGEST_KEY + 1)], ids=lambda k: repr(k[:9])
)
def test_a_wrong_key_is_refused(key: str) -> None:
    assert one_refusal(CALL | {"key": key}) == (
        "key",
        f"a key has 1 to {LONGEST_KEY} printable characters",
    )
