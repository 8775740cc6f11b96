"""How the calls of a stack ended that something befell."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from dispatcher.model.job import Job
from dispatcher.model.states import State
from support.e2e_stack import STARTS_WITHIN, Up
from support.polling import eventually


@dataclass(frozen=True)
class Ended:
    """How jobs ended, and how often each number was called by the provider's own books."""

    jobs: list[Job]
    books: Counter[str]

    @property
    def states(self) -> Counter[State]:
        return Counter(job.state for job in self.jobs)

    def calls(self, job: Job) -> int:
        return self.books[job.numbers[0]]

    def assert_each_called_once(self) -> None:
        assert self.states == {State.COMPLETED: len(self.jobs)}
        assert {self.calls(job) for job in self.jobs} == {1}


def half_way(up: Up, ids: list[str], called: int, before: int = 0) -> None:
    """Wait until so many calls are placed, and make sure that there are more to come.

    `before` are the calls that were placed for others.
    """

    def placed() -> int:
        return up.sandbox.books().total() - before

    eventually(lambda: placed() >= called, f"{called} calls", STARTS_WITHIN)
    assert placed() < len(ids)
