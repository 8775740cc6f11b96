"""Whether bytes are an MP3, and how long it plays: told by its content, not by its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_KBITS: Final = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Kilobits a second of layer III, by the index in a frame's header: of MPEG 1, and of 2 and 2.5."""
_RATES: Final = (44_100, 48_000, 32_000)
"""Samples a second of MPEG 1; halves of MPEG 2, quarters of MPEG 2.5."""
_DIVISOR: Final = {3: 1, 2: 2, 0: 4}
"""By the version's two bits."""
_LAYER_3: Final = 1
_SYNC: Final = 0x7FF  # eleven bits that each frame begins with
ENOUGH = 3
"""Frames in a row that make an MP3: fewer may be chance."""
_OTHERS: Final = (
    (0, b"RIFF", "a WAV file"),
    (0, b"OggS", "an Ogg file"),
    (0, b"fLaC", "a FLAC file"),
    (4, b"ftyp", "an MP4 or M4A file"),
    (0, b"FORM", "an AIFF file"),
    (0, b"#!AMR", "an AMR file"),
    (0, b"PK\x03\x04", "a ZIP file"),
    (0, b"%PDF", "a PDF"),
)


@dataclass(frozen=True, slots=True)
class Mp3:
    """An MP3: seconds that it plays, and whether bytes of another kind follow its last frame."""

    seconds: float
    frames: int
    rest: int


@dataclass(frozen=True, slots=True)
class _Frame:
    bytes: int
    seconds: float


def read(data: bytes) -> Mp3 | None:
    """Return the MP3 that the bytes are; None: they are none."""
    place, frames, seconds = _tag(data), 0, 0.0
    while frame := _frame(data, place):
        place += frame.bytes
        frames += 1
        seconds += frame.seconds
    if frames < ENOUGH:
        return None
    rest = 0 if data[place : place + 3] == b"TAG" else max(0, len(data) - place)
    return Mp3(seconds, frames, rest)


def kind(data: bytes) -> str:
    """Return in words what bytes are that are no MP3."""
    start = data[:512].lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page"
    found = (name for place, mark, name in _OTHERS if data[place:].startswith(mark))
    return next(found, "no MP3 frames in it" if data else "empty")


def _tag(data: bytes) -> int:
    """Return the length of the ID3v2 tag at the start."""
    head = data[:10]
    if len(head) < 10 or not head.startswith(b"ID3"):  # noqa: PLR2004 - a tag's header
        return 0
    size = 0
    for byte in head[6:]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _frame(data: bytes, place: int) -> _Frame | None:
    """Return the frame of layer III that begins at a place, if one does."""
    head = int.from_bytes(data[place : place + 4], "big")
    version, layer = head >> 19 & 3, head >> 17 & 3
    kbits, rate, padding = head >> 12 & 15, head >> 10 & 3, head >> 9 & 1
    if head >> 21 != _SYNC or layer != _LAYER_3 or version not in _DIVISOR:
        return None
    if rate >= len(_RATES) or not 0 < kbits < len(_KBITS[1]):
        return None
    samples, of_version = (1152, 1) if version == 3 else (576, 2)  # noqa: PLR2004 - MPEG 1
    hertz = _RATES[rate] // _DIVISOR[version]
    size = samples // 8 * _KBITS[of_version][kbits] * 1000 // hertz + padding
    return _Frame(size, samples / hertz)
