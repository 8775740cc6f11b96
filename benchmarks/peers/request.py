"""The request of a bare task: no record, no limiter, nothing kept."""

from __future__ import annotations

import os

import requests


def ask(recipient: str, message: str) -> None:
    """Ask for a call."""
    requests.post(
        os.environ["BARE_PROVIDER"] + "/voice/simple/playbacks/",
        data={
            "caller": "+815012345678",
            "recipient": recipient,
            "tts_message": message,
            "tts_lang": "en",
        },
        auth=("sid", "token"),
        timeout=30,
    ).raise_for_status()
