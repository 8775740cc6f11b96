"""What became of a job in its turn, as logs and Flower tell it."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.model.states import State
from dispatcher.tracing import Step


@dataclass(frozen=True, slots=True)
class Turn:
    """How a job was left: its state (None: there is no such job), and why."""

    job_id: str
    state: State | None
    reason: str = ""
    why: str = ""

    @property
    def failed(self) -> bool:
        """Whether the job has failed now."""
        return self.state is State.FAILED and bool(self.reason)

    def end(self, step: Step) -> None:
        """End the step of a trace that it was."""
        step.end(state=self.state, reason=self.reason, failed=self.reason if self.failed else "")

    @property
    def sentence(self) -> str:
        """The failure, in a sentence."""
        return f"job {self.job_id} failed: {self.reason}: {self.why}"

    @property
    def shown(self) -> dict[str, str]:
        """What Flower shows of it."""
        found = {
            "job": self.job_id,
            "state": self.state or "gone",
            "reason": self.reason,
            "why": self.why,
        }
        return {name: str(value) for name, value in found.items() if value}
