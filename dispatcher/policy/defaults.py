"""The account's defaults of retries, redials and checks, which a job's own options override."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from dispatcher.model.job import Job
from dispatcher.model.states import OnUncertain


@dataclass(frozen=True, slots=True)
class Policy:
    """What counts where a job says nothing else. Durations in seconds.

    `reported`: whether the provider reports the end of calls by itself. `on_uncertain` None goes by
    that: see `after_window`.
    """

    max_attempts: int = 3
    redial: int = 0
    redial_after: float = 120
    on_uncertain: OnUncertain | None = None
    reported: bool = False
    evidence_window: float = 300
    call_deadline: float = 7200
    backoff_first: float = 2
    backoff_longest: float = 300
    check_first: float = 20
    check_longest: float = 300

    def attempts_for(self, job: Job) -> int:
        """How many attempts the job may spend; room for its redials is always made."""
        if job.max_attempts is not None:
            return job.max_attempts
        return max(self.max_attempts, self.redials_for(job) + 1)

    def redials_for(self, job: Job) -> int:
        """How often the job is called again where nobody answers."""
        return self.redial if job.redial is None else job.redial

    def redial_after_for(self, job: Job) -> float:
        """How long to wait before the job is called again."""
        return self.redial_after if job.redial_after is None else job.redial_after

    def deadline_for(self, job: Job) -> float:
        """How long a call of the job may take to become final."""
        return self.call_deadline if job.call_deadline is None else job.call_deadline

    def window_for(self, job: Job) -> float:
        """How long the job waits for evidence of a call."""
        return self.evidence_window if job.evidence_window is None else job.evidence_window

    def backoff_for(self, job: Job) -> float:
        """The longest wait between two tries of the job that reached nobody."""
        return self.backoff_longest if job.backoff_longest is None else job.backoff_longest


DEFAULTS: Final = Policy()
"""What the settings are where nobody sets them."""
