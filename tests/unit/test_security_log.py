"""The security log's lines: structured, bounded, without secrets and numbers, and not too many."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.settings import Settings
from config.weakened import weakened
from dispatcher.security_log import (
    LONGEST,
    NAME,
    Sampler,
    SecurityEvent,
    line,
    tell,
    write_to_file,
)
from support.hidden_numbers import WRITINGS, tells
from support.log_set_up import put_back

AT = datetime(2026, 11, 28, tzinfo=UTC)
PAGE = Path(__file__).resolve().parents[2] / "docs/reference/security-log.md"


@given(st.text(), st.dictionaries(st.text(max_size=9), st.integers()))
def test_whatever_is_sent_stays_on_one_bounded_line_of_ascii(agent: str, more: object) -> None:
    told = line(SecurityEvent.REFUSED, AT, {"user_agent": agent * 50, "why": more})
    assert told.isascii()
    assert told.isprintable()
    assert len(told) <= 2048 + 512
    found = json.loads(told)
    assert found["event"] == "request.refused"
    assert len(found.get("user_agent", "")) <= LONGEST + 1


@pytest.mark.parametrize("hostile", ['\r\n{"event": "login.succeeded"}', "\x1b[2J", "\u202e", "\0"])
def test_no_line_can_be_forged(hostile: str) -> None:
    told = line(SecurityEvent.LOGIN_FAILED, AT, {"user_agent": hostile})
    assert told.isprintable()
    assert json.loads(told)["event"] == "login.failed"


@pytest.mark.parametrize("written", WRITINGS)
def test_no_line_tells_a_number(written: str) -> None:
    long = "x" * (LONGEST - 5) + written
    for text in (written, long):
        assert not tells(line(SecurityEvent.UNMASKED, AT, {"target": text}))


def test_every_event_and_field_is_documented() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.*?) \|", PAGE.read_text(), re.MULTILINE)
    assert {event for event, _ in rows} == {*SecurityEvent}


@pytest.fixture
def as_before() -> Iterator[None]:
    with put_back(NAME):
        yield


def test_a_file_is_its_owners_and_may_be_moved_away(tmp_path: Path, as_before: None) -> None:
    path = tmp_path / "security.log"
    write_to_file(path)
    tell(SecurityEvent.KEY_REVOKED, key="abcdefghij", actor="cli:sam", name=None)
    path.rename(tmp_path / "old.log")
    tell(SecurityEvent.KEY_CREATED, key="abcdefghij")
    (old,) = (tmp_path / "old.log").read_text().splitlines()
    (new,) = path.read_text().splitlines()
    assert json.loads(old) | {"at": ""} == {
        "at": "",
        "event": "key.revoked",
        "key": "abcdefghij",
        "actor": "cli:sam",
    }
    assert json.loads(new)["event"] == "key.created"
    assert stat.S_IMODE((tmp_path / "old.log").stat().st_mode) == 0o600
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


# -- how many ------------------------------------------------------------------------------


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_of_one_source_ten_a_minute_are_told_and_the_rest_are_counted() -> None:
    seconds = Seconds()
    sampler = Sampler(seconds)
    assert sum(sampler.take("a")[0] for _ in range(100)) == Sampler.OF_ONE
    assert sampler.take("b") == (True, 0), "another one is told of all the same"
    seconds.now = Sampler.WITHIN
    assert sampler.take("a") == (True, 100 - Sampler.OF_ONE)
    assert sampler.take("a") == (True, 0)


@given(st.lists(st.tuples(st.integers(0, 9_999), st.floats(0, 30)), max_size=400))
def test_a_flood_from_everywhere_is_bounded_and_nothing_is_lost(
    takes: list[tuple[int, float]],
) -> None:
    seconds = Seconds()
    sampler = Sampler(seconds)
    told = counted = 0
    for source, later in takes:
        seconds.now += later / 100
        wanted, left_out = sampler.take(str(source))
        told, counted = told + wanted, counted + left_out
    seconds.now += Sampler.WITHIN
    wanted, left_out = sampler.take("last")
    assert told + counted + left_out == len(takes)
    assert told <= Sampler.OF_ALL * (1 + seconds.now // Sampler.WITHIN)


# -- settings ------------------------------------------------------------------------------

CREDENTIALS = ("XOXZO_API_SID", "XOXZO_API_AUTH_TOKEN")


def test_by_default_nothing_is_weakened(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    assert list(weakened(Settings.load())) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALLOWED_NUMBER_TYPES", "premium"),
        ("RECIPIENT_PER_DAY", "none"),
        ("RECIPIENT_ONE_AT_A_TIME", "false"),
        ("WEBHOOK_NUMBERS", "whole"),
        ("WEBHOOK_ALLOW_PRIVATE", "true"),
        ("WEBHOOK_ALLOW_PRIVATE_JOBS", "10.0.0.0/8"),
        ("METRICS", "open"),
        ("FLOWER_API", "true"),
        ("GATEWAY_HOST", "0.0.0.0"),
    ],
)
def test_a_setting_that_weakens_a_guard_is_told(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"DISPATCHER_{name}", value)
    for credential in CREDENTIALS:
        monkeypatch.setenv(credential, "x")
    assert f"DISPATCHER_{name}" in dict(weakened(Settings.load()))


def test_calls_to_a_sandbox_weaken_no_guard_of_people(monkeypatch: pytest.MonkeyPatch) -> None:
    for credential in CREDENTIALS:
        monkeypatch.delenv(credential, raising=False)
    monkeypatch.setenv("DISPATCHER_RECIPIENT_PER_DAY", "none")
    monkeypatch.setenv("DISPATCHER_RECIPIENT_ONE_AT_A_TIME", "false")
    assert list(weakened(Settings.load())) == []
