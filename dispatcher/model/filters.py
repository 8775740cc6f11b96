"""Which jobs are meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from dispatcher.errors import DispatcherError
from dispatcher.model.job import iso
from dispatcher.model.states import State
from dispatcher.values.masking import TAIL, mask_number, mask_text

_NUMBER_OR_END = re.compile(r"\+?[0-9]{1,15}", re.ASCII)


class InvalidFilter(DispatcherError, ValueError):
    """What says which jobs are meant makes no sense: `field` names the part, `problem` says why."""

    def __init__(self, field: str, problem: str) -> None:
        self.field, self.problem = field, problem
        super().__init__(f"{field}: {problem}")


class Found(Protocol):
    """What a filter looks at: a job, or as much of it as it takes."""

    @property
    def state(self) -> State: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def hold_reason(self) -> str | None: ...
    @property
    def tags(self) -> Sequence[str]: ...
    @property
    def numbers(self) -> Sequence[str]: ...
    @property
    def producer(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs are meant; what is left out does not matter.

    `recipient` is a whole E.164 number or its last digits; `since` and `until` bound the
    time of creation, `since` included and `until` not. Raises InvalidFilter.
    """

    states: Sequence[State] = ()
    reason: str | None = None
    tag: str | None = None
    recipient: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    producer: str | None = None

    def __post_init__(self) -> None:
        for name in ("reason", "tag", "producer"):
            if getattr(self, name) == "":
                raise InvalidFilter(name, "it is empty, and no job has that: leave it out")
        if self.recipient is not None and not _NUMBER_OR_END.fullmatch(self.recipient):
            raise InvalidFilter(
                "recipient", f"{self.recipient!r} is not a number or its last digits"
            )

    def require_masked(self) -> None:
        """Raise InvalidFilter where more of a number is looked for than masks show.

        Who sees no more must not find out the rest by searching for it, in tags neither.
        """
        if self.recipient is not None and len(self.recipient) > TAIL:
            raise InvalidFilter(
                "recipient",
                f"keys with only the scope read may search by at most {TAIL} last digits",
            )
        if self.tag is not None and mask_text(self.tag) != self.tag:
            raise InvalidFilter(
                "tag",
                "keys with only the scope read cannot search by tags with a number in them",
            )

    def matches(self, job: Found) -> bool:
        """Whether a job is meant."""
        return (
            (not self.states or job.state in self.states)
            and self.reason in {None, job.reason or job.hold_reason}
            and (self.tag is None or self.tag in job.tags)
            and (self.recipient is None or self._calls(job))
            and (self.since is None or job.created_at >= self.since)
            and (self.until is None or job.created_at < self.until)
            and self.producer in {None, job.producer}
        )

    def _calls(self, job: Found) -> bool:
        wanted = self.recipient or ""
        if wanted.startswith("+"):
            return wanted in job.numbers
        return any(number.endswith(wanted) for number in job.numbers)

    def __str__(self) -> str:
        """In words, numbers masked: `state=failed reason=no_answer`, or `all jobs`."""
        number = self.recipient
        pairs: list[tuple[str, object]] = [
            *(("state", state) for state in self.states),
            ("reason", self.reason),
            ("tag", self.tag),
            (
                "recipient",
                number and (mask_number(number) if number[0] == "+" else f"…{number[-TAIL:]}"),
            ),
            ("producer", self.producer),
            ("since", self.since and iso(self.since)),
            ("until", self.until and iso(self.until)),
        ]
        return " ".join(f"{name}={value}" for name, value in pairs if value) or "all jobs"
