"""How a request went that the limiter had granted, as far as this side can tell."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sent:
    """`booked` names what the limiter granted. The first byte went `late` seconds after its moment
    at most, and the answer came `took` seconds after that.
    """

    booked: str
    late: float
    took: float
