from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dispatcher.provider import UnexpectedShape
from dispatcher.provider.xoxzo.answers import (
    CallStatus,
    Conference,
    ConferenceStatus,
    decode,
    parse_balance,
    parse_placed,
)

DOCUMENTED = {
    "callid": "b160f404-f1d1-47a0-9ab2-3df1b4b1a2c3",
    "recipient": "+818011234567",
    "url": "http://a.example/b.mp3",
    "tags": ["db1", "日本"],
    "end_time": "2030-01-31 09:00:42",
    "direction": "outbound",
    "cost": 20,
    "status": "ANSWERED",
    "duration": 12,
    "call_type": "simple/playbacks",
    "start_time": "2030-01-31 09:00:30",
    "caller": "818000000000",
}


def test_the_documented_status_is_read_whole() -> None:
    status = CallStatus.read(DOCUMENTED)
    assert status.model_dump() == {
        **DOCUMENTED,
        "tags": ("db1", "日本"),
        "start_time": datetime(2030, 1, 31, 9, 0, 30, tzinfo=UTC),
        "end_time": datetime(2030, 1, 31, 9, 0, 42, tzinfo=UTC),
        "cost": Decimal(20),
        "duration": 12.0,
    }
    assert status.model_extra == {}


@pytest.mark.parametrize("word", ["ANSWERED", "QUEUED", "answered?", "話し中"])
def test_every_status_word_is_kept_as_it_came(word: str) -> None:
    assert CallStatus.read({"callid": "a", "status": word}).status == word


def test_unknown_fields_survive() -> None:
    status = CallStatus.read({**DOCUMENTED, "apiuser": "x", "final": True, "model_config": 1})
    assert status.model_extra == {"apiuser": "x", "final": True, "model_config": 1}


def test_a_status_needs_an_id_and_a_word_only() -> None:
    status = CallStatus.read({"callid": "a", "status": "FAILED"})
    assert (status.cost, status.duration, status.start_time, status.end_time) == (None,) * 4
    assert (status.recipient, status.tags) == ("", ())


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (20, Decimal(20)),
        (0, Decimal(0)),
        (12.5, Decimal("12.5")),
        ("12.5", Decimal("12.5")),
        (" 7 ", Decimal(7)),
        (-3, Decimal(-3)),
        *((odd, None) for odd in ("", None, "free", True, [], {}, float("nan"), float("inf"))),
        *((odd, None) for odd in ("NaN", "1e999", "1e-999", "9" * 200)),
    ],
)
def test_a_cost_is_a_finite_number_or_nothing(sent: object, read: Decimal | None) -> None:
    assert CallStatus.read({**DOCUMENTED, "cost": sent}).cost == read


def test_a_number_of_thousands_of_digits_is_no_cost() -> None:
    assert CallStatus.read({**DOCUMENTED, "cost": 10**5000}).cost is None


@pytest.mark.parametrize(
    ("sent", "read"),
    [(12, 12.0), (12.5, 12.5), ("12", 12.0), (0, 0.0), (-1, None), ("", None), ("12 s", None)],
)
def test_a_duration_is_seconds_or_nothing(sent: object, read: float | None) -> None:
    assert CallStatus.read({**DOCUMENTED, "duration": sent}).duration == read


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("2030-01-31 09:00:30", datetime(2030, 1, 31, 9, 0, 30, tzinfo=UTC)),
        ("2030-01-31T09:00:30Z", datetime(2030, 1, 31, 9, 0, 30, tzinfo=UTC)),
        ("2030-01-31 18:00:30+09:00", datetime(2030, 1, 31, 9, 0, 30, tzinfo=UTC)),
        *((odd, None) for odd in ("", None, "later", "0000-00-00 00:00:00", 17, [], True)),
        ("0001-01-01 00:00:00+09:00", None),
    ],
)
def test_a_time_is_utc_or_nothing(sent: object, read: datetime | None) -> None:
    end = CallStatus.read({**DOCUMENTED, "end_time": sent}).end_time
    assert end == read
    assert end is None or end.tzinfo is UTC


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (["a", " b "], ("a", "b")),
        ("a, b,,", ("a", "b")),
        ("", ()),
        (None, ()),
        ([], ()),
        ([1], ("1",)),
        (7, ()),
    ],
)
def test_tags_come_as_a_list_or_a_text(sent: object, read: tuple[str, ...]) -> None:
    assert CallStatus.read({**DOCUMENTED, "tags": sent}).tags == read


