"""The provider being down: pages of errors, refusals, or nobody listening at all."""

from __future__ import annotations

import math

from dispatcher.sandbox import refusals
from dispatcher.sandbox.clock import Clock

OFF = "off"
REFUSE = "refuse"
FORBIDDEN = "403"
MODES = (OFF, "503", "500", FORBIDDEN, REFUSE)


class Cut(Exception):
    """The connection is to be cut without an answer."""


class Outage:
    """Whether the provider is down, how, and until when."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._mode = OFF
        self._until = math.inf

    @property
    def mode(self) -> str:
        return self._mode if self._clock.now() < self._until else OFF

    def begin(self, mode: str, seconds: float | None = None) -> None:
        """Go down for a time, None until told otherwise; `off` comes up again."""
        self._mode = mode
        self._until = math.inf if seconds is None else self._clock.now() + seconds

    def check(self) -> None:
        """Raise what a request meets while the provider is down."""
        mode = self.mode
        if mode == REFUSE:  # a connection from before the listener went away
            raise Cut
        if mode == FORBIDDEN:  # provider docs: the account's list of allowed addresses
            raise refusals.detail(403, "Your IP address is not allowed.")
        if mode != OFF:
            raise refusals.server_error(int(mode))
