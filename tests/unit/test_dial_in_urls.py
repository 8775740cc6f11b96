"""The secret in the URL that the provider asks when somebody calls."""

from __future__ import annotations

import pytest

from dispatcher.values.dial_in_urls import PREFIX, dial_in_path, is_genuine

KEYS = ("the-first-key-0123456789", "an-older-key-9876543210")


def secret(*keys: str) -> str:
    return dial_in_path(keys).removeprefix(f"{PREFIX}/")


def test_every_key_verifies_and_the_first_one_makes_it() -> None:
    assert secret(*KEYS) == secret(KEYS[0])
    assert all(is_genuine(secret(key), KEYS) for key in KEYS)
    assert not is_genuine(secret("a-key-that-was-taken-away"), KEYS)


@pytest.mark.parametrize("wrong", ["", "x", "é" * 32, "\ud800", "A" * 10_000, secret(*KEYS)[:-1]])
def test_anything_else_is_refused(wrong: str) -> None:
    assert not is_genuine(wrong, KEYS)


def test_it_tells_nothing_of_the_key_and_is_long_enough_to_be_kept() -> None:
    assert len(secret(*KEYS)) == 32  # 192 bits
    assert KEYS[0] not in secret(*KEYS)
