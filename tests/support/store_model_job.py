"""One job of the store's model: where it should stand, and what its attempts came to."""

from __future__ import annotations

from dataclasses import dataclass, field

from dispatcher.model.request import JobRequest
from dispatcher.model.states import State
from dispatcher.policy import Decision


@dataclass
class ModelJob:
    """A job as it should stand; moments in ms since the epoch."""

    id: str
    request: JobRequest
    state: State
    created: int
    due: int
    expires: int | None
    reason: str = ""
    n: int = 0
    spent: int = 0
    since: int = 0
    next_at: int | None = None
    aside: int | None = None
    """The moment by which its calling window is set, where a worker does that."""
    open: tuple[int, int] = (0, 0)
    finished: int | None = None
    token: str = ""
    hold: str = ""
    owes_at: int | None = None
    sent: dict[int, int] = field(default_factory=dict)
    results: dict[int, str] = field(default_factory=dict)
    callids: list[str] = field(default_factory=list)
    made: dict[int, str] = field(default_factory=dict)  # the first callid told of each attempt
    others: set[tuple[int, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.priority = str(self.request.priority)
        self.numbers = [number[1:] for number in self.request.called]
        self.span = None if self.expires is None else self.expires - self.created
        self.next_at = self.due if self.state is State.SCHEDULED else self.expires

    @property
    def kind(self) -> str:
        return f"{self.state}:{self.reason}" if self.reason else str(self.state)

    @property
    def line(self) -> str:
        campaigns = [tag for tag in self.request.tags if tag.startswith("campaign:")]
        return campaigns[0] if campaigns else "producer"

    @property
    def place(self) -> str | None:
        if self.state is State.QUEUED:
            in_line = f"ready:{self.priority}:{self.line}"
            return in_line if self.aside is None else "set_aside"
        if self.state is State.HELD:
            return f"held:{self.hold}:{self.priority}"
        return None

    def stopped_by(self, hold: str) -> bool:
        _, _, scope = hold.partition(":")
        kind, _, what = scope.partition(":")
        if kind == "tag":
            return what in self.request.tags
        return not kind or self.priority == what

    def keep(self, attempt: int, decision: Decision) -> None:
        self.results[attempt] = decision.result
        self.callids += filter(None, decision.call.callids if decision.call else ())
        if decision.call:
            self.made.setdefault(attempt, ",".join(decision.call.callids))
