"""How states look: a colour and an icon for each. The word is always there, too."""

from __future__ import annotations

from typing import NamedTuple

from dispatcher.model.alert import AlertState
from dispatcher.model.states import State


class Look(NamedTuple):
    """A class of the style sheet, and the name of an icon of icons.html."""

    kind: str
    icon: str


PLAIN = Look("plain", "dot")
STATES = {
    State.SCHEDULED: Look("plain", "calendar"),
    State.QUEUED: Look("plain", "queue"),
    State.HELD: Look("warn", "pause"),
    State.DIALING: Look("info", "dial"),
    State.UNCERTAIN: Look("warn", "unknown"),
    State.IN_PROGRESS: Look("info", "phone"),
    State.COMPLETED: Look("well", "check"),
    State.FAILED: Look("bad", "cross"),
    State.EXPIRED: Look("bad", "clock"),
    State.CANCELLED: Look("plain", "ban"),
}
ALERTS = {
    AlertState.RINGING: Look("warn", "bell"),
    AlertState.FOLDED: Look("plain", "bundle"),
    AlertState.UNREACHED: Look("bad", "alert"),
    AlertState.ACKNOWLEDGED: Look("info", "person"),
    AlertState.RESOLVED: Look("well", "check"),
    AlertState.CANCELLED: Look("plain", "ban"),
}
_ALL: dict[str, Look] = {
    **{str(state): found for state, found in ALERTS.items()},
    **{str(state): found for state, found in STATES.items()},
}


def look(word: str) -> Look:
    """Return how a state of a job or of an alert looks."""
    return _ALL.get(word, PLAIN)
