"""Whether bytes are an MP3, and how long it plays."""

from __future__ import annotations

import pytest

from dispatcher.values import mp3

TAG = b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128)


def frames(header: int, size: int, many: int) -> bytes:
    return (header.to_bytes(4, "big") + bytes(size - 4)) * many


@pytest.mark.parametrize(
    ("header", "size", "samples", "rate"),
    [
        (0xFFFB9000, 417, 1152, 44_100),  # MPEG 1, 128 kbit/s
        (0xFFFB9200, 418, 1152, 44_100),  # the same with padding
        (0xFFFB5400, 192, 1152, 48_000),  # 64 kbit/s
        (0xFFF38400, 192, 576, 24_000),  # MPEG 2, 64 kbit/s
        (0xFFE34800, 288, 576, 8_000),  # MPEG 2.5, 32 kbit/s
    ],
)
def test_frames_tell_the_length(header: int, size: int, samples: int, rate: int) -> None:
    found = mp3.read(TAG + frames(header, size, 100))
    assert found is not None
    assert (found.frames, found.rest) == (100, 0)
    assert found.seconds == pytest.approx(100 * samples / rate)


def test_a_variable_rate_is_the_sum_of_its_frames() -> None:
    found = mp3.read(frames(0xFFFB9000, 417, 10) + frames(0xFFFB5000, 208, 10))
    assert found is not None
    assert found.seconds == pytest.approx(20 * 1152 / 44_100)


def test_what_follows_the_last_frame_is_told_but_for_a_tag() -> None:
    music = frames(0xFFFB9000, 417, 5)
    for rest, many in ((b"TAG" + bytes(125), 0), (b"x" * 500, 500), (b"", 0)):
        found = mp3.read(music + rest)
        assert found is not None
        assert found.rest == many


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "a WAV file"),
        (b"OggS\x00\x02", "an Ogg file"),
        (b"\x00\x00\x00\x20ftypM4A ", "an MP4 or M4A file"),
        (b"\n<!DOCTYPE html><title>Log in</title>", "a web page"),
        (b"", "empty"),
        (b"\xff\xfb\x90\x00" * 2, "no MP3 frames in it"),
        (frames(0xFFFB9000, 417, 2), "no MP3 frames in it"),
        (frames(0xFFFD9000, 417, 9), "no MP3 frames in it"),  # layer II
        (frames(0xFFFBF000, 417, 9), "no MP3 frames in it"),  # no such bitrate
        (b"ID3", "no MP3 frames in it"),
        (b"ID3\x04\x00\x00\x7f\x7f\x7f\x7f", "no MP3 frames in it"),
    ],
)
def test_what_is_no_mp3_is_told_by_its_content(data: bytes, kind: str) -> None:
    assert mp3.read(data) is None
    assert mp3.kind(data) == kind
