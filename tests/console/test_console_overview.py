"""The overview: what ended over time, and the pace."""

from __future__ import annotations

import pytest

from dispatcher.model.account_config import AccountConfig
from dispatcher.store import Store
from dispatcher.values.rate import Rate
from support.console_client import Person
from support.store_jobs import failed


def test_the_rate_says_what_goes_out_now_and_what_may(operator: Person, store: Store) -> None:
    store.limiter.publish(AccountConfig(rate=Rate(50), one_at_a_time=False))
    assert "0/s now, at most 50/s" in operator.page("/console").text
    assert store.limiter.take_slot("a")[0]
    assert "1/s now, at most 50/s" in operator.page("/console").text


@pytest.mark.parametrize(
    ("span", "bar"), [("hour", "a minute"), ("day", "an hour"), ("week", "6 hours")]
)
def test_the_overview_shows_what_ended_within_an_hour_a_day_or_a_week(
    reader: Person, store: Store, span: str, bar: str
) -> None:
    failed(store)
    page = reader.page(f"/console?span={span}")
    assert f"Ended in the last {span}" in page.text
    assert f"highest bar: 1 in {bar}" in page.text
    assert "1 failed or too late" in page.text


def test_a_span_that_there_is_not_is_an_hour(reader: Person) -> None:
    assert "Ended in the last hour" in reader.page("/console?span=century").text
