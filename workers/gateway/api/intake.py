"""Takes in lines of JSON, each a job: every line is accepted or refused on its own."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import Any

from dispatcher.client.dispatcher import Dispatcher
from dispatcher.errors import DispatcherError
from dispatcher.model.api_key import ApiKey
from dispatcher.model.invalid_job import InvalidJob
from dispatcher.model.request import JobRequest
from dispatcher.store.api_keys import ApiKeys
from dispatcher.store.errors import StoreUnavailable
from dispatcher.store.values import Enqueued
from workers.gateway import problems
from workers.gateway.api.authenticator import require_rights, too_many
from workers.gateway.api.lines import LONGEST, Line
from workers.gateway.api.strict import NotJson, object_of
from workers.gateway.problems import Problem
from workers.gateway.traced import below

NO_KEY = (
    "without a key, sending the line again would call twice: give each line a key, or the"
    " request the header Idempotency-Key"
)
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
Answers = dict[int, str]
"""Line number -> the line that is answered."""


@dataclass
class Tally:
    """What became of the lines so far."""

    lines: int = 0
    accepted: int = 0
    new: int = 0

    def summary(self, problem: Problem | None = None) -> dict[str, Any]:
        """Return the last line of the answer; a `problem` says why there were not more."""
        found: dict[str, Any] = {
            "lines": self.lines,
            "accepted": self.accepted,
            "new": self.new,
            "refused": self.lines - self.accepted,
            "complete": problem is None,
        }
        if problem:
            found["problem"] = problems.members(problem)
        return {"summary": found}


@dataclass(frozen=True)
class Intake:
    """`key_of_all` is what the header Idempotency-Key says: each line's own key comes from it.
    `traceparent` is that of lines that say none.
    """

    dispatcher: Dispatcher
    keys: ApiKeys
    key: ApiKey
    key_of_all: str | None
    tally: Tally
    traceparent: str | None = None

    def take_in(self, lines: Sequence[Line]) -> bytes:
        """Enqueue what can be; return an answer for each line, in their order.

        Raises NotLetIn where the key ended since it was shown, which may be an hour ago, and
        StoreUnavailable where that cannot be known. A line that Redis does not take is refused
        with 503: it may be sent again.
        """
        self.keys.require_live(self.key)
        self.tally.lines += len(lines)
        batch = _Batch(lines, self._request)
        try:
            self._enqueue(batch)
        except StoreUnavailable as error:
            batch.refuse_rest(error)
        return "".join([answer for _, answer in sorted(batch.answers.items())]).encode()

    def _request(self, line: Line) -> JobRequest:
        fields = below(self.traceparent, _fields(line))
        if fields.get("key") is None:
            if self.key_of_all is None:
                raise InvalidJob([("key", NO_KEY)])
            fields = {**fields, "key": f"{self.key_of_all}:{line.number}"}
        request = self.dispatcher.request(fields)
        require_rights(self.key, request)
        return request

    def _enqueue(self, batch: _Batch) -> None:
        """Enqueue as far as the key's rate goes; what is not new does not count against it."""
        while left := batch.left:
            granted = self.keys.take(self.key, left)
            if granted.many < 1:
                batch.refuse_rest(too_many(self.key, granted.again))
                return
            new = self._submit(batch, granted.many)
            self.keys.give_back(self.key, granted.many - new)

    def _submit(self, batch: _Batch, most: int) -> int:
        """Enqueue so many at most; return how many are new. Raises StoreUnavailable where nobody
        knows.
        """
        before, new = len(batch.asked), 0
        done = self.dispatcher.submit_all(islice(batch, most))
        for number, each in zip(batch.asked[before:], done, strict=True):
            if isinstance(each, Enqueued):
                new += each.new
                self.tally.accepted += 1
                batch.answers[number] = _accepted(number, each)
            else:
                batch.refuse(number, each)
        self.tally.new += new
        return new


class _Batch(Iterator[JobRequest]):
    """The requests of some lines, each checked when it is asked for: so Redis writes those before
    it meanwhile. A line that is not right is answered then.

    `asked` are the numbers of the lines that were right.
    """

    def __init__(self, lines: Sequence[Line], check: Callable[[Line], JobRequest]) -> None:
        self._many, self._lines, self._check = len(lines), iter(lines), check
        self.asked: list[int] = []
        self.answers: Answers = {}

    def __next__(self) -> JobRequest:
        for line in self._lines:
            try:
                request = self._check(line)
            except (DispatcherError, Problem) as error:
                self.refuse(line.number, error)
            else:
                self.asked.append(line.number)
                return request
        raise StopIteration

    @property
    def left(self) -> int:
        """How many lines are not answered yet."""
        return self._many - len(self.answers)

    def refuse(self, number: int, why: DispatcherError | Problem) -> None:
        """Answer a line."""
        self.answers[number] = _refused(number, refusal(why))

    def refuse_rest(self, why: DispatcherError | Problem) -> None:
        """Answer all that are not answered yet; what is not right is told so nevertheless."""
        deque(self, maxlen=0)
        problem = refusal(why)  # once: it is logged
        for number in self.asked:
            if number not in self.answers:
                self.answers[number] = _refused(number, problem)


def _accepted(number: int, done: Enqueued) -> str:
    """Return what `as_text` would, for most of all lines."""
    new = "true" if done.new else "false"
    return f'{{"line":{number},"id":"{done.id}","new":{new}}}\n'


def _refused(number: int, problem: dict[str, Any]) -> str:
    return as_text({"line": number, **problem})


def _fields(line: Line) -> dict[str, Any]:
    if line.text is None:
        raise Problem(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"the line has more than {LONGEST} bytes",
            remedy="shorten it",
        )
    try:
        return object_of(line.text)
    except NotJson as error:
        raise Problem(
            HTTPStatus.BAD_REQUEST,
            f"the line is not a JSON object: {error}",
            remedy="write one JSON object on each line, in UTF-8",
        ) from None


def refusal(error: DispatcherError | Problem) -> dict[str, Any]:
    """Return what a refused line is answered."""
    problem = error if isinstance(error, Problem) else problems.of(error)
    found = problems.members(problem)
    del found["title"]  # the same for every line of a status
    if problem.type == problems.PLAIN:
        del found["type"]
    return found


def as_text(content: dict[str, Any]) -> str:
    """Return a line of JSON."""
    return f"{_JSON.encode(content)}\n"