def test_a_caller_may_come_as_a_number() -> None:
    assert CallStatus.read({**DOCUMENTED, "caller": 818000000000}).caller == "818000000000"


@pytest.mark.parametrize("field", ["callid", "status"])
@pytest.mark.parametrize("odd", [None, "", " ", 17, [], {}, "x" * 1000, "a\ud800"])
def test_an_id_and_a_word_must_be_what_they_are(field: str, odd: object) -> None:
    with pytest.raises(UnexpectedShape, match=field):
        CallStatus.read({**DOCUMENTED, field: odd})


@pytest.mark.parametrize("data", [None, [], "ANSWERED", 7, {}, [DOCUMENTED]])
def test_what_is_no_status_is_refused(data: object) -> None:
    with pytest.raises(UnexpectedShape):
        CallStatus.read(data)


def test_a_refused_answer_is_not_repeated_in_the_error() -> None:
    with pytest.raises(UnexpectedShape) as caught:
        CallStatus.read({"callid": ["+818011234567"], "recipient": "+818011234567"})
    assert "8011234567" not in str(caught.value)
    assert caught.value.__context__ is None


def test_an_answer_does_not_change() -> None:
    with pytest.raises(ValidationError):
        CallStatus.read(DOCUMENTED).status = "FAILED"


def test_an_answer_shows_no_number() -> None:
    legs = [{"callid": "a", "participant": "+818011234567", "phone": "+818011234567"}]
    shown = repr(CallStatus.read({**DOCUMENTED, "phone": "+818011234567"}))
    shown += repr(Conference.read({"conferenceid": "x", "participants": legs}))
    shown += str(ConferenceStatus.read({"conferenceid": "x", "participants": [DOCUMENTED]}))
    assert "8011234567" not in shown
    assert "818000000000" not in shown
    assert "ANSWERED" in shown


@pytest.mark.parametrize(
    ("sent", "balance"),
    [
        ("1000.0", Decimal(1000)),
        ("-12.34", Decimal("-12.34")),
        ("0", Decimal(0)),
        ("0.1", Decimal("0.1")),
        ('"49.5"', Decimal("49.5")),
    ],
)
def test_a_balance_may_be_fractional_and_negative(sent: str, balance: Decimal) -> None:
    assert parse_balance(decode(b'{"credits": %s}' % sent.encode())) == balance


@pytest.mark.parametrize(
    "body",
    [
        '{"credits": NaN}',
        '{"credits": Infinity}',
        '{"credits": 1e400}',
        '{"credits": null}',
        '{"credits": true}',
        '{"credits": "many"}',
        '{"credits": [1]}',
        '{"credit": 1}',
        "{}",
        "[]",
        "7",
    ],
)
def test_what_is_no_finite_number_is_no_balance(body: str) -> None:
    with pytest.raises(UnexpectedShape):
        parse_balance(decode(body.encode()))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(data=json_values, fields=st.dictionaries(st.sampled_from([*DOCUMENTED]), json_values))
def test_no_json_breaks_the_parsers(data: object, fields: dict[str, object]) -> None:
    for parse in (parse_placed, parse_balance, CallStatus.read, ConferenceStatus.read):
        for sent in (data, [data], fields, [fields]):
            with suppress(UnexpectedShape):
                parse(sent)
    status = CallStatus.read({**fields, "callid": "a", "status": "ANSWERED"})
    assert json.loads(status.model_dump_json(include=set(DOCUMENTED)))["callid"] == "a"
