"""What is read out of callbacks' bodies: anything may be in them."""

from __future__ import annotations

import json
from contextlib import suppress
from urllib.parse import urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dispatcher.model.call import CallReport
from dispatcher.model.outcome import Outcome
from dispatcher.provider.base import CallbackRequest
from dispatcher.provider.errors import UnexpectedShape
from dispatcher.provider.xoxzo.callbacks import XoxzoCallbacks

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
REPORT = {"callid": "call-1", "status": "NO ANSWER", "tags": "災害,ops", "unknown": "x"}


def parse(body: bytes, content_type: str = JSON) -> CallReport:
    return XoxzoCallbacks().parse_callback(CallbackRequest(body, content_type))


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (urlencode(REPORT).encode(), FORM),
        (urlencode(REPORT).encode(), ""),
        (urlencode(REPORT).encode(), "text/plain; charset=nonsense"),
        (json.dumps(REPORT).encode(), JSON),
        (json.dumps(REPORT).encode(), FORM),
        (json.dumps([REPORT]).encode(), JSON),
        (json.dumps(REPORT, ensure_ascii=False).encode(), "application/vnd.x+json"),
        (json.dumps(REPORT, ensure_ascii=False).encode("utf-8-sig"), JSON),
        (json.dumps(REPORT, ensure_ascii=False).encode("utf-16"), JSON),
        (json.dumps(REPORT, ensure_ascii=False).encode("cp932"), f"{JSON}; charset=Shift_JIS"),
        (json.dumps(REPORT, ensure_ascii=False).encode("euc-jp"), f'{JSON};charset="EUC-JP"'),
        (json.dumps({**REPORT, "tags": "é"}, ensure_ascii=False).encode("latin-1"), JSON),
        (urlencode(REPORT).encode("utf-16"), FORM),
    ],
)
def test_a_report_is_read_in_whatever_way_it_is_written(body: bytes, content_type: str) -> None:
    call = parse(body, content_type)
    assert (call.callid, call.word, call.outcome) == ("call-1", "NO ANSWER", Outcome.NO_ANSWER)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0",
        b"{",
        b"[]",
        b"null",
        b'"ANSWERED"',
        b"callid=call-1",
        b"status=ANSWERED",
        b"callid=&status=ANSWERED",
        b"callid=%00&status=ANSWERED",
        b"callid=a/b&status=ANSWERED",
        b'{"callid": 7, "status": "ANSWERED"}',
        b'{"callid": "call-1", "status": ["ANSWERED"]}',
        b'{"callid": "call-1", "status": "\\ud800"}',
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"9" * 60_000,
        b"a=b&" * 1000 + b"callid=call-1&status=ANSWERED",
    ],
    ids=lambda body: repr(body[:30]),
)
@pytest.mark.parametrize("content_type", [FORM, JSON])
def test_what_reports_no_call_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(UnexpectedShape):
        parse(body, content_type)


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("ANSWERED", Outcome.ANSWERED),
        ("NO ANSWER", Outcome.NO_ANSWER),
        ("FAILED", Outcome.CALL_FAILED),
        ("IN PROGRESS", Outcome.IN_PROGRESS),
        ("BUSY", Outcome.NO_ANSWER),
        ("話し中", Outcome.NO_ANSWER),
    ],
)
def test_a_callback_is_sent_when_a_call_ended_whatever_its_word(
    word: str, outcome: Outcome
) -> None:
    report = parse(json.dumps({"callid": "call-1", "status": word}).encode())
    assert (report.outcome, report.word) == (outcome, word)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
reports = st.fixed_dictionaries(
    {},
    optional={
        name: json_values | st.sampled_from(["call-1", "ANSWERED", "9" * 400, "-1", "nan"])
        for name in ("callid", "status", "cost", "duration", "tags", "start_time", "recipient")
    },
)


@given(
    st.binary(max_size=300)
    | reports.map(lambda found: json.dumps(found).encode())
    | st.dictionaries(st.text(), st.text()).map(lambda found: urlencode(found).encode()),
    st.sampled_from([FORM, JSON, "", "charset=utf-16", "x; charset=cp932"]) | st.text(),
)
@example(b"\xff\xfe", JSON)
@example(b"\xef\xbb\xbf", FORM)
def test_no_body_makes_more_than_a_refusal(body: bytes, content_type: str) -> None:
    with suppress(UnexpectedShape):
        parse(body, content_type)
