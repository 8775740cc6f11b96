"""Bodies of every kind: each is read or refused with a reason, and nothing of it grows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.alerts.sources import reading
from dispatcher.alerts.sources.reading import Asked
from dispatcher.alerts.sources.registry import SOURCES
from dispatcher.model.alert import AlertEvent, InvalidAlert

NOW = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)
_NAMES = (
    "alerts status labels annotations startsAt fingerprint summary severity generatorURL firing"
    " truncatedAlerts ruleId state tags heartbeat monitor msg id monitorID name code value event_id"
    " timestamp update host started_at link description title url"
)
NAMES = _NAMES.split()
WORDS = (
    "firing",
    "resolved",
    "down",
    "up",
    "alerting",
    "1",
    "0",
    "9" * 30,
    "\x00",
    "http://x",
    "{A}",
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(WORDS)
    | st.text(max_size=20)
)
VALUES = st.recursive(
    LEAVES,
    lambda deeper: (
        st.lists(deeper, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), deeper, max_size=6)
    ),
    max_leaves=30,
)
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=10) | VALUES


def require_bounded(event: AlertEvent) -> None:
    assert event.fingerprint
    assert len(event.fingerprint) <= reading.LONGEST_FINGERPRINT + 20
    assert len(event.summary) <= reading.LONGEST_SUMMARY
    assert event.summary.isprintable()
    assert isinstance(event.firing, bool)
    assert event.started_at is None or event.started_at.tzinfo
    for named in (event.labels, event.annotations):
        assert len(named) <= reading.MOST_LABELS + 5
        for name, value in named.items():
            assert name
            assert value
            assert len(value) <= reading.LONGEST_VALUE


@pytest.mark.parametrize("source", SOURCES)
@given(body=BODIES)
def test_any_body_is_read_or_refused(source: str, body: Any) -> None:
    try:
        found = SOURCES[source](body, Asked(NOW))
    except InvalidAlert as refused:
        said = str(refused)
        assert 0 < len(said) < 1000
        return
    for event in found.events:
        assert event.source == source
        require_bounded(event)
