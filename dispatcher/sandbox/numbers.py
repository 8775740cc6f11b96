"""What a number's last four digits make the sandbox do, as test cards do elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

IN_PROGRESS = "IN PROGRESS"
ANSWERED = "ANSWERED"
NO_ANSWER = "NO ANSWER"
FAILED = "FAILED"
UNDOCUMENTED, UNDOCUMENTED_YET = "BUSY", "RINGING"
"""Words that the provider's call status page does not have: of a call that ended, and of one that
goes on.
"""

LONG = 24 * 3600.0
"""Seconds that a call "in progress for long" lasts: past any deadline a test would set."""


class Quirk(Enum):
    """What is unusual about the answer to the POST."""

    NONE = auto()
    COUNTRY = auto()  # refused: the account may not call that country
    THROTTLED_ONCE = auto()  # 429 the first time
    ERROR_NOT_PLACED = auto()  # 500, and nobody is called
    ERROR_PLACED = auto()  # 500, although the call is placed
    CUT = auto()  # the connection is cut after the call was placed
    SLOW = auto()  # the call is placed at once, the answer comes late
    NOT_JSON = auto()  # 201 with a page instead of JSON


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One row of the table of numbers."""

    outcome: str = ANSWERED
    under_way: str = IN_PROGRESS
    first_outcome: str | None = None  # of the first call to the number, where it differs
    quirk: Quirk = Quirk.NONE
    lasts_long: bool = False
    dear: bool = False  # far beyond what other calls cost


BEHAVIOURS = {
    "0001": Behaviour(),
    "0002": Behaviour(NO_ANSWER),
    "0003": Behaviour(FAILED),
    "0004": Behaviour(lasts_long=True),
    "0005": Behaviour(first_outcome=NO_ANSWER),
    "0006": Behaviour(quirk=Quirk.THROTTLED_ONCE),
    "0007": Behaviour(quirk=Quirk.ERROR_NOT_PLACED),
    "0008": Behaviour(quirk=Quirk.ERROR_PLACED),
    "0009": Behaviour(quirk=Quirk.CUT),
    "0010": Behaviour(quirk=Quirk.SLOW),
    "0011": Behaviour(quirk=Quirk.NOT_JSON),
    "0012": Behaviour(quirk=Quirk.COUNTRY),
    "0013": Behaviour(UNDOCUMENTED),
    "0014": Behaviour(under_way=UNDOCUMENTED_YET),
    "0015": Behaviour(dear=True),
}
_ORDINARY = Behaviour()


def behaviour(number: str) -> Behaviour:
    """Return what happens to calls to `number` (E.164); most are answered."""
    return BEHAVIOURS.get(number[-4:], _ORDINARY)
