"""Takes in lines of JSON, each a job: every line is accepted or refused on its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from dispatcher.client.dispatcher import Dispatcher, Interrupted, JobHandle, RefusedRequest
from dispatcher.errors import DispatcherError
from dispatcher.model.api_key import ApiKey
from dispatcher.model.invalid_job import InvalidJob
from dispatcher.model.request import JobRequest
from dispatcher.store.api_keys import ApiKeys
from dispatcher.store.errors import StoreUnavailable
from workers.gateway import problems
from workers.gateway.api.authenticator import require_rights, too_many
from workers.gateway.api.lines import LONGEST, Line
from workers.gateway.api.strict import NotJson, object_of
from workers.gateway.problems import Problem

NO_KEY = (
    "without a key, sending the line again would call twice: give each line a key, or the"
    " request the header Idempotency-Key"
)
Asked = tuple[int, JobRequest]
Answers = dict[int, dict[str, Any]]
"""Line number -> what is answered."""


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
    """`key_of_all` is what the header Idempotency-Key says: each line's own key comes from it."""

    dispatcher: Dispatcher
    keys: ApiKeys
    key: ApiKey
    key_of_all: str | None
    tally: Tally

    def take_in(self, lines: Sequence[Line]) -> bytes:
        """Enqueue what can be; return an answer for each line, in their order.

        Raises NotLetIn where the key ended since it was shown, which may be an hour ago, and
        StoreUnavailable where that cannot be known. A line that Redis does not take is refused
        with 503: it may be sent again.
        """
        self.keys.require_live(self.key)
        answers: Answers = {}
        asked: list[Asked] = []
        for line in lines:
            try:
                asked.append((line.number, self._request(line)))
            except (DispatcherError, Problem) as error:
                answers[line.number] = refusal(error)
        try:
            self._enqueue(asked, answers)
        except StoreUnavailable as error:
            for number, _ in asked:
                answers.setdefault(number, refusal(error))
        self._count(answers)
        return b"".join(map(as_line, ({"line": n, **answers[n]} for n in sorted(answers))))

    def _request(self, line: Line) -> JobRequest:
        fields = _fields(line)
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
                problem = refusal(too_many(self.key, granted.again))
                answers.update((number, problem) for number, _ in asked)
                return
            some, asked = asked[: granted.many], asked[granted.many :]
            new = self._submit(some, answers)
            self.keys.give_back(self.key, len(some) - new)

    def _submit(self, some: list[Asked], answers: Answers) -> int:
        """Enqueue; return how many are new. Raises StoreUnavailable; `answers` has the others."""
        new = 0
        try:
            for result in self.dispatcher.call_many(request for _, request in some):
                answers[some[result.index][0]] = _answer(result)
                new += isinstance(result, JobHandle) and result.new
        except Interrupted as error:
            raise error.why from None
        return new

    def _count(self, answers: Answers) -> None:
        self.tally.lines += len(answers)
        self.tally.accepted += sum("id" in answer for answer in answers.values())
        self.tally.new += sum(answer.get("new", False) for answer in answers.values())


def _answer(result: JobHandle | RefusedRequest) -> dict[str, Any]:
    if isinstance(result, RefusedRequest):
        return refusal(result.error)
    return {"id": result.id, "new": result.new}


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


def as_line(content: dict[str, Any]) -> bytes:
    """Return a line of JSON."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
