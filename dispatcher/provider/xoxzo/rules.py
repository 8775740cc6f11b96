"""What Xoxzo documents of requests: what it can do, and what it refuses."""

from __future__ import annotations

from typing import Final

from dispatcher.model.outcome import Outcome
from dispatcher.provider.base import Capabilities, RequestRules, Words
from dispatcher.provider.xoxzo.recordings import recording_url
from dispatcher.values.languages import ISO_639_1

NAME: Final = "xoxzo"
CAPABILITIES: Final = Capabilities(
    callbacks=True,
    balance=True,
    participants=range(2, 4),
    languages=ISO_639_1,
    conference_languages=frozenset({"en", "ja"}),
    longest_text=4000,  # no limit is documented: about five minutes of speech
    dial_in=True,
)

STATUS: Final = {
    Outcome.ANSWERED: "ANSWERED",
    Outcome.NO_ANSWER: "NO ANSWER",
    Outcome.CALL_FAILED: "FAILED",
    Outcome.IN_PROGRESS: "IN PROGRESS",
}
"""The documented status words. The page calls them common: there may be others."""
WORDS: Final = Words(STATUS, call="simple/playbacks", conference="simple/conferences")

OWN_FIELDS: Final = frozenset(
    {
        "caller",
        "recipient",
        "participants",
        "recording_url",
        "tts_message",
        "tts_lang",
        "lang",
        "tags",
        "callbackurl",
    }
)
"""The form fields that the client fills in."""


def tag(text: str) -> str:
    """Return a tag, or raise ValueError where it would be taken for several."""
    if "," in text:
        raise ValueError(f"tag {text!r} has a comma: the provider separates tags by commas")
    return text


def spelled(digits: str) -> str:
    """Return digits with commas between: they are read one by one, and slowly."""
    return ",,".join(digits)


RULES: Final = RequestRules(
    recording=recording_url, tag=tag, own_fields=OWN_FIELDS, spelled=spelled
)
