"""Callback URLs prove that they came from us, and for which attempt."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dispatcher.values.callback_urls import CallbackUrls, Expired, Forged, InvalidCallback, Signer

OLD, NEW = "the-old-key-of-16", "the-new-key-of-16"
JOB, EXPIRES = "abcdefghijklmnop", 1_800_000_000
NOW = EXPIRES - 60.0


def parts(path: str) -> tuple[str, str, str, str]:
    _, prefix, job, attempt, expires, mac = path.split("/")
    assert prefix == "callbacks"
    return job, attempt, expires, mac


def test_what_was_signed_is_verified() -> None:
    signer = Signer([NEW])
    assert signer.verify(*parts(signer.path(JOB, 3, EXPIRES)), NOW) == 3


def test_a_new_key_signs_and_the_old_one_still_verifies() -> None:
    before, during, after = Signer([OLD]), Signer([NEW, OLD]), Signer([NEW])
    assert during.verify(*parts(before.path(JOB, 1, EXPIRES)), NOW) == 1
    assert after.verify(*parts(during.path(JOB, 1, EXPIRES)), NOW) == 1
    with pytest.raises(Forged):
        after.verify(*parts(before.path(JOB, 1, EXPIRES)), NOW)


def test_its_time_ends() -> None:
    signer = Signer([NEW])
    signed = parts(signer.path(JOB, 1, EXPIRES))
    assert signer.verify(*signed, EXPIRES) == 1
    with pytest.raises(Expired):
        signer.verify(*signed, EXPIRES + 1)


def test_a_forged_one_is_not_told_that_its_time_is_over() -> None:
    with pytest.raises(Forged):
        Signer([NEW]).verify(JOB, "1", "1", "A" * 22, NOW)


@given(
    st.integers(0, 3), st.text(st.characters(codec="utf-8", exclude_characters="/"), max_size=50)
)
def test_no_part_can_be_exchanged(place: int, other: str) -> None:
    signer = Signer([NEW, OLD])
    changed = list(parts(signer.path(JOB, 1, EXPIRES)))
    assume(changed[place] != other)
    changed[place] = other
    with pytest.raises(InvalidCallback):
        signer.verify(changed[0], changed[1], changed[2], changed[3], NOW)


@given(st.tuples(*[st.text(st.characters(), max_size=60)] * 4))
def test_whatever_is_no_address_of_ours_is_forged(said: tuple[str, str, str, str]) -> None:
    with pytest.raises(Forged):
        Signer([NEW]).verify(*said, NOW)


def test_the_urls_hold_from_the_moment_of_the_attempt() -> None:
    signer = Signer([NEW])
    sent = datetime(2026, 11, 25, 12, tzinfo=UTC)
    url = CallbackUrls("https://voice.example.com/here", signer, 3600).of(JOB, 2, sent)
    assert url.startswith("https://voice.example.com/here/callbacks/")
    job, attempt, expires, mac = parts(urlsplit(url).path.removeprefix("/here"))
    assert (job, attempt, int(expires)) == (JOB, "2", sent.timestamp() + 3600)
    assert signer.verify(job, attempt, expires, mac, sent.timestamp()) == 2


def test_keys_do_not_show() -> None:
    urls = CallbackUrls("https://voice.example.com", Signer([NEW, OLD]), 3600)
    assert "key" not in repr(urls).replace("keys", "")
