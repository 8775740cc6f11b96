"""What the provider can be asked to do."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What the provider is asked to do."""

    PLAYBACK = "playback"
    TTS = "tts"
    CONFERENCE = "conference"
