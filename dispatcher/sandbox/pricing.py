"""What calls cost, in credits: the sandbox's own price list, the same for every country."""

from __future__ import annotations

from decimal import Decimal

from dispatcher.sandbox.numbers import behaviour

PLAYBACK = Decimal(10)
"""A recording played to one recipient."""
TTS = Decimal(20)
"""A text spoken to one recipient: text to speech costs extra."""
PARTICIPANT = Decimal(10)
"""Each participant of a conference."""
DEAR = Decimal(1000)
"""Any call to a number of satellites, or the like, for each number."""
LEAST_BALANCE = Decimal(50)
"""Voice calls need this balance, whatever they cost (provider docs: account page)."""

# A call costs its price when it was answered and nothing otherwise.


def of_number(number: str, usual: Decimal) -> Decimal:
    """Return what an answered call to this number costs that is `usual` to others."""
    return DEAR if behaviour(number).dear else usual
