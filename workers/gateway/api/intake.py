"""Takes in lines of JSON, each a job: every line is accepted or refused on its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

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
Asked = tuple[int, JobRequest]
"""A line's number, and what it asks for."""
Answers = dict[int, str]
"""Line number -> the line that is answered."""


class Checked(NamedTuple):
    """Lines that were read: what is to be enqueued, and answers to those that are refused."""

    asked: list[Asked]
    answers: Answers


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

    def check(self, lines: Sequence[Line]) -> Checked:
        """Return what is asked for, and an answer to each line that is refused."""
        checked = Checked([], {})
        for line in lines:
            try:
                checked.asked.append((line.number, self._request(line)))
            except (DispatcherError, Problem) as error:
                checked.answers[line.number] = as_text({"line": line.number, **refusal(error)})
        return checked

    def enqueue(self, checked: Checked) -> bytes:
        """Enqueue what can be; return an answer for each line, in their order.

        Raises NotLetIn where the key ended since it was shown, which may be an hour ago, and
        StoreUnavailable where that cannot be known. A line that Redis does not take is refused
        with 503: it may be sent again.
        """
        self.keys.require_live(self.key)
        asked, answers = checked
        self.tally.lines += len(asked) + len(answers)
        try:
            self._enqueue(asked, answers)
        except StoreUnavailable as error:
            self._refuse((each for each in asked if each[0] not in answers), error, answers)
        return "".join([answers[number] for number in sorted(answers)]).encode()

    def _request(self, line: Line) -> JobRequest:
        fields = below(self.traceparent, _fields(line))
        if fields.get("key") is None:
            if self.key_of_all is None:
                raise InvalidJob([("key", NO_KEY)])
            fields = {**fields, "key": f"{self.key_of_all}:{line.number}"}
        request = self.dispatcher.request(fields)
        require_rights(self.key, request)
        return request

    def _enqueue(self, asked: list[Asked], answers: Answers) -> None:
        """Enqueue as far as the key's rate goes; what stood already does not count against it."""
        while asked:
            granted = self.keys.take(self.key, len(asked))
            if granted.many < 1:
                self._refuse(asked, too_many(self.key, granted.again), answers)
                return
            some, asked = asked[: granted.many], asked[granted.many :]
            new = self._submit(some, answers)
            self.keys.give_back(self.key, len(some) - new)

    def _submit(self, some: list[Asked], answers: Answers) -> int:
        """Enqueue; return how many are new. Raises StoreUnavailable where nobody knows."""
        done = self.dispatcher.submit_all([request for _, request in some])
        new = 0
        for (number, request), each in zip(some, done, strict=True):
            if isinstance(each, Enqueued):
                new += each.new
                self.tally.accepted += 1
                answers[number] = _accepted(number, each)
            else:
                self._refuse([(number, request)], each, answers)
        self.tally.new += new
        return new

    def _refuse(
        self, asked: Iterable[Asked], why: DispatcherError | Problem, answers: Answers
    ) -> None:
        problem = refusal(why)
        for number, _ in asked:
            answers[number] = as_text({"line": number, **problem})


def _accepted(number: int, done: Enqueued) -> str:
    """Return what `as_text` would, for most of all lines."""
    new = "true" if done.new else "false"
    return f'{{"line":{number},"id":"{done.id}","new":{new}}}\n'


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
