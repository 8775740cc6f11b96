"""Whether the provider's callbacks are seen to arrive: else that none came says nothing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

ENOUGH = 3
"""Calls that end without a callback, after which callbacks are missing: one or two may be late. And
jobs that are dialled again because none came, until one comes: their calls are to bring one."""


class Silence(Enum):
    """What it says of a call that no callback came for it."""

    NO_CALL = auto()  # there was none: it would have been reported
    UNPROVEN = auto()  # most likely; but no callback at all came since
    NOTHING = auto()


@dataclass(frozen=True, slots=True)
class CallbacksSeen:
    """What is known of it; moments in ms since the epoch, None: never.

    `last` is when a callback of a call came. Since then, `missing` calls were found over by a
    status check, with no callback for them, and `redialled` jobs were dialled for want of one.
    `test_passed` and `test_failed` are when a worker's own request to the public URL came through
    last, and when it did not.
    """

    last: float | None = None
    missing: int = 0
    redialled: int = 0
    test_passed: float | None = None
    test_failed: float | None = None

    @property
    def broken(self) -> bool:
        """Whether the way was open, and a worker's request has found it closed since.

        One that never came through says nothing: the public URL need not be open to workers.
        """
        return (
            self.test_passed is not None
            and (self.test_failed or 0) > self.test_passed
            and (self.test_failed or 0) > (self.last or 0)
        )

    def arrive(self, since: float) -> bool:
        """Whether callbacks arrive, as far as was seen since a moment (ms since the epoch).

        A worker's own request shows it only while no call has ended: it does not come by the
        provider's way.
        """
        if self.missing >= ENOUGH or self.broken:
            return False
        tested = self.test_passed if not self.missing else None
        return max(self.last or 0, tested or 0) >= since > 0

    def silence(self, sent: float, since: float) -> Silence:
        """Return what it says that none came for a call of a request that was made at `sent`, as
        far as was seen since a moment before it (both ms since the epoch).
        """
        if not self.arrive(since):
            return Silence.NOTHING
        return Silence.NO_CALL if (self.last or 0) >= sent else Silence.UNPROVEN
