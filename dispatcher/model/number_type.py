"""The kinds of number that cost more than calls to their country do."""

from __future__ import annotations

from enum import StrEnum


class NumberType(StrEnum):
    """A kind of number that is called only where that is allowed."""

    PREMIUM = "premium"
    """Who is called earns by it: +979, 0990 in Japan, 090 in Great Britain, 900 in America."""
    SHARED_COST = "shared_cost"
    """Caller and called share a price that has nothing to do with their places."""
    PERSONAL = "personal"
    """Follows a person to any place, at any price: +44 70, +878, 500 in America."""
    PAGER = "pager"
    """Takes a message, and no call that anybody answers."""
    VOICEMAIL = "voicemail"
    """Takes a recording, and no call that anybody answers."""
    UNIVERSAL = "universal"
    """Of a company, wherever that is: 0570 in Japan, +800."""
    SATELLITE = "satellite"
    """Of networks that belong to no country: +870, +881, +882, +883."""
