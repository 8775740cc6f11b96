"""What monitoring writes is made for ears, whatever it wrote."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.alerts.phrases import PHRASES
from dispatcher.alerts.readable import readable
from dispatcher.values import speech

UUID = "550e8400-e29b-41d4-a716-446655440000"
NEVER_SAID = re.compile(r"://|www\.|[0-9a-f]{8}-[0-9a-f]{4}-|\d{7}|[<>{}|`*_#\n\t]", re.IGNORECASE)
PARTS = [
    "https://grafana.example.com/d/abc?x=1&y=%20",
    "HTTP://10.0.0.1:3000/",
    "www.example.com/path",
    UUID,
    UUID.upper(),
    "deadbeef12345",
    "0x7ffd",
    "1764365415",
    "+81 3-1234-5678",
    "1,234,567",
    "1.2345e+09",
    "97.23456789%",
    "db1.prod.example.com:9100",
    "api-7d9f8b6c5d-x2x9z",
    "HighErrorRate",
    "[FIRING:1]",
    '{instance="web01"}',
    "<https://x.y|here>",
    "**bold**",
    "2026-11-28T21:30:15Z",
    "ディスク",
    "🔥",
    "٣٤٥٦٧٨٩",
    "\x00\r\n",
    "fe80::1",
    ">",
    "/",
]
texts = st.lists(st.one_of(st.sampled_from(PARTS), st.text(max_size=30)), max_size=12).flatmap(
    lambda parts: st.sampled_from(["", " ", "/", ","]).map(lambda between: between.join(parts))
)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Disk full on db1", "Disk full on db1"),
        (
            "HighErrorRate on api-7d9f8b6c5d-x2x9z (namespace=prod) 97.23456789% > 90 https://a.b/c?d=1",
            "High Error Rate on api (namespace prod) 97.2 percent above 90",
        ),
        (
            "Instance db1.prod.example.com:9100 down since 2026-11-28T21:30:15Z",
            "Instance db1 prod example com down since 28 November 21:30 UTC",
        ),
        ("down since 2026-11-29T06:30:15+09:00", "down since 28 November 21:30 UTC"),
        ("at 2026-13-45T21:30:15Z", "at"),
        ("1.2345e+09 bytes on 10.0.0.12:9100", "1.1 gigabytes on 10, 0, 0, 12"),
        (f"memory 1610612736 bytes, request {UUID}", "memory 1.5 gigabytes, request"),
        (
            '[FIRING:1] node_filesystem_avail_bytes {instance="web01:9100"} 5GiB left 🔥',
            "node filesystem avail bytes instance web01 5 gigabytes left",
        ),
        ("Latency is 250ms at 21:30:15", "Latency is 250 milliseconds at 21:30:15"),
        ("<https://x.y|click> [there](http://a.b) **now**", "click there now"),
        ("/var/lib/mysql 3/5 replicas", "var lib mysql 3/5 replicas"),
        ("call +81 3-1234-5678 or ops@example.com", "call or"),
        ("1,234,567 items, 1,234 users", "1.2 million items, 1234 users"),
        ("It's Ann's host", "It's Ann's host"),
        ("order 20261128213015", "order"),
        (f"{UUID} https://a.b/c 🔥", ""),
        ("", ""),
    ],
)
def test_english(written: str, said: str) -> None:
    assert readable(written, "en", 15) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("ディスク使用率 95% > 90 db1", "ディスク使用率 95パーセント、しきい値 90 db1"),
        ("db1 が2026-11-28T21:30:15Zから停止", "db1 が協定世界時11月28日21時30分から停止"),
        ("1,234,567件", "123万件"),
    ],
)
def test_japanese(written: str, said: str) -> None:
    assert readable(written, "ja", 15) == said


def test_a_voice_is_given_no_letters_that_it_cannot_say() -> None:
    assert readable("ディスク容量不足 db1 95%", "en", 15) == ""
    assert readable("Disk full: 容量 on db1", "en", 15) == "Disk full: on db1"
    assert readable("Disk full on db1", "ja", 15) == "Disk full on db1"


def test_what_is_too_long_ends_with_a_whole_word() -> None:
    said = readable("replication lag of the second standby " * 20, "en", 5)
    assert said.split()[-1] in ["replication", "lag", "of", "the", "second", "standby"]
    assert 3 < speech.seconds(said, "en") <= 5


@given(text=texts, lang=st.sampled_from([*PHRASES, "pl", "th"]))
def test_nothing_is_said_that_nobody_understands(text: str, lang: str) -> None:
    said = readable(text, lang, 15)
    assert not NEVER_SAID.search(said)
    assert speech.seconds(said, lang) <= 15
    assert said == "" or any(map(str.isalnum, said))
    assert said.isprintable()


@pytest.mark.parametrize(
    "part", ["a.", "1.", "a-", ":", "a@", "http:", "1,000", "0x", "[a](", "a1", "aB", "1e9", "("]
)
def test_no_text_takes_long(part: str) -> None:
    began = time.process_time()
    readable(part * 100_000, "en", 15)
    assert time.process_time() - began < 1
