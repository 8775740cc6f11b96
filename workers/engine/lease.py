"""The end of a worker's right to send: a worker that was stopped too long must not call anybody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dispatcher.provider import NotSent
from dispatcher.values.steady_clock import since_boot


@dataclass(frozen=True, slots=True)
class Lease:
    """A claim's time, by this process' own clock.

    It runs from before the claim was asked for, so that it is over before Redis' own count is.
    `seconds` is its length, `answer` how long the provider's answer may take: what is sent while
    that much is left is answered, or given up, before anybody else may take the job.
    """

    seconds: float
    answer: float
    began: float
    clock: Callable[[], float] = since_boot

    @property
    def over(self) -> bool:
        """Whether somebody else may have taken the job by now."""
        return self.clock() - self.began >= self.seconds

    def require(self, wait: float = 0) -> None:
        """Raise NotSent where the answer could come after the lease, `wait` seconds from now."""
        used = self.clock() - self.began + wait
        if used + self.answer > self.seconds:
            passed = f"would have passed in {wait:.0f} s" if wait else "had passed"
            why = f"{used:.0f} s of its lease of {self.seconds:.0f} s {passed}"
            raise NotSent(f"{NotSent.__doc__} ({why})", detail=why)
