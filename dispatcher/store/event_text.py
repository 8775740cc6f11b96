"""A line of a job's timeline as its record keeps it; lua/lib/event_text.lua writes them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dispatcher.store.schema import ACTOR_LETTERS, OTHER_ACTOR, STATE_LETTERS

_LINE = re.compile(r"([0-9]+)([a-z]):?(\S*) (\S+) ?(.*)", re.DOTALL)
_STATES = {letter: str(state) for state, letter in STATE_LETTERS.items()}
_ACTORS = {letter: actor for actor, letter in ACTOR_LETTERS.items()}


@dataclass(frozen=True, slots=True)
class EventText:
    """What a line tells: ms since the job's creation, where it came to, '' for no reason, who, and
    why.
    """

    ms: int
    state: str
    reason: str
    actor: str
    why: str

    @classmethod
    def read(cls, line: str) -> EventText | None:
        """Return what a line tells; None where it is none that we know."""
        found = _LINE.fullmatch(line)
        if not found or found[2] not in _STATES:
            return None
        return cls(int(found[1]), _STATES[found[2]], found[3], actor_of(found[4]), found[5])

    def __str__(self) -> str:
        """The line."""
        kind = STATE_LETTERS[self.state] + (f":{self.reason}" if self.reason else "")
        actor = ACTOR_LETTERS.get(self.actor) or f"{OTHER_ACTOR}{self.actor}"
        return f"{self.ms}{kind} {actor}" + (f" {self.why}" if self.why else "")


def actor_of(word: str) -> str:
    """Return the name of who is said in a line by a letter, or by OTHER_ACTOR and the name."""
    return _ACTORS.get(word) or word.removeprefix(OTHER_ACTOR)
