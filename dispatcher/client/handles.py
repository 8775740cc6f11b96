"""A job that was enqueued: its id, and all that its producer can do with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dispatcher.model.job import Job
from dispatcher.values.durations import DurationLike
from dispatcher.why import Why

if TYPE_CHECKING:
    from dispatcher.client.dispatcher import Dispatcher


@dataclass(frozen=True, slots=True)
class JobHandle:
    """An accepted job: its id, whether this request made it, and the way to its outcome.

    `index` is the place of its request among those of `call_many`, from 0.
    """

    id: str
    new: bool = field(compare=False)
    dispatcher: Dispatcher = field(repr=False, compare=False)
    index: int = field(default=0, compare=False)

    def refresh(self) -> Job:
        """Return the job as it stands now. Raises UnknownJob past its retention."""
        return self.dispatcher.job(self.id)

    def wait(self, timeout: float | None = None) -> Job:
        """Return the job when it has ended; `timeout` in seconds, None waits for ever.

        Raises NotFinished, UnknownJob, StoreUnavailable (where Redis stays away until the timeout).
        """
        return self.dispatcher.wait(self.id, timeout)

    def why(self) -> Why:
        """Say why it has not been called yet, and what happens next. Raises UnknownJob."""
        return self.dispatcher.why(self.id)

    def cancel(self, *, note: str = "") -> Job:
        """Cancel it, unless it is dialled already. Raises as `Dispatcher.cancel` does."""
        return self.dispatcher.cancel(self.id, note=note)

    def retry(
        self, *, note: str = "", expires: DurationLike | None = None, uncertain: bool = False
    ) -> Job:
        """Have it called again. Raises as `Dispatcher.retry` does."""
        return self.dispatcher.retry(self.id, note=note, expires=expires, uncertain=uncertain)
