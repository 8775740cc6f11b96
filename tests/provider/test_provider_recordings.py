"""The provider's rules for the URL of a recording, each with a message of its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.provider.xoxzo.recordings import LONGEST, InvalidRecordingURL, recording_url


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/alert.mp3",
        "http://example.com:8080/a/b_c-d/alert.mp3",
        "http://192.0.2.1/a.mp3",
        "HTTP://EXAMPLE.com/A.MP3",
        "http://example.com/" + "a" * (LONGEST - len("http://example.com/")),
    ],
    ids=lambda url: url[:40],
)
def test_a_plain_http_url_is_taken_as_it_is(url: str) -> None:
    assert recording_url(url) == url


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("https://example.com/a.mp3", "does not support https"),
        ("ftp://example.com/a.mp3", "must begin with http://"),
        ("example.com/a.mp3", "must begin with http://"),
        ("", "must begin with http://"),
        ("http://", "host is missing"),
        ("http:///a.mp3", "host is missing"),
        ("http://exämple.com/a.mp3", "host may hold only"),
        ("http://ex_ample.com/a.mp3", "host may hold only"),
        ("http://[::1]/a.mp3", "host may hold only"),
        ("http://example.com", "path of the recording is missing"),
        ("http://example.com/", "path of the recording is missing"),
        ("http://example.com/ä.mp3", "path may hold only"),
        ("http://example.com/a%20b.mp3", "path may hold only"),
        ("http://example.com/~a.mp3", "path may hold only"),
        ("http://example.com/a.mp3?", r"query \(\?\)"),
        ("http://example.com/a.mp3?v=1", r"query \(\?\)"),
        ("http://example.com/a.mp3#", r"fragment \(#\)"),
        ("http://example.com/a b.mp3", "has a space"),
        ("http://example.com/a.mp3\n", "has a space or control character"),
        ("\x00http://example.com/a.mp3", "control character"),
        ("http://example.com:port/a.mp3", "not a URL"),
        ("http://example.com:99999/a.mp3", "not a URL"),
        ("http://[::1/a.mp3", "not a URL"),
        ("http://example.com/" + "a" * LONGEST, f"{LONGEST} at most"),
    ],
    ids=lambda text: repr(text)[:40],
)
def test_each_broken_rule_has_its_own_message(url: str, rule: str) -> None:
    with pytest.raises(InvalidRecordingURL, match=f"cannot be played: .*{rule}"):
        recording_url(url)


@pytest.mark.parametrize(
    "url", ["http://me:hunter2@example.com/a", "http://me:hun/ter2@example.com"]
)
def test_a_password_in_the_url_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(InvalidRecordingURL, match="name and password") as caught:
        recording_url(url)
    assert "ter2" not in str(caught.value)


@given(st.one_of(st.text(), st.text().map("http://example.com/".__add__)))
def test_what_is_accepted_has_only_the_documented_characters(text: str) -> None:
    try:
        url = recording_url(text)
    except InvalidRecordingURL:
        return
    assert url == text
    assert url.isascii()
    assert not set(url) & set("?#%@ \\")
