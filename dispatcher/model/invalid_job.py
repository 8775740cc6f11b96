"""Why a request does not become a job."""

from __future__ import annotations

from collections.abc import Sequence

from dispatcher.errors import UsageError

MOST_PROBLEMS, LONGEST_NAME, LONGEST_MESSAGE = 20, 100, 500
_OF_NUMBERS = "0123456789+-./() "


class InvalidJob(UsageError, ValueError):
    """The request cannot become a job; nothing was written.

    `problems` is a list of `(field, message)`, one for each thing to mend. What is said is bounded,
    whatever was asked for: it is logged, shown, and kept as a task's result.
    """

    def __init__(self, problems: Sequence[tuple[str, str]]) -> None:
        self.problems = [
            (cut(field, LONGEST_NAME), cut(message, LONGEST_MESSAGE))
            for field, message in problems[:MOST_PROBLEMS]
        ]
        if (more := len(problems) - MOST_PROBLEMS) > 0:
            self.problems.append(("request", f"{more} more things are wrong"))
        super().__init__("; ".join(f"{field}: {message}" for field, message in self.problems))


def cut(text: str, most: int) -> str:
    """Return a text of about so many characters at most: its beginning and its end. No part of a
    number is left where it was cut, which could not be told from a whole one and masked.
    """
    if len(text) <= most:
        return text
    return f"{text[: most // 2].rstrip(_OF_NUMBERS)}…{text[-most // 2 :].lstrip(_OF_NUMBERS)}"


class LanguageRefused(InvalidJob):
    """The provider has refused this language before; nothing was written."""


class NumberRefused(InvalidJob):
    """The account does not call this country, numbers of this type or, as DoNotCall says, this very
    number; nothing was written.
    """


class DoNotCall(NumberRefused):
    """The number is on the do-not-call list; nothing was written."""
