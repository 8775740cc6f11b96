"""What calls cost, in credits: the sandbox's own price list, the same for every country."""

from __future__ import annotations

from decimal import Decimal

PLAYBACK = Decimal(10)
"""A recording played to one recipient."""
TTS = Decimal(20)
"""A text spoken to one recipient: text to speech costs extra."""
PARTICIPANT = Decimal(10)
"""Each participant of a conference."""
LEAST_BALANCE = Decimal(50)
"""Voice calls need this balance, whatever they cost (provider docs: account page)."""

# A call costs its price when it was answered and nothing otherwise.
